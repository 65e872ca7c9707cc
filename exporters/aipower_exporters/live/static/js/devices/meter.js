// Bars of a card: how near the limit a device is, and where its power goes.

import { el, set, show, text } from "../dom.js";
import { percent, watts } from "../format.js";

/** @typedef {import("../types").Device} Device */
/** @typedef {"idle" | "context" | "active" | "unattributed"} Component */

/** @type {Component[]} */
const COMPONENTS = ["idle", "context", "active", "unattributed"];

/** The power against the limit. */
export function limitBar() {
  const fill = el("span", { class: "meter-fill" });
  const bar = el("span", { class: "meter", role: "meter", "aria-label": "Power of its limit", "aria-valuemin": "0" }, fill);
  const words = el("span", { class: "meter-words quiet" });
  const root = el("div", { class: "limit" }, bar, words);
  /** @param {Device} device */
  const showDevice = ({ power_w, power_limit_w }) => {
    show(bar, power_limit_w !== null);
    if (power_limit_w === null) return text(words, "");
    const part = power_w === null ? 0 : Math.min(1, power_w / power_limit_w);
    // A width would have the page laid out anew.
    fill.style.transform = `scaleX(${part.toFixed(3)})`;
    set(bar, "aria-valuemax", power_limit_w);
    set(bar, "aria-valuenow", power_w === null ? null : power_w);
    set(bar, "aria-valuetext", `${percent(power_w === null ? null : part)} of ${watts(power_limit_w)}`);
    text(words, `${power_w === null ? "–" : `${Math.round(100 * part)} %`} of ${Math.round(power_limit_w)} W`);
  };
  return { root, show: showDevice };
}

/** Idle, context, active and unattributed of the newest window, side by side. */
export function componentBar() {
  const parts = COMPONENTS.map((key) => el("span", { class: `part part-${key}` }));
  const root = el("div", { class: "components", role: "img" }, ...parts);
  /** @param {Device} device */
  const showDevice = ({ window: newest, up }) => {
    root.classList.toggle("none", !newest || !up);
    COMPONENTS.forEach((key, i) => {
      const power_w = newest?.components_w[key] ?? 0;
      const part = /** @type {HTMLElement} */ (parts[i]);
      part.style.flexGrow = String(Math.max(0, power_w));
      show(part, power_w > 0);
    });
    const words = COMPONENTS.map((key) => `${key} ${watts(newest?.components_w[key])}`).join(", ");
    set(root, "aria-label", newest ? `Of ${watts(newest.mean_w)}: ${words}` : "Where its power goes is not known yet");
    set(root, "title", newest ? words : null);
  };
  return { root, show: showDevice };
}
