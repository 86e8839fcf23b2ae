// All pictures on the page, newest first. Changes are gathered and written
// once per frame, each to its own card: nothing is ever drawn anew as a whole.

import { Card, status } from "./card.js";

/**
 * Newer batches and uploads come first. Files of one batch keep the order in
 * which they were given, so that the first to travel is the first to be seen.
 */
const before = (a, b) => b.at - a.at || a.rank - b.rank || (a.id < b.id ? -1 : 1);

/** A new card moves all cards behind it: between two such frames the browser gets this long, in milliseconds. */
const pace = 120;

export class Gallery {
  #list;
  #entries = []; // in order
  #byId = new Map();
  #byTransfer = new Map();
  #byElement = new WeakMap();
  #dirty = new Map(); // entry → whether its thumb's link is to be taken anew
  #gone = new Set(); // identifiers of deleted uploads: a late event must not bring them back
  #scheduled = false;
  #rest = 0; // no flush before this time
  #onchange;
  #batch = 0;

  /** onchange(entries, changed) is called after each frame that wrote something; changed are [entry, status before]. */
  constructor(list, onchange) {
    this.#list = list;
    this.#onchange = onchange;
  }

  get entries() {
    return this.#entries;
  }

  find = (id) => this.#byId.get(id);
  of = (element) => this.#byElement.get(element.closest(".card"));

  /** Adds the transfers of one batch at the top. */
  add(transfers) {
    // Two batches in one millisecond still have an order.
    this.#batch = Math.max(Date.now(), this.#batch + 1);
    transfers.forEach((transfer, rank) => {
      const entry = { transfer, at: this.#batch, rank, fetched: 0 };
      this.#byTransfer.set(transfer, entry);
      this.#insert(entry);
    });
  }

  /** A transfer changed. */
  touch(transfer) {
    const entry = this.#byTransfer.get(transfer);
    if (!entry) return;
    if (transfer.state === "cancelled") {
      if (transfer.id) this.#gone.add(transfer.id);
      return this.#remove(entry);
    }
    if (transfer.id && transfer.id !== entry.id) {
      this.#byId.delete(entry.id);
      // The event of the same upload may have come first.
      const twin = this.#byId.get(transfer.id);
      if (twin) {
        entry.view = twin.view;
        entry.fetched = twin.fetched;
        this.#remove(twin);
      }
      entry.id = transfer.id;
      this.#byId.set(entry.id, entry);
    }
    this.#mark(entry);
  }

  /** The API's word on an upload, from wherever; older words than the last one are ignored. */
  apply(view, { fresh = false } = {}) {
    if (this.#gone.has(view.id)) return;
    if (view.status === "deleted") return this.drop(view.id);
    let entry = this.#byId.get(view.id);
    if (!entry) {
      entry = { id: view.id, view, at: Date.parse(view.created) || Date.now(), rank: 0, fetched: performance.now() };
      this.#byId.set(view.id, entry);
      return this.#insert(entry);
    }
    if (entry.view && time(view) < time(entry.view)) return;
    const { transfer } = entry;
    entry.view = view;
    entry.fetched = performance.now();
    if (view.status === "processed" && transfer?.sentAt && entry.took === undefined) {
      entry.took = Math.max(0, entry.fetched - transfer.sentAt);
    }
    this.#mark(entry, fresh);
  }

  /** An upload is deleted: for good. */
  drop(id) {
    this.#gone.add(id);
    const entry = this.#byId.get(id);
    if (entry) this.#remove(entry);
  }

  /** Has onchange called although no card changed. */
  settle = () => this.#schedule();

  /** Takes a card away that the API never heard of. */
  dismiss = (entry) => this.#remove(entry);

  /** The entry's processed neighbour, step cards on; undefined at the ends. */
  neighbour(entry, step) {
    for (let i = this.#entries.indexOf(entry) + step; i >= 0 && i < this.#entries.length; i += step) {
      if (status(this.#entries[i]) === "processed") return this.#entries[i];
    }
  }

  #insert(entry) {
    let low = 0;
    for (let high = this.#entries.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (before(this.#entries[middle], entry) < 0) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, entry);
    this.#mark(entry);
  }

  #remove(entry) {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    if (this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id);
    if (entry.transfer) this.#byTransfer.delete(entry.transfer);
    this.#dirty.delete(entry);
    entry.card?.element.remove();
    this.#schedule();
  }

  #mark(entry, fresh = false) {
    this.#dirty.set(entry, fresh || this.#dirty.get(entry) || false);
    this.#schedule();
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const wait = this.#rest - performance.now();
    // A hidden tab has no frames, but its title and counters are still read.
    if (document.hidden) setTimeout(this.#flush, 250);
    else if (wait > 0) setTimeout(this.#flush, wait);
    else requestAnimationFrame(this.#flush);
  }

  #flush = () => {
    this.#scheduled = false;
    const changed = [];
    for (const [entry, fresh] of this.#dirty) {
      const was = entry.status;
      entry.status = status(entry);
      if (was !== entry.status) changed.push([entry, was]);
      if (!entry.card) {
        entry.card = new Card();
        this.#byElement.set(entry.card.element, entry);
      }
      entry.card.update(entry, fresh);
    }
    // From the last to the first, each before the one after it, which is there already.
    for (let i = this.#entries.length - 1, next = null; i >= 0; i--) {
      const { element } = this.#entries[i].card;
      if (!element.isConnected) {
        this.#list.insertBefore(element, next);
        this.#rest = performance.now() + pace;
      }
      next = element;
    }
    this.#dirty.clear();
    this.#onchange(this.#entries, changed);
  };
}

const time = (view) => Date.parse(view.updated) || 0;
