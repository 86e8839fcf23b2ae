// The page: what people do goes to transfers and the API, what the API says
// goes to the gallery.

import * as api from "./api.js";
import * as format from "./format.js";
import { dropped, pasted, sift } from "./files.js";
import { nameOf } from "./card.js";
import { Gallery } from "./gallery.js";
import { listen } from "./live.js";
import { announce, notice, say, summarise } from "./summary.js";
import { Transfer, Transfers } from "./transfer.js";
import { viewer } from "./viewer.js";

/** Signed links last an hour; after this they are renewed before use, in milliseconds. */
const linkAge = 50 * 60 * 1000;
/** A picture on its way that nothing was heard of for so long is asked about, in milliseconds. */
const silence = 5000;

const $ = (id) => document.getElementById(id);

let next; // where the list goes on: undefined before the first page, "" at the end
let batch = []; // transfers since the last quiet moment
const shown = new Gallery($("gallery"), (entries, changed) => {
  summarise(entries, batch, Boolean(next));
  announce(changed);
  $("empty").hidden = entries.length > 0 || next === undefined;
  $("more").hidden = !next;
  large.refresh();
});
const transfers = new Transfers((transfer) => shown.touch(transfer));
const large = viewer(shown, renew);

// Pictures in.

function take(files) {
  const { pictures, others } = sift(files);
  const empty = pictures.filter((file) => file.size === 0);
  const left = [...others, ...empty];
  if (left.length > 0) {
    const names = left.slice(0, 3).map((file) => file.name).join(", ") + (left.length > 3 ? ` and ${left.length - 3} more` : "");
    notice(`Left out (not a picture, or empty): ${names}.`);
  } else {
    notice("");
  }
  const added = pictures.filter((file) => file.size > 0).map((file) => new Transfer(file));
  if (added.length === 0) return;
  if (!batch.some((transfer) => transfer.pending)) batch = [];
  batch.push(...added);
  shown.add(added);
  transfers.add(added);
  say(`${format.count(added.length, "picture", "pictures")} added.`);
}

$("files").addEventListener("change", ({ target }) => {
  take([...target.files]);
  target.value = ""; // the same file may be chosen again
});
document.addEventListener("paste", (event) => {
  const files = pasted(event.clipboardData);
  if (files.length === 0) return;
  event.preventDefault();
  take(files);
});

const root = document.documentElement;
let own = false; // a picture of this page is being dragged: that is no upload
window.addEventListener("dragstart", () => (own = true));
window.addEventListener("dragend", () => (own = false));
const carries = (event) => !own && event.dataTransfer?.types.includes("Files");
for (const type of ["dragenter", "dragover"]) {
  window.addEventListener(type, (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    root.toggleAttribute("data-dropping", true);
  });
}
window.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) root.removeAttribute("data-dropping"); // out of the window
});
window.addEventListener("drop", async (event) => {
  root.removeAttribute("data-dropping");
  if (!carries(event)) return;
  event.preventDefault();
  take(await dropped(event.dataTransfer));
});
window.addEventListener("beforeunload", (event) => {
  if (batch.some((transfer) => transfer.pending)) event.preventDefault(); // the browser asks
});

// What can be done with a card.

$("gallery").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  const entry = button && shown.of(button);
  if (!entry) return;
  if (button.classList.contains("frame")) return large.open(entry);
  const then = beside(entry);
  switch (button.dataset.do) {
    case "cancel":
      transfers.cancel(entry.transfer);
      return then();
    case "dismiss":
      shown.dismiss(entry);
      return then();
    case "retry":
      return transfers.retry(entry.transfer);
    case "delete":
      return ask(entry, then);
  }
});

/** Where the keyboard goes when the card is gone: to the next card, or the one before, or the button that adds. */
function beside({ card: { element } }) {
  const other = element.nextElementSibling ?? element.previousElementSibling;
  return () => (other?.querySelector("button:not([hidden], :disabled)") ?? $("files")).focus({ preventScroll: true });
}

$("cancel-all").addEventListener("click", () => batch.forEach((transfer) => transfers.cancel(transfer)));
$("retry-all").addEventListener("click", () => {
  const failed = shown.entries.filter(({ status, transfer }) => status === "failed" && transfer.again);
  for (const { transfer } of failed) {
    if (!batch.includes(transfer)) batch.push(transfer);
    transfers.retry(transfer);
  }
});

const confirm = $("confirm");
let question; // what the dialog is about: the entry, and what follows its deletion
confirm.addEventListener("click", ({ target }) => {
  if (target !== confirm && !target.value) return;
  confirm.close();
  // Not at the event "close": it comes later, when the dialog may ask about another picture.
  if (target.value === "delete") remove(...question);
});

function ask(entry, then) {
  $("confirm-name").textContent = nameOf(entry);
  question = [entry, then];
  confirm.showModal();
}

async function remove(entry, then) {
  const { element } = entry.card;
  element.toggleAttribute("data-leaving", true);
  try {
    await api.remove(entry.id);
    const had = element.contains(document.activeElement) || document.activeElement === document.body;
    shown.drop(entry.id);
    if (had) then();
    say(`${nameOf(entry)} deleted.`);
  } catch (error) {
    element.removeAttribute("data-leaving");
    notice(`${nameOf(entry)} is not deleted. ${error.message}`);
  }
}

// Links that ended.

/** Takes an upload's view anew; resolves whether or not that worked. */
async function renew(id, fresh = true) {
  try {
    hear(await api.view(id), { fresh });
  } catch (error) {
    if (error.status === 404 && shown.find(id)?.view?.status === "processed") shown.drop(id);
  }
}

const renewed = new WeakSet(); // entries whose thumb failed once and was not seen since
for (const type of ["error", "load"]) {
  // Neither bubbles: they are caught on their way down.
  $("gallery").addEventListener(type, ({ target }) => {
    if (!target.classList.contains("thumb")) return;
    const entry = shown.of(target);
    if (!entry) return;
    if (type === "load") return renewed.delete(entry);
    if (renewed.has(entry)) return (target.hidden = true);
    renewed.add(entry);
    renew(entry.id);
  }, true);
}
for (const type of ["pointerover", "focusin"]) {
  $("gallery").addEventListener(type, ({ target }) => {
    const entry = shown.of(target);
    if (!entry?.view || performance.now() - entry.fetched < linkAge) return;
    entry.fetched = performance.now(); // asked once, not for every move
    renew(entry.id, false);
  });
}

// What the API says.

function hear(view, options) {
  const transfer = shown.find(view.id)?.transfer;
  if (transfer && view.status !== "waiting") transfers.arrived(transfer);
  shown.apply(view, options);
}

/**
 * Reads the newest uploads, page by page until one that is known, and takes
 * away what was deleted meanwhile. Nothing between two connections is missed.
 */
async function catchUp() {
  const first = next === undefined;
  let after = "";
  let met = false;
  for (let page = 0; page < 10; page++) {
    const asked = performance.now();
    const { uploads, next: rest = "" } = await api.list(after);
    met = uploads.some(({ id }) => shown.find(id)?.view);
    prune(uploads, asked, after, rest && (uploads.at(-1)?.id ?? after));
    uploads.forEach((view) => hear(view));
    after = rest;
    if (first || met || !rest) break;
  }
  // "Load more" goes on where it was, unless there may be unknown uploads before that.
  if (first || !met) next = after;
  shown.settle();
}

/** Drops what the API does not list any more between two identifiers (later uploads have smaller ones). */
function prune(uploads, asked, after, last) {
  const listed = new Set(uploads.map(({ id }) => id));
  for (const { id, view, fetched } of [...shown.entries]) {
    // A word that came after the question knows better than its answer.
    if (!view || fetched >= asked || view.status === "waiting") continue;
    if (id > after && (!last || id <= last) && !listed.has(id)) shown.drop(id);
  }
}

let catching = false;
let asked = false; // for one more, while one is under way
let troubled = false;
let pause = 2000;

/** One catch-up at a time; failures are tried again until one works. */
async function refresh() {
  if (catching) {
    asked = true;
    return;
  }
  catching = true;
  asked = false;
  try {
    await catchUp();
    if (troubled) notice("");
    troubled = false;
    pause = 2000;
  } catch (error) {
    notice(`The pictures cannot be listed. ${error.message}`);
    troubled = true;
    setTimeout(refresh, pause);
    pause = Math.min(pause * 2, 30_000);
  }
  catching = false;
  if (asked && !troubled) refresh();
}

$("more").addEventListener("click", async () => {
  $("more").disabled = true;
  try {
    const page = await api.list(next);
    next = page.next ?? "";
    page.uploads.forEach((view) => hear(view));
    shown.settle();
    say(`${format.count(page.uploads.length, "more picture", "more pictures")}.`);
  } catch (error) {
    notice(`No more pictures for now. ${error.message}`);
  } finally {
    $("more").disabled = false;
  }
});

setInterval(() => {
  const now = performance.now();
  const quiet = shown.entries.filter(({ status, view, transfer, fetched, asked = 0 }) => {
    if (status !== "waiting" && status !== "processing") return false;
    return (view || transfer?.sentAt) && now - Math.max(fetched, transfer?.sentAt ?? 0, asked) > silence;
  });
  for (const entry of quiet.slice(0, 6)) {
    entry.asked = now;
    renew(entry.id);
  }
}, silence);

refresh();
listen({
  onupload: (view) => hear(view),
  ondeleted: ({ id }) => shown.drop(id),
  onopen: refresh,
  onstate(state) {
    $("connection").dataset.state = state;
    const words = { connected: "Connected", reconnecting: "Reconnecting…" };
    if ($("connection").textContent !== words[state]) $("connection").textContent = words[state];
  },
});
