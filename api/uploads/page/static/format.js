// How numbers and states are written, in one place.

const nbsp = "\u00a0";

/** 96 KB, 3.2 MB: decimal units, two figures at least. */
export function bytes(count) {
  if (!Number.isFinite(count) || count < 0) return "";
  if (count < 1000) return `${count}${nbsp}B`;
  let unit = -1;
  do {
    count /= 1000;
    unit++;
  } while (count >= 999.5 && unit < 3);
  return `${count < 9.95 ? count.toFixed(1) : Math.round(count)}${nbsp}${["KB", "MB", "GB", "TB"][unit]}`;
}

/** −93 %: what a part weighs less than (or, with +, more than) the whole. Empty when it cannot be told. */
export function saving(part, whole) {
  if (!(whole > 0) || !(part >= 0)) return "";
  const percent = Math.round((part / whole - 1) * 100);
  if (percent === 0) return `±0${nbsp}%`;
  // A variant is never free, however small it is beside the original.
  return percent < 0 ? `−${Math.min(99, -percent)}${nbsp}%` : `+${percent}${nbsp}%`;
}

export const percent = (fraction) => `${Math.floor(fraction * 100)}${nbsp}%`;

export const size = (width, height) => (width && height ? `${width}×${height}` : "");

export const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)}${nbsp}s`;

export const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

/** A reason as a sentence: a capital first, one full stop last. */
export function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (!trimmed) return "";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?…]$/.test(trimmed) ? "" : ".");
}
