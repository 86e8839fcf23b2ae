// How rules and alerts are told, in one place.

const nbsp = "\u00a0";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** 125.5, 1,200: as people write numbers, of any size. */
export const figure = (value) => number.format(value);

const measure = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** What was computed, to as many digits as mean something. */
const measured = (value) => measure.format(value);

/** A reason as a sentence: a capital first, one full stop last. */
export function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (!trimmed) return "";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}

const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** 5 minutes, 1 hour: the largest unit that it is a whole number of. */
export function span(seconds) {
  const [length, name] = units.find(([length]) => seconds % length === 0);
  const count = seconds / length;
  return `${figure(count)}${nbsp}${name}${count === 1 ? "" : "s"}`;
}

const signed = (value, told = figure) => `${value > 0 ? "+" : "−"}${told(Math.abs(value))}${nbsp}%`;

/** What a condition waits for. */
export function condition({ kind, price, percent, factor, window }) {
  switch (kind) {
    case "above": return `Price at or over ${figure(price)}`;
    case "below": return `Price at or under ${figure(price)}`;
    case "crosses": return `Price crosses ${figure(price)}`;
    case "change": return `${signed(percent)} within ${span(window)}`;
    case "volume": return `${figure(factor)} × the mean volume of ${span(window)}`;
    default: return kind;
  }
}

/** The line under a rule: where its alerts go, and what is special. */
export function terms({ channel, repeat, cool_down, expires, note }) {
  return [
    `to ${channel.address}`,
    repeat ? "every time" : "once",
    cool_down ? `then quiet for ${span(cool_down)}` : "",
    expires ? `until ${moment(expires)}` : "",
    note ? `“${note}”` : "",
  ].filter(Boolean).join(" · ");
}

/** What an alert found. */
export function found({ kind, price, value, level }) {
  switch (kind) {
    case "above": return `at ${figure(price)}, at or over ${figure(level)}`;
    case "below": return `at ${figure(price)}, at or under ${figure(level)}`;
    case "crosses": return `at ${figure(price)}, across ${figure(level)}`;
    case "change": return `${signed(value, measured)}, at ${figure(price)}`;
    case "volume": return `${measured(value)} × the mean volume, at ${figure(price)}`;
    default: return `at ${figure(price)}`;
  }
}

/** A time, in the reader's own zone. */
export const moment = (time) => new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
