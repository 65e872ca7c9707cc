// What the chart shows at one time: for the legend, the pointer and the screen reader.

import { firstAt } from "./series.js";

/** @typedef {import("./picture.js").Picture} Picture */
/**
 * @typedef {object} Instant
 * @property {number} at_unix_s
 * @property {number | null} total_w the reading, or the mean of the step
 * @property {number | null} mean_w of the step
 * @property {number | null} half_w of the 95 % interval of the mean
 * @property {number | null} min_w
 * @property {number | null} max_w
 * @property {Map<string, {power_w: number | null, half_w: number | null}>} layers by key
 */

/**
 * @param {Picture} picture
 * @param {number} at_unix_s
 * @returns {Instant}
 */
export function instantAt(picture, at_unix_s) {
  const { series } = picture;
  const i = series ? stepAt(series, at_unix_s) : -1;
  /** @param {import("./series.js").Values} values */
  const value = (values) => (i < 0 ? null : (values[i] ?? null));
  const mean_w = series ? value(series.mean_w) : null;
  return {
    at_unix_s,
    total_w: picture.full ? nearest(picture.line, at_unix_s) : mean_w,
    mean_w,
    half_w: series ? value(series.half_w) : null,
    min_w: series ? value(series.min_w) : null,
    max_w: series ? value(series.max_w) : null,
    layers: new Map(picture.layers.map((one) => [one.key, { power_w: value(one.mean_w), half_w: value(one.half_w) }])),
  };
}

/**
 * The newest step that is complete, with the newest reading.
 * @param {Picture} picture
 * @returns {Instant | null}
 */
export function newest(picture) {
  const { series, line: [xs, ys] } = picture;
  const start = series?.start[series.start.length - 1];
  const last = xs.length - 1;
  if (start === undefined || !series) {
    return last < 0 ? null : instantAt(picture, /** @type {number} */ (xs[last]));
  }
  const instant = instantAt(picture, start + series.step_s / 2);
  return { ...instant, total_w: picture.full ? (ys[last] ?? null) : instant.mean_w };
}

/**
 * The step that `at_unix_s` lies in; -1 where there is none.
 * @param {import("./series.js").Series} series
 * @param {number} at_unix_s
 */
function stepAt(series, at_unix_s) {
  const i = firstAt(series.start, at_unix_s + 1e-6) - 1;
  const start = series.start[i];
  return start !== undefined && at_unix_s < start + series.step_s ? i : -1;
}

/**
 * @param {[number[], (number | null)[]]} line
 * @param {number} at_unix_s
 */
function nearest([xs, ys], at_unix_s) {
  const after = Math.min(firstAt(xs, at_unix_s), xs.length - 1);
  const before = Math.max(0, after - 1);
  const closer = Math.abs((xs[before] ?? NaN) - at_unix_s) <= Math.abs((xs[after] ?? NaN) - at_unix_s) ? before : after;
  return ys[closer] ?? null;
}
