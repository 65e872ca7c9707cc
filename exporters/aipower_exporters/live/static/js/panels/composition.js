/* A bar of four parts that shows where an energy went. */

import { el, set } from "../dom.js";

/** @typedef {import("../types").Components} Components */

const PARTS = /** @type {const} */ (["idle", "context", "active", "unattributed"]);

/** @param {Components} parts */
function percents(parts) {
  const whole = PARTS.reduce((sum, key) => sum + parts[key], 0);
  return PARTS.map((key) => (whole > 0 ? (100 * parts[key]) / whole : 0));
}

/**
 * What the bar says; it is drawn anew when this changes.
 * @param {Components} parts
 */
function words(parts) {
  const shares = percents(parts);
  return PARTS.map((key, at) => `${key} ${(shares[at] ?? 0).toFixed(0)} %`).join(", ");
}

/**
 * @param {HTMLElement} cell
 * @param {Components} parts
 */
function paint(cell, parts) {
  if (!cell.firstChild) cell.append(el("span", { class: "bar", role: "img" }, ...PARTS.map((key) => el("i", { class: key }))));
  const [bar] = cell.children;
  if (!bar) return;
  set(bar, "aria-label", words(parts));
  set(bar, "title", words(parts));
  const shares = percents(parts);
  [...bar.children].forEach((one, at) => {
    if (one instanceof HTMLElement) one.style.flexGrow = (shares[at] ?? 0).toFixed(1);
  });
}

export const composition = { text: words, paint };
