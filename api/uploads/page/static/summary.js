// What is said about all pictures together: counters, bytes saved, the batch
// on its way, and the few words that a screen reader speaks.

import * as format from "./format.js";
import { nameOf, weightOf } from "./card.js";

const $ = (id) => document.getElementById(id);
const write = (id, text) => {
  if ($(id).textContent !== text) $(id).textContent = text;
};

const counters = {
  queued: "flight", uploading: "flight", retrying: "flight", waiting: "flight", processing: "flight",
  processed: "done", rejected: "rejected", failed: "failed",
};

/** Counts and shows; `more` tells that the API has older pictures than those on the page. */
export function summarise(entries, transfers, more) {
  const counts = { flight: 0, done: 0, rejected: 0, failed: 0 };
  let originals = 0;
  let variants = 0;
  for (const entry of entries) {
    counts[counters[entry.status]]++;
    if (entry.status !== "processed") continue;
    originals += weightOf(entry);
    for (const variant of entry.view.variants ?? []) variants += variant.size;
  }
  for (const [name, n] of Object.entries(counts)) {
    const element = $(`count-${name}`);
    write(`count-${name}`, n + (more && name === "done" ? "+" : ""));
    element.parentElement.toggleAttribute("data-some", n > 0);
    if (name === "failed") element.parentElement.hidden = n === 0;
  }
  $("saved").hidden = originals === 0;
  write("saved-percent", format.saving(variants, originals));
  write("saved-text", `${format.bytes(originals)} of originals, ${format.bytes(variants)} in variants`);
  $("summary").hidden = entries.length === 0;
  $("retry-all").hidden = !entries.some(({ status, transfer }) => status === "failed" && transfer.again);
  batch(transfers);
}

/** The transfers since the last quiet moment. */
function batch(all) {
  const transfers = all.filter(({ state }) => state !== "cancelled" && state !== "failed");
  const pending = transfers.filter((transfer) => transfer.pending);
  $("sending").hidden = $("cancel-all").hidden = pending.length === 0;
  if (pending.length === 0) {
    document.title = "Drydock";
    return;
  }
  let whole = 0;
  let sent = 0;
  for (const { file, fraction } of transfers) {
    whole += file.size;
    sent += file.size * fraction;
  }
  const done = whole > 0 ? sent / whole : 0;
  $("overall").value = done;
  write("overall-text", `${transfers.length - pending.length} of ${transfers.length} sent, ${format.percent(done)}`);
  document.title = `${format.percent(done)} · Drydock`;
}

const spoken = { done: [], rejected: [], failed: [] };
let timer;

/** Tells a screen reader what became of pictures: at most once in a second and a half, however many there are. */
export function announce(changed) {
  for (const [entry, was] of changed) {
    const kind = counters[entry.status];
    // A card that comes into the list as done was done before.
    if (was !== undefined && spoken[kind]) spoken[kind].push(nameOf(entry));
  }
  if (timer || !Object.values(spoken).some((names) => names.length > 0)) return;
  timer = setTimeout(() => {
    timer = undefined;
    const words = { done: "done", rejected: "rejected", failed: "not sent" };
    const parts = Object.entries(spoken)
      .filter(([, names]) => names.length > 0)
      .map(([kind, names]) => `${names.length === 1 ? names[0] : `${names.length} pictures`} ${words[kind]}`);
    for (const names of Object.values(spoken)) names.length = 0;
    say(`${parts.join(", ")}.`);
  }, 1500);
}

export function say(text) {
  $("announce").textContent = text;
}

/** Shows a line until it is dismissed or another one takes its place; an empty text takes it away. */
export function notice(text) {
  $("notice").hidden = !text;
  $("notice").firstElementChild.textContent = text;
}
$("notice").querySelector("button").addEventListener("click", () => notice(""));
