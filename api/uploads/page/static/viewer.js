// The large picture alone, with the arrow keys to go on.

import * as format from "./format.js";
import { largeOf, link } from "./card.js";

const dialog = document.getElementById("viewer");
const picture = document.getElementById("viewer-picture");
const part = (name) => document.getElementById(`viewer-${name}`);
const button = (action) => dialog.querySelector(`[data-do="${action}"]`);

/** gallery gives the neighbours; renew(id) resolves once the entry has fresh links. */
export function viewer(gallery, renew) {
  let entry;
  let renewed = false; // once per picture

  function show(next) {
    entry = next;
    renewed = false;
    const { view } = entry;
    part("name").textContent = view.filename;
    const done = gallery.entries.filter(({ status }) => status === "processed");
    part("position").textContent = `${done.indexOf(entry) + 1} of ${done.length}`;
    part("links").replaceChildren(...(view.variants ?? []).map((variant) => anchor(variant.name, variant)), ...original(view));
    for (const [action, step] of [["back", -1], ["on", 1]]) button(action).disabled = !gallery.neighbour(entry, step);
    load();
  }

  function load() {
    const large = largeOf(entry.view);
    part("trouble").hidden = true;
    picture.hidden = !large;
    if (!large) return;
    picture.alt = entry.view.filename;
    // Its place is known before it comes.
    picture.width = large.width;
    picture.height = large.height;
    picture.src = link(large.url);
  }

  function step(by) {
    const next = entry && gallery.neighbour(entry, by);
    if (next) show(next);
  }

  picture.addEventListener("error", async () => {
    const failed = entry;
    if (!failed) return;
    if (!renewed) {
      renewed = true;
      await renew(failed.id);
      if (entry === failed) load();
      return;
    }
    picture.hidden = true;
    part("trouble").hidden = false;
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("click", ({ target }) => {
    const action = target.closest("[data-do]")?.dataset.do;
    if (action === "back") step(-1);
    if (action === "on") step(1);
    // Beside the picture is outside, too.
    if (action === "close" || target === dialog || target.classList.contains("stage")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (dialog.open) return; // the event comes late: it was opened again
    const frame = entry?.card.element.querySelector(".frame");
    entry = undefined;
    picture.removeAttribute("src");
    frame?.focus();
  });

  return {
    open(first) {
      show(first);
      dialog.showModal();
    },
    /** Closes when the shown picture is gone, and knows of new neighbours. */
    refresh() {
      if (!entry) return;
      if (!entry.card.element.isConnected) return dialog.close();
      for (const [action, by] of [["back", -1], ["on", 1]]) button(action).disabled = !gallery.neighbour(entry, by);
    },
  };
}

function anchor(name, { url, width, height, size }) {
  const element = document.createElement("a");
  element.href = link(url);
  element.target = "_blank";
  element.rel = "noopener";
  element.textContent = [name, format.size(width, height), format.bytes(size)].filter(Boolean).join(" ");
  return element;
}

const original = ({ original, width, height, size }) => (original?.url ? [anchor("original", { url: original.url, width, height, size })] : []);
