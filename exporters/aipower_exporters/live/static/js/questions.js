// Which questions the page asks, as parameters of the API.

import { seriesKey } from "./charts/series.js";

/** @typedef {import("./store.js").State} State */
/** @typedef {import("./view.js").View} View */

/** @type {Record<number, number>} */
const STEPS_S = { 300: 1, 900: 3, 3600: 10, 21600: 60 };
const FINE_STEPS_S = [1, 2, 5, 10, 30, 60];
/** About as many as a wide chart can show. */
const MOST_FINE_STEPS = 600;

/** @param {View} view */
export function stepOf(view) {
  return STEPS_S[view.range_s] ?? 60;
}

/** @param {View} view */
export function historyKey(view) {
  return seriesKey(view, stepOf(view));
}

/**
 * The step that a zoom asks for; null where it would be no finer than what is there.
 * @param {View} view
 */
export function zoomStep(view) {
  if (!view.zoom) return null;
  const span_s = view.zoom[1] - view.zoom[0];
  const step_s = FINE_STEPS_S.find((one) => span_s / one <= MOST_FINE_STEPS) ?? 60;
  return step_s < stepOf(view) ? step_s : null;
}

/** @param {View} view */
export function zoomKey(view) {
  const step_s = zoomStep(view);
  return step_s === null ? null : `${seriesKey(view, step_s)}|${view.zoom?.join("|")}`;
}

/**
 * @param {URLSearchParams} query
 * @param {View} view
 * @param {number} step_s
 */
function chartOf(query, view, step_s) {
  query.set("by", view.by);
  query.set("step", String(step_s));
  if (view.devices.length) query.set("device", view.devices.join(","));
}

/**
 * The poll. It goes on with the steps of the chart where they have begun, and where they are of the devices that it
 * asks the readings of: those of all devices, for their cards.
 * @param {State} state
 * @param {string[]} include
 */
export function liveQuestion(state, include) {
  const query = new URLSearchParams({ include: include.join(",") });
  const { history, power, view } = state;
  const apart = apartDevices(state);
  if (apart) query.set("device", apart.join(","));
  if (power.next !== null) query.set("after", String(power.next));
  if (history && !apart && !view.devices.length) {
    chartOf(query, view, history.step_s);
    query.set("history_after", String(history.next));
  }
  return query;
}

/**
 * All devices, where some of them are not of those whose readings the agent tells unasked.
 * @param {State} state
 */
function apartDevices({ snapshot }) {
  const devices = snapshot?.devices ?? [];
  return devices.every((device) => device.summed) ? null : devices.map((device) => device.id);
}

/**
 * The steps that the poll cannot go on with; null where it can.
 * @param {State} state
 */
export function stepsQuestion(state) {
  const { history, view } = state;
  if (!history) return historyQuestion(view);
  if (!view.devices.length && !apartDevices(state)) return null;
  const query = new URLSearchParams({ from: String(history.next) });
  chartOf(query, view, history.step_s);
  return query;
}

/** @param {View} view */
export function historyQuestion(view) {
  const query = new URLSearchParams({ from: String(-view.range_s) });
  chartOf(query, view, stepOf(view));
  return query;
}

/**
 * @param {View} view that has a zoom
 * @param {number} step_s
 */
export function zoomQuestion(view, step_s) {
  const [from, to] = view.zoom ?? [0, 0];
  const query = new URLSearchParams({ from: String(Math.floor(from / step_s) * step_s), to: String(to) });
  chartOf(query, view, step_s);
  return query;
}
