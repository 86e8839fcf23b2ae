// One picture's card: made once from the template, then changed in place.

import * as format from "./format.js";

const template = document.getElementById("card");

/**
 * An entry is one picture on the page: a transfer from this tab, a view from
 * the API, or first one and then both.
 *
 * @typedef {object} Entry
 * @property {import("./transfer.js").Transfer} [transfer]
 * @property {object} [view] the API's last word on it
 * @property {number} fetched when the view came, by performance.now()
 * @property {number} at place in the gallery: milliseconds, later ones first
 * @property {number} rank place among those of the same time, smaller first
 * @property {string} [id] the API's identifier, once there is one
 * @property {number} [took] milliseconds from sent to processed
 */

/** Where the entry stands: queued, uploading, retrying, failed, cancelled, waiting, processing, processed or rejected. */
export function status({ transfer, view }) {
  if (view && (!transfer || transfer.state === "sent" || view.status !== "waiting")) return view.status;
  return transfer.state === "sent" ? "waiting" : transfer.state;
}

export const nameOf = ({ transfer, view }) => view?.filename ?? transfer.file.name;
export const weightOf = ({ transfer, view }) => view?.size ?? transfer.file.size;

/** The variant shown in the card, and the one shown alone. */
export const thumbOf = (view) => view.variants?.find((variant) => variant.name === "thumb") ?? smallest(view);
export const largeOf = (view) => view.variants?.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a), view.variants[0]);
const smallest = (view) => view.variants?.reduce((a, b) => (b.size < a.size ? b : a), view.variants[0]);

export class Card {
  #parts = {};
  #shown = "";

  constructor() {
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const name of ["frame", "tide", "thumb", "name", "meta", "state", "variants"]) {
      this.#parts[name] = this.element.querySelector(`.${name}`);
    }
    this.#parts.progress = this.element.querySelector("progress");
    this.#parts.buttons = [...this.element.querySelectorAll("[data-do]")];
    this.#parts.thumb.addEventListener("load", () => this.element.toggleAttribute("data-pictured", true));
  }

  /** Writes what changed; `fresh` takes the thumb's new link although the picture is the same. */
  update(entry, fresh = false) {
    const { element } = this;
    const { frame, name, meta, state } = this.#parts;
    const now = status(entry);
    const called = nameOf(entry);
    if (entry.id && element.dataset.upload !== entry.id) element.dataset.upload = entry.id;
    text(name, called);
    name.title = called;
    text(meta, describe(entry));
    text(state, phrase(entry, now));
    this.#progress(entry, now, called);
    if (element.dataset.status !== now) {
      element.dataset.status = now;
      frame.disabled = now !== "processed";
      frame.setAttribute("aria-label", now === "processed" ? `View ${called}` : called);
      for (const button of this.#parts.buttons) button.setAttribute("aria-label", `${verbs[button.dataset.do]} ${called}`);
    }
    for (const button of this.#parts.buttons) button.hidden = !offers(button.dataset.do, entry, now);
    this.#parts.variants.hidden = now !== "processed";
    if (now === "processed") this.#variants(entry, fresh);
  }

  #progress({ transfer }, now, called) {
    const { progress, tide } = this.#parts;
    const fraction = now === "uploading" ? transfer.fraction : now === "waiting" || now === "processing" ? 1 : 0;
    if (now === "waiting" || now === "processing") progress.removeAttribute("value");
    else progress.value = fraction * 100;
    progress.hidden = now === "processed" || now === "rejected" || now === "failed";
    progress.setAttribute("aria-label", `Progress of ${called}`);
    tide.style.setProperty("--level", fraction.toFixed(3)); // the object model is not an inline style: the policy allows it
  }

  #variants({ view }, fresh) {
    const { variants, thumb } = this.#parts;
    const shown = JSON.stringify([view.updated, view.variants?.map(({ name, size }) => [name, size])]);
    const changed = shown !== this.#shown;
    this.#shown = shown;
    if (changed) variants.replaceChildren(...(view.variants ?? []).map((variant) => row(variant, view.size)));
    // Links are signed anew in every view: take them, but leave a picture that is there already.
    view.variants?.forEach((variant, index) => (variants.children[index].firstChild.href = link(variant.url)));
    const small = thumbOf(view);
    if (small && (changed || fresh)) {
      thumb.src = link(small.url);
      thumb.hidden = false;
    }
  }
}

const verbs = { cancel: "Cancel", retry: "Retry", dismiss: "Dismiss", delete: "Delete" };

function offers(action, { transfer }, now) {
  switch (action) {
    case "cancel": return now === "queued" || now === "uploading" || now === "retrying";
    case "retry": return now === "failed" && transfer.again;
    case "dismiss": return now === "failed";
    default: return now === "waiting" || now === "processing" || now === "processed" || now === "rejected";
  }
}

/** The line under the name: what the picture is. */
function describe(entry) {
  const { view } = entry;
  const parts = [format.size(view?.width, view?.height), format.bytes(weightOf(entry))];
  if (view?.pages > 1) parts.push(format.count(view.pages, "page", "pages"));
  return parts.filter(Boolean).join(" · ");
}

/** The line that says where it stands, in plain words. */
function phrase({ transfer, view, took }, now) {
  switch (now) {
    case "queued": return "Queued";
    case "uploading": return `Uploading ${format.percent(transfer.fraction)}`;
    case "retrying": return `${transfer.problem} Trying again in ${Math.max(1, Math.round(transfer.wait / 1000))}\u00a0s…`;
    case "failed": return `Not sent. ${transfer.problem}`;
    case "waiting": return "Waiting for a worker";
    case "processing": return "Making variants";
    case "rejected": return `Rejected. ${format.sentence(view.reason) || "It cannot be read as a picture."}`;
    case "processed": return took === undefined ? "Done" : `Done ${format.seconds(took)} after the upload`;
    default: return "";
  }
}

function row(variant, whole) {
  const item = document.createElement("li");
  const anchor = document.createElement("a");
  anchor.target = "_blank";
  anchor.rel = "noopener";
  anchor.textContent = variant.name;
  item.append(anchor, span("dims", format.size(variant.width, variant.height)), span("size", format.bytes(variant.size)), span("saving", format.saving(variant.size, whole)));
  return item;
}

function span(name, content) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = content;
  return element;
}

function text(element, content) {
  if (element.textContent !== content) element.textContent = content;
}

/** Only web addresses become links, whatever the API may say. */
export function link(url) {
  try {
    const { protocol, href } = new URL(url, document.baseURI);
    if (protocol === "http:" || protocol === "https:") return href;
  } catch {
    // fall through
  }
  return "";
}
