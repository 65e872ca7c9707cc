/* What is not known, and foreign text that becomes one harmless line. */

/** What is not known is no 0. */
export const UNKNOWN = "–";
/** One for all: to make it costs more than to use it. */
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** @typedef {number | null | undefined} Figure */

/**
 * @param {Figure} value
 * @returns {value is number}
 */
export function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/**
 * One line of printable characters: no control characters, no marks that turn the direction of writing.
 * @param {string} foreign
 */
export function harmless(foreign) {
  return String(foreign).replace(UNPRINTABLE, "?");
}

/**
 * `text` in at most `most` characters, the middle left out: ids differ at their ends.
 * @param {string} shown
 * @param {number} most
 */
export function shortened(shown, most) {
  const letters = [...shown];
  if (letters.length <= most) return shown;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (most - 1 - head)).join("")}`;
}

/**
 * `1,234`: a count in full.
 * @param {Figure} value
 */
export function count(value) {
  return known(value) ? WHOLE.format(value) : UNKNOWN;
}

/**
 * `1 GPU`, `2 GPUs`.
 * @param {number} value
 * @param {string} one
 */
export function plural(value, one) {
  return value === 1 ? `1 ${one}` : `${count(value)} ${one}${one.endsWith("s") ? "es" : "s"}`;
}
