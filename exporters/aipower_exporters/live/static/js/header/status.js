// Whether what is shown is true now, in words.

import { clock, duration } from "../format.js";

/** @typedef {import("../store.js").State} State */
/** @typedef {{mark: "live" | "warn" | "bad" | "none", words: string}} Status */

/** @type {Status} */
const LIVE = { mark: "live", words: "Live" };
/** @type {Status} */
const DOWN = { mark: "warn", words: "Live; not all devices are up" };

/**
 * @param {State} state
 * @param {number} now_ms
 * @returns {Status}
 */
export function statusOf(state, now_ms) {
  const { connection, snapshot, view } = state;
  if (connection.status === "lost") return { mark: "bad", words: `No connection for ${age(now_ms - connection.since_ms)}; trying again` };
  if (connection.status === "refused") return { mark: "bad", words: `Access refused: ${connection.error}` };
  if (connection.status === "connecting") return { mark: "none", words: connection.error || "Connecting" };
  if (view.paused) return { mark: "none", words: `Paused at ${clock(snapshot?.at_unix_s)}` };
  return conditionOf(snapshot);
}

/**
 * Whole seconds: tenths would only flicker.
 * @param {number} span_ms
 */
function age(span_ms) {
  const span_s = Math.max(0, Math.round(span_ms / 1000));
  return span_s < 60 ? `${span_s} s` : duration(span_s);
}

/**
 * @param {State["snapshot"]} snapshot
 * @returns {Status}
 */
function conditionOf(snapshot) {
  if (!snapshot) return { mark: "none", words: "Connecting" };
  const { status, reason } = snapshot.condition;
  if (status === "ok") return snapshot.total.up < snapshot.total.devices ? DOWN : LIVE;
  const words = { starting: "Starting", stale: "Figures are old", stopping: "The agent is stopping" }[status];
  return { mark: status === "stale" ? "bad" : "warn", words: reason ? `${words}: ${reason}` : words };
}
