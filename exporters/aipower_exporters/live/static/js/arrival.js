// What becomes of the state when an answer has come.

import { ordered } from "./charts/scope.js";
import { joined, seriesOf } from "./charts/series.js";
import { historyKey } from "./questions.js";

/** @typedef {import("./store.js").State} State */

/**
 * True where another agent answers than before: its counters and its history begin anew.
 * @param {State} state
 * @param {import("./types").Snapshot | null | undefined} snapshot
 */
export function restarted(state, snapshot) {
  const [old, now] = [state.snapshot?.agent_started_unix_s, snapshot?.agent_started_unix_s];
  return old != null && now != null && old !== now;
}

/**
 * @param {State} state
 * @param {import("./types").HistoryDoc} doc
 * @param {string} key of the question
 * @returns {Partial<State>} nothing where the reader has asked for something else meanwhile
 */
export function historyPatch(state, doc, key) {
  if (key !== historyKey(state.view)) return {};
  const oldest_s = doc.to_unix_s - state.view.range_s - doc.step_s;
  return { history: joined(state.history, seriesOf(doc, key), oldest_s) };
}

/**
 * @param {State} state
 * @param {import("./types").Live} live
 * @param {string} key of the history that was asked for
 * @returns {Partial<State>}
 */
export function livePatch(state, live, key) {
  if (restarted(state, live.snapshot)) state.power.interrupt();
  state.power.append(live.power);
  return {
    polls: state.polls + 1,
    ...(live.snapshot ? { snapshot: { ...live.snapshot, devices: ordered(live.snapshot.devices) } } : {}),
    ...(live.processes ? { processes: live.processes } : {}),
    ...(live.jobs ? { jobs: live.jobs } : {}),
    ...(live.history ? historyPatch(state, live.history, key) : {}),
  };
}
