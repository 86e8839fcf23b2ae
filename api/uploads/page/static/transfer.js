// The queue of files on their way to the object store.

import * as api from "./api.js";
import { send } from "./store.js";
import { typeOf } from "./files.js";

/** How many files travel at once. */
const lanes = 4;
/** Waits before the second and third try, in milliseconds. */
const backoff = [1000, 3000];
/** A link that ends within this is not used any more, in milliseconds. */
const margin = 5000;

/**
 * One file on its way. States: queued → uploading → sent, or → retrying →
 * queued, or → failed (→ queued again by retry), or → cancelled at any time
 * before sent. `problem` says in plain words why it waits or failed.
 */
export class Transfer {
  constructor(file) {
    this.file = file;
    this.type = typeOf(file);
    this.restart();
  }

  restart() {
    this.state = "queued";
    this.fraction = 0;
    this.tries = 0;
    this.problem = "";
    this.again = false; // whether a person's retry may help
  }

  get id() {
    return this.grant?.id;
  }

  get pending() {
    return this.state === "queued" || this.state === "uploading" || this.state === "retrying";
  }
}

/** Runs transfers, at most `lanes` at once, in the order given. Calls onchange(transfer) after every change. */
export class Transfers {
  #queue = [];
  #active = 0;
  #onchange;

  constructor(onchange) {
    this.#onchange = onchange;
  }

  add(transfers) {
    this.#queue.push(...transfers);
    this.#pump();
  }

  cancel(transfer) {
    if (!transfer.pending) return;
    this.#queue = this.#queue.filter((queued) => queued !== transfer);
    clearTimeout(transfer.timer);
    this.#set(transfer, { state: "cancelled" });
    transfer.controller?.abort();
    // All of it may have arrived already: then it must not come back as an event. Nobody waits for this.
    if (transfer.id) api.remove(transfer.id).catch(() => {});
  }

  retry(transfer) {
    if (transfer.state !== "failed") return;
    transfer.restart();
    this.#onchange(transfer);
    this.add([transfer]);
  }

  /** Ends a transfer whose file is known to have arrived although the store's answer was lost. */
  arrived(transfer) {
    if (transfer.state === "sent" || transfer.state === "cancelled") return;
    this.#queue = this.#queue.filter((queued) => queued !== transfer);
    clearTimeout(transfer.timer);
    const { controller } = transfer;
    this.#set(transfer, { state: "sent", fraction: 1, sentAt: performance.now() });
    controller?.abort();
  }

  #set(transfer, changes) {
    Object.assign(transfer, changes);
    this.#onchange(transfer);
  }

  #pump() {
    while (this.#active < lanes && this.#queue.length > 0) this.#run(this.#queue.shift());
  }

  async #run(transfer) {
    this.#active++;
    transfer.controller = new AbortController();
    this.#set(transfer, { state: "uploading", fraction: 0, problem: "" });
    try {
      await this.#deliver(transfer, transfer.controller.signal);
      if (transfer.state === "uploading") this.#set(transfer, { state: "sent", fraction: 1, sentAt: performance.now() });
    } catch (error) {
      // An abort comes after the state it was done for (cancelled, sent).
      if (transfer.state === "uploading") this.#stumble(transfer, error);
    } finally {
      transfer.controller = null;
      this.#active--;
      this.#pump();
    }
  }

  async #deliver(transfer, signal) {
    // A link may be used again until it ends: a second try is then the same upload.
    if (!transfer.grant || Date.parse(transfer.grant.expires) - Date.now() < margin) {
      const grant = await api.sign(transfer.file, transfer.type, signal);
      if (signal.aborted) return;
      this.#set(transfer, { grant });
    }
    await send(transfer.grant.form, transfer.file, signal, (fraction) => {
      if (transfer.state === "uploading") this.#set(transfer, { fraction });
    });
  }

  #stumble(transfer, error) {
    if (error.expired) transfer.grant = undefined;
    const again = Boolean(error.retry || error.expired);
    if (!again || transfer.tries >= backoff.length) {
      this.#set(transfer, { state: "failed", problem: error.message, again });
      return;
    }
    // Spread out, so that forty files do not come back in the same instant.
    const wait = error.expired ? 0 : Math.max(backoff[transfer.tries] * (0.8 + 0.4 * Math.random()), Math.min(error.after ?? 0, 60) * 1000);
    transfer.tries++;
    transfer.timer = setTimeout(() => {
      this.#set(transfer, { state: "queued" });
      this.#queue.unshift(transfer);
      this.#pump();
    }, wait);
    this.#set(transfer, { state: "retrying", fraction: 0, problem: error.message, wait });
  }
}
