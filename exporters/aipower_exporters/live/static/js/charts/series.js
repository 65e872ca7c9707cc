// The steps of a chart, as the API tells them bit by bit.

import { harmless } from "../format.js";

/** @typedef {(number | null)[]} Values */
/** @typedef {{key: string, label: string, mean_w: Values, half_w: Values}} SeriesLayer */
/**
 * @typedef {object} Series
 * @property {string} key for which question this is the answer, see `seriesKey`
 * @property {number} step_s
 * @property {number[]} start when each step begins, unix seconds
 * @property {Values} mean_w
 * @property {Values} min_w
 * @property {Values} max_w
 * @property {Values} half_w
 * @property {SeriesLayer[]} layers
 * @property {number} next
 */

/** @typedef {import("../types").HistoryDoc} HistoryDoc */

/**
 * @param {import("../view.js").View} view
 * @param {number} step_s
 */
export function seriesKey(view, step_s) {
  return [view.by, step_s, ...[...view.devices].sort()].join("|");
}

/**
 * Processes of one name are told apart by their number.
 * @param {{label: string, pid?: number | null}} layer
 */
function labelOf({ label, pid }) {
  return pid == null ? label : `${harmless(label)} ${pid}`;
}

/**
 * @param {HistoryDoc} doc
 * @param {string} key
 * @returns {Series}
 */
export function seriesOf(doc, key) {
  const { step_s, mean_w, min_w, max_w, half_w, next } = doc;
  const layers = doc.layers.map((one) => ({ key: one.key, label: labelOf(one), mean_w: one.mean_w, half_w: one.half_w }));
  return { key, step_s, start: doc.start_unix_s, mean_w, min_w, max_w, half_w, layers, next };
}

/**
 * The old steps and, from where they begin, the new ones; nothing older than `oldest_s`.
 * @param {Series | null} old
 * @param {Series} more
 * @param {number} oldest_s
 * @returns {Series}
 */
export function joined(old, more, oldest_s) {
  if (!old || old.key !== more.key || old.step_s !== more.step_s) return more;
  const first = more.start[0] ?? Infinity;
  const from = firstAt(old.start, oldest_s);
  const to = Math.max(from, firstAt(old.start, first - old.step_s / 2));
  /** @param {Values} before @param {Values} after */
  const both = (before, after) => [...before.slice(from, to), ...after];
  return {
    ...more,
    start: /** @type {number[]} */ (both(old.start, more.start)),
    mean_w: both(old.mean_w, more.mean_w),
    min_w: both(old.min_w, more.min_w),
    max_w: both(old.max_w, more.max_w),
    half_w: both(old.half_w, more.half_w),
    layers: joinedLayers(old, more, from, to),
    next: Math.max(old.next, more.next),
  };
}

/**
 * @param {Series} old
 * @param {Series} more
 * @param {number} from
 * @param {number} to
 */
function joinedLayers(old, more, from, to) {
  const keys = new Map([...old.layers, ...more.layers].map((layer) => [layer.key, layer.label]));
  const [before, after] = [old, more].map((one) => new Map(one.layers.map((layer) => [layer.key, layer])));
  const [many, few] = [blank(to - from), blank(more.start.length)];
  return [...keys].map(([key, label]) => {
    const [earlier, later] = [before?.get(key), after?.get(key)];
    return {
      key,
      label,
      mean_w: [...(earlier?.mean_w.slice(from, to) ?? many), ...(later?.mean_w ?? few)],
      half_w: [...(earlier?.half_w.slice(from, to) ?? many), ...(later?.half_w ?? few)],
    };
  }).filter((layer) => layer.mean_w.some((value) => value !== null));
}

/**
 * @param {number} count
 * @returns {Values}
 */
const blank = (count) => new Array(count).fill(null);

/**
 * The first index whose time is not before `at_s`.
 * @param {ArrayLike<number>} times
 * @param {number} at_s
 */
export function firstAt(times, at_s) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (times[middle]) < at_s) low = middle + 1;
    else high = middle;
  }
  return low;
}
