// The page: rules that are set, tried, paused and deleted, and alerts as they come.

import * as api from "./api.js";
import * as form from "./form.js";
import { listen } from "./live.js";
import * as words from "./words.js";

const maxAlerts = 50;
const $ = (id) => document.getElementById(id);

const text = (element, value) => {
  element.textContent = value;
  element.hidden = !value;
};

/** Does the work of a button, which cannot be pressed again meanwhile and has the focus afterwards. */
async function busy(button, work, onproblem) {
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    onproblem(problem.message);
  } finally {
    button.disabled = false;
    const focused = document.activeElement; // in a dialog that has closed it is nowhere
    if (focused === document.body || !focused.checkVisibility()) button.focus();
  }
}

// Rules

const cards = new Map(); // elements by the rule's id
let total = 0;
let next = "";

function show(rule) {
  let card = cards.get(rule.id);
  if (!card) {
    card = $("rule").content.firstElementChild.cloneNode(true);
    card.dataset.rule = rule.id;
    cards.set(rule.id, card);
  }
  const what = words.condition(rule.condition);
  card.dataset.state = rule.paused ? "paused" : "armed";
  card.querySelector("h3").textContent = rule.symbol;
  card.querySelector(".what").textContent = rule.paused ? `${what} · paused` : what;
  card.querySelector(".where").textContent = words.terms(rule);
  for (const button of card.querySelectorAll("[data-do]")) {
    const action = button.dataset.do;
    button.hidden = action === "pause" && rule.paused || action === "resume" && !rule.paused;
    button.setAttribute("aria-label", `${button.textContent} ${rule.symbol}, ${what}`);
  }
  return card;
}

function count(change = 0) {
  total += change;
  $("total").textContent = total > 0 ? words.figure(total) : "";
  $("no-rules").hidden = total > 0;
}

async function load() {
  try {
    const page = await api.list(next);
    for (const rule of page.rules) {
      if (!cards.has(rule.id)) $("rules").append(show(rule));
    }
    next = page.next ?? "";
    total = page.total;
    count();
    $("more").hidden = !next;
    text($("list-problem"), "");
  } catch (problem) {
    text($("list-problem"), problem.message);
    $("more").hidden = false; // to try again
  }
}

async function act(card, action) {
  const id = card.dataset.rule;
  const tried = card.querySelector(".tried");
  switch (action) {
    case "pause":
    case "resume": {
      show(await api[action](id));
      card.querySelector(action === "pause" ? "[data-do=resume]" : "[data-do=pause]").focus();
      return;
    }
    case "try": {
      text(tried, "Reading the past…");
      text(tried, outcome(await api.tryAgain(id)));
      return;
    }
    case "delete": {
      if (!(await sure(card))) return;
      await api.remove(id);
      const beside = card.nextElementSibling ?? card.previousElementSibling;
      card.remove();
      (beside?.querySelector("[data-do=delete]") ?? $("rules")).focus();
      cards.delete(id);
      count(-1);
    }
  }
}

$("rules").addEventListener("click", ({ target }) => {
  const button = target.closest("[data-do]");
  if (!button) return;
  const card = button.closest(".rule");
  busy(button, () => act(card, button.dataset.do), (problem) => text(card.querySelector(".tried"), problem));
});

$("more").addEventListener("click", load);

/** Asks before a rule is deleted. */
function sure(card) {
  const dialog = $("confirm");
  $("confirm-rule").textContent = `${card.querySelector("h3").textContent}: ${card.querySelector(".what").textContent}`;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true }));
}

$("confirm").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button) $("confirm").close(button.value);
});

// The form

const outcome = ({ fired, text, quotes }) => words.sentence(fired || quotes ? text : `${text}: there are no quotes of that time`);

/** Reads the form and hands the rule on, or says what is wrong with it. */
function send(button, then) {
  const { rule, wrong, text: why } = form.read();
  form.blame(wrong);
  text($("form-problem"), wrong ? why : "");
  if (!wrong) busy(button, () => then(rule), (problem) => text($("form-problem"), problem));
}

// A rule that is sent again after an answer was lost is the same one.
let sent = { body: "", key: "" };

function keyOf(rule) {
  const body = JSON.stringify(rule);
  if (sent.body !== body) sent = { body, key: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
  return sent.key;
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  send($("set"), async (rule) => {
    const made = await api.set(rule, keyOf(rule));
    sent = { body: "", key: "" };
    $("rules").prepend(show(made));
    count(1);
    form.clear();
    text($("tried"), "");
    $("secret").hidden = !made.channel.secret;
    $("secret").querySelector("code").textContent = made.channel.secret ?? "";
  });
});

$("try").addEventListener("click", ({ target }) =>
  send(target, async (rule) => {
    text($("tried"), "Reading the past…");
    try {
      text($("tried"), outcome(await api.tryRule(rule)));
    } catch (problem) {
      text($("tried"), "");
      throw problem;
    }
  }),
);

$("secret").querySelector("button").addEventListener("click", () => {
  $("secret").hidden = true;
  $("secret").querySelector("code").textContent = "";
});

// Alerts

const seen = new Set();

function alerted(alert) {
  if (seen.has(alert.id)) return;
  seen.add(alert.id);
  const item = document.createElement("li");
  item.dataset.alert = alert.id;
  for (const [kind, content] of [["b", alert.symbol], ["span", words.found(alert)], ["time", words.moment(alert.time)]]) {
    const part = document.createElement(kind);
    part.textContent = content;
    if (kind === "time") part.dateTime = alert.time;
    item.append(part, " ");
  }
  $("alerts").prepend(item);
  while ($("alerts").children.length > maxAlerts) {
    const last = $("alerts").lastElementChild;
    seen.delete(last.dataset.alert);
    last.remove();
  }
  $("alerts").hidden = false;
  $("no-alerts").hidden = true;
}

listen({
  onalert: alerted,
  onstate: (state) => {
    $("connection").dataset.state = state;
    $("connection").textContent = state === "connected" ? "Live" : "Reconnecting…";
  },
});

load();
