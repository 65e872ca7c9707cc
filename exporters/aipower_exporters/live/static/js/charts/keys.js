// The chart's keyboard: a cursor that walks along the steps.

/**
 * @typedef {object} Walk
 * @property {() => import("./picture.js").Picture | null} picture
 * @property {() => number | null} at where the cursor stands, unix seconds
 * @property {(at_unix_s: number | null) => void} go
 * @property {() => void} reset
 */

const LEAP = 10;

/**
 * @param {string} key
 * @param {boolean} leap
 * @returns {number | null} steps to go
 */
function stepsOf(key, leap) {
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -LEAP, PageDown: LEAP, Home: -Infinity, End: Infinity };
  const found = steps[key];
  return found === undefined ? null : found * (leap ? LEAP : 1);
}

/**
 * How far the cursor goes: up to the newest reading, or where steps are drawn, to the last that is over.
 * @param {import("./picture.js").Picture} picture
 * @returns {[number, number]}
 */
function reach({ span: [from_s, to_s], series, full }) {
  const last_s = series?.start[series.start.length - 1];
  if (full || !series || last_s === undefined) return [from_s, to_s];
  return [from_s, Math.max(from_s, Math.min(to_s, last_s + series.step_s / 2))];
}

/**
 * @param {HTMLElement} box
 * @param {Walk} walk
 */
export function listen(box, walk) {
  box.addEventListener("keydown", (event) => {
    const picture = walk.picture();
    const steps = stepsOf(event.key, event.shiftKey);
    if (!picture || steps === null) return;
    event.preventDefault();
    const [from_s, to_s] = reach(picture);
    const step_s = Math.max(picture.series?.step_s ?? 1, (to_s - from_s) / 600);
    const start = walk.at() ?? (steps > 0 ? from_s : to_s);
    walk.go(Math.min(to_s, Math.max(from_s, start + steps * step_s)));
  });
  box.addEventListener("blur", () => walk.go(null));
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key !== "Escape" || typing) return;
    walk.go(null);
    walk.reset();
  });
}
