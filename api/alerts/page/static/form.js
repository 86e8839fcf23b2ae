// The form of a new rule: what it holds, as the API takes it.

const form = document.getElementById("form");
const field = (name) => form.elements[name];

/** Shows the fields that the condition has. */
function fit() {
  for (const part of form.querySelectorAll("[data-for]")) {
    part.hidden = !part.dataset.for.split(" ").includes(field("kind").value);
  }
  const webhook = field("channel").value === "webhook";
  field("address").placeholder = webhook ? "https://example.com/alerts" : "ann@example.com";
  field("address").autocomplete = webhook ? "url" : "email";
}

/** A number as people type it: a comma or a point before decimals, and any minus. */
const number = (name) => Number(field(name).value.trim().replace("−", "-").replace(",", "."));

const shown = (name) => !field(name).closest("[data-for]").hidden;

/** The rule that the form holds, or an error whose `name` is the field at fault. */
export function read() {
  const condition = { kind: field("kind").value };
  for (const name of ["price", "percent", "factor"]) {
    if (!shown(name)) continue;
    condition[name] = number(name);
    if (!Number.isFinite(condition[name]) || condition[name] === 0) return wrong(name, "This takes a number, as 125.50.");
  }
  if (shown("window")) condition.window = number("window");
  const hysteresis = number("hysteresis");
  if (!(hysteresis >= 0)) return wrong("hysteresis", "The hysteresis takes a number, 0 or more.");
  if (hysteresis > 0) condition.hysteresis = hysteresis;
  if (!field("symbol").value.trim()) return wrong("symbol", "Which symbol?");
  if (!field("address").value.trim()) return wrong("address", "Where to?");
  const rule = {
    symbol: field("symbol").value.trim(),
    condition,
    repeat: field("repeat").checked,
    cool_down: number("cool_down"),
    channel: { kind: field("channel").value, address: field("address").value.trim() },
  };
  if (field("note").value.trim()) rule.note = field("note").value.trim();
  return { rule };
}

const wrong = (name, text) => ({ wrong: name, text });

/** Marks the field at fault and brings the reader there. */
export function blame(name) {
  for (const element of form.elements) element.removeAttribute("aria-invalid");
  if (!name) return;
  field(name).setAttribute("aria-invalid", "true");
  field(name).closest("details")?.setAttribute("open", "");
  field(name).focus();
}

/** Empties what belongs to one rule alone. */
export function clear() {
  for (const name of ["price", "percent", "factor", "note"]) field(name).value = "";
}

field("kind").addEventListener("change", fit);
field("channel").addEventListener("change", fit);
fit(); // browsers keep what was chosen when a page is loaded again
