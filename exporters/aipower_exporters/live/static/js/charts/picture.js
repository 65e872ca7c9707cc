// What the chart draws, worked out from the state; nothing here touches the page.

import { zoomKey } from "../questions.js";
import { deviceLabel, scopeOf } from "./scope.js";
import { firstAt } from "./series.js";
import { readings } from "./total.js";

/** @typedef {import("./series.js").Series} Series */
/** @typedef {import("./series.js").Values} Values */
/** @typedef {import("../store.js").State} State */
/**
 * @typedef {object} PictureLayer
 * @property {string} key
 * @property {string} label
 * @property {string} color as in a style sheet
 * @property {boolean} hidden
 * @property {Values} mean_w
 * @property {Values} half_w
 * @property {Values} tops upper edge: the layers below and this one
 */
/**
 * @typedef {object} Picture
 * @property {[number, number]} span what is in sight, unix seconds
 * @property {Series | null} series
 * @property {PictureLayer[]} layers from the bottom up
 * @property {boolean} full whether `line` has every reading; else the mean of each step
 * @property {[number[], Values]} line
 * @property {number} top_w the highest value in sight
 */

const FULL_RATE_S = 330;
/** A reading counts as missed after as many intervals. */
const SILENT_INTERVALS = 3;
const LEAST_SILENCE_S = 2.5;

const BOTTOM = ["idle", "unattributed", "context", "active"];
const TOP = ["other", "others"];
const LABELS = new Map([
  ["idle", "Idle"], ["context", "Context"], ["active", "Active"], ["unattributed", "Unattributed"], ["other", "Other processes"],
  ["others", "Other processes"],
]);

/**
 * @param {State} state
 * @param {import("../palette.js").Palette} palette
 * @returns {Picture}
 */
export function pictureOf(state, palette) {
  const span = spanOf(state);
  const series = state.zoomed && state.zoomed.key === zoomKey(state.view) ? state.zoomed : state.history;
  const layers = series ? layersOf(state, series, palette) : [];
  const full = isFull(state, span);
  const line = full ? fullLine(state, span) : meanLine(series);
  return { span, series, layers, full, line, top_w: topOf(line, series, layers, span, full) };
}

/**
 * @param {State} state
 * @returns {[number, number]}
 */
export function spanOf(state) {
  if (state.view.zoom) return state.view.zoom;
  const now_s = state.power.newest ?? state.snapshot?.at_unix_s ?? Date.now() / 1000;
  return [now_s - state.view.range_s, now_s];
}

/**
 * @param {State} state
 * @param {[number, number]} span
 */
function isFull(state, [from_s, to_s]) {
  const at = state.power.at;
  if (at.length === 0) return false;
  return to_s - from_s <= FULL_RATE_S && (!state.view.zoom || from_s >= /** @type {number} */ (at[0]) - 1);
}

/**
 * @param {State} state
 * @param {[number, number]} span
 */
function fullLine(state, span) {
  const ids = scopeOf(state.snapshot, state.view.devices).map((device) => device.id);
  const silence_s = Math.max(LEAST_SILENCE_S, SILENT_INTERVALS * (state.snapshot?.interval_s ?? 0));
  return readings(state.power, ids, span, silence_s);
}

/**
 * The mean of each step from its begin to its end; nothing over steps that are missing.
 * @param {Series | null} series
 * @returns {[number[], Values]}
 */
function meanLine(series) {
  /** @type {[number[], Values]} */
  const [xs, ys] = [[], []];
  (series?.start ?? []).forEach((start, i) => {
    const step_s = /** @type {Series} */ (series).step_s;
    const value = series?.mean_w[i] ?? null;
    const end = xs[xs.length - 1];
    if (end !== undefined && start - end > step_s / 2) xs.push(end + 1e-3) && ys.push(null);
    xs.push(start, start + step_s - 1e-3);
    ys.push(value, value);
  });
  return [xs, ys];
}

/**
 * @param {State} state
 * @param {Series} series
 * @param {import("../palette.js").Palette} palette
 * @returns {PictureLayer[]}
 */
function layersOf(state, series, palette) {
  const { by, hidden } = state.view;
  const devices = state.snapshot?.devices ?? [];
  const labels = new Map(devices.map((device) => [device.id, deviceLabel(device)]));
  const ranks = ranksOf(devices.map((device) => device.id));
  if (by === "process") palette.keep(by, new Set(series.layers.map((layer) => layer.key)));
  /** @type {Values} */
  let below = series.mean_w.map((mean_w) => (mean_w === null ? null : 0));
  const sorted = [...series.layers].sort((a, b) => ranks(a.key) - ranks(b.key));
  return sorted.map((layer) => {
    const off = hidden.includes(layer.key);
    const tops = off ? below : below.map((base, i) => (base === null ? null : base + (layer.mean_w[i] ?? 0)));
    below = tops;
    const label = LABELS.get(layer.key) ?? labels.get(layer.key) ?? (layer.label || layer.key);
    return { ...layer, label, color: palette.colorOf(by, layer.key), hidden: off, tops };
  });
}

/**
 * The order of the stack, whatever the order in which layers have turned up: what is nobody's lies at the bottom, the
 * rest of the processes on top.
 * @param {string[]} devices
 * @returns {(key: string) => number}
 */
function ranksOf(devices) {
  const order = new Map([...BOTTOM, ...devices, "", ...TOP].map((key, i) => [key, i]));
  const others = order.get("") ?? 0;
  return (key) => order.get(key) ?? others;
}

/**
 * @param {[number[], Values]} line
 * @param {Series | null} series
 * @param {PictureLayer[]} layers
 * @param {[number, number]} span
 * @param {boolean} full
 */
function topOf([xs, ys], series, layers, span, full) {
  let top_w = highest(xs, ys, span, 0);
  if (!series) return top_w;
  const upper = series.mean_w.map((mean_w, i) => (mean_w === null ? null : mean_w + (series.half_w[i] ?? 0)));
  top_w = highest(series.start, upper, span, series.step_s, top_w);
  if (!full) top_w = highest(series.start, series.max_w, span, series.step_s, top_w);
  const highestLayer = layers[layers.length - 1];
  return highestLayer ? highest(series.start, highestLayer.tops, span, series.step_s, top_w) : top_w;
}

/**
 * @param {number[]} xs
 * @param {Values} ys
 * @param {[number, number]} span
 * @param {number} step_s
 * @param {number} [least]
 */
function highest(xs, ys, [from_s, to_s], step_s, least = 0) {
  let found = least;
  for (let i = firstAt(xs, from_s - step_s); i < xs.length && /** @type {number} */ (xs[i]) <= to_s; i++) {
    found = Math.max(found, ys[i] ?? 0);
  }
  return found;
}
