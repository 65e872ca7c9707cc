/* The tables of the section Health: sensors, faults, and the ways out. */

import { el, text } from "../dom.js";
import { ago, count, harmless, plural } from "../format.js";
import { Table } from "../tables/table.js";
import { faultMeaning } from "./faultwords.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Device} Device */
/** @typedef {Snapshot["faults"][number]} Fault */
/** @typedef {Snapshot["sinks"][number]} Sink */

/**
 * @param {HTMLElement} cell
 * @param {boolean} up
 * @param {string} good
 * @param {string} bad
 */
function badge(cell, up, good, bad) {
  const known = cell.firstElementChild ?? cell.appendChild(el("span"));
  known.className = `badge ${up ? "good" : "bad"}`;
  text(known, up ? good : bad);
}

/**
 * @param {(device: string) => string} named
 * @param {() => Snapshot | null} snapshot
 * @returns {Table<Device>}
 */
export function sensorTable(named, snapshot) {
  const now = () => snapshot()?.at_unix_s ?? 0;
  const faults = (/** @type {Device} */ row) =>
    (snapshot()?.faults ?? []).filter((one) => one.device === row.id).reduce((sum, one) => sum + one.count, 0);
  return new Table({
    id: "sensor", caption: "Sensors of the devices", keyOf: (row) => row.id, styleOf: (row) => (row.up ? "" : "down"),
    columns: [
      { key: "id", title: "Device", style: "name", rising: true, sort: (row) => named(row.id), text: (row) => named(row.id) },
      {
        key: "up", title: "Sensor", rising: true, sort: (row) => Number(row.up), text: (row) => String(row.up),
        paint: (cell, row) => badge(cell, row.up, "up", "cannot be read"),
      },
      {
        key: "seen", title: "Last read", sort: (row) => row.seen_unix_s,
        text: (row) => (row.up ? "now" : ago(row.seen_unix_s, now())),
      },
      { key: "method", title: "Method", rank: 2, rising: true, sort: (row) => row.method, text: (row) => harmless(row.method) },
      { key: "name", title: "Product", foreign: true, rank: 3, rising: true, sort: (row) => row.name, text: (row) => harmless(row.name) },
      { key: "driver", title: "Driver", foreign: true, rank: 3, rising: true, sort: (row) => row.driver, text: (row) => harmless(row.driver) || "–" },
      { key: "faults", title: "Faults", figure: true, sort: faults, text: (row) => count(faults(row)) },
    ],
  });
}

/**
 * @param {(device: string) => string} named
 * @returns {Table<Fault>}
 */
export function faultTable(named) {
  const device = (/** @type {Fault} */ row) => (row.device ? named(row.device) : "agent");
  return new Table({
    id: "fault", caption: "Faults by device and reason", keyOf: (row) => JSON.stringify([row.device, row.reason]),
    columns: [
      { key: "device", title: "Device", style: "name", rising: true, sort: device, text: device },
      { key: "reason", title: "Fault", rising: true, sort: (row) => row.reason, text: (row) => harmless(row.reason) },
      { key: "count", title: "Times", figure: true, sort: (row) => row.count, text: (row) => count(row.count) },
      { key: "meaning", title: "What it means", rank: 2, style: "prose", text: (row) => faultMeaning(row.reason) },
    ],
  });
}

/** @param {Sink} sink */
function failures({ faults }) {
  return Object.entries(faults).map(([reason, times]) => `${harmless(reason)} ${plural(times, "time")}`).join(", ");
}

/**
 * @param {() => number} now
 * @returns {Table<Sink>}
 */
export function sinkTable(now) {
  return new Table({
    id: "sink", caption: "Ways out that the agent pushes to", keyOf: (row) => row.name, styleOf: (row) => (row.up ? "" : "down"),
    columns: [
      { key: "name", title: "Sink", foreign: true, style: "name", rising: true, sort: (row) => row.name, text: (row) => harmless(row.name) },
      {
        key: "up", title: "State", sort: (row) => Number(row.up), text: (row) => String(row.up),
        paint: (cell, row) => badge(cell, row.up, "up", "fails"),
      },
      {
        key: "pushed", title: "Last success", sort: (row) => row.pushed_unix_s,
        text: (row) => (row.pushed_unix_s ? ago(row.pushed_unix_s, now()) : "never"),
      },
      { key: "pushes", title: "Pushes", figure: true, rank: 2, sort: (row) => row.pushes, text: (row) => count(row.pushes) },
      { key: "skipped", title: "Skipped", figure: true, rank: 3, sort: (row) => row.skipped, text: (row) => count(row.skipped) },
      { key: "faults", title: "Failures", rank: 2, style: "prose", text: failures },
    ],
  });
}
