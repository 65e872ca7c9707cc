/* What a process opens into: who it is in full, and what it does on each device. */

import { el } from "../dom.js";
import { harmless, joules, moment, plusMinus, UNKNOWN, watts } from "../format.js";
import { Facts } from "./facts.js";
import { Table } from "./table.js";

/** @typedef {import("../types").Process} Process */
/** @typedef {Process["devices"][number]} Part */
/** @typedef {import("../store.js").Store} Store */

const NAMES = ["name", "pid", "user", "run", "job", "unit", "container", "energy", "method", "counts since", "state"];

/**
 * @param {(device: string) => string} named
 * @returns {import("./row.js").Column<Part>[]}
 */
function columns(named) {
  return [
    { key: "device", title: "Device", text: (part) => named(part.device) },
    { key: "power_w", title: "Power", figure: true, text: (part) => watts(part.power_w) },
    { key: "energy_j", title: "Energy", figure: true, text: (part) => joules(part.energy_j) },
    {
      key: "energy_half_j", title: "±", spoken: "interval of the energy", figure: true, style: "half",
      text: (part) => plusMinus(part.energy_half_j, "J"),
    },
  ];
}

/** @param {Process} row */
function job({ system, job: id, step }) {
  return id ? [harmless(system), harmless(id), step && `step ${harmless(step)}`].filter(Boolean).join(" ") : "";
}

/** @param {Process} row */
function run({ run: id, run_name: name }) {
  return name && name !== id ? `${harmless(name)} (${harmless(id)})` : harmless(id);
}

/**
 * @param {Process} row
 * @param {number} now_unix_s
 * @returns {Record<string, string>}
 */
function facts(row, now_unix_s) {
  return {
    name: harmless(row.comm),
    pid: String(row.pid),
    user: harmless(row.user),
    run: run(row),
    job: job(row),
    unit: harmless(row.unit),
    container: harmless(row.container),
    energy: `${joules(row.energy_j)} ${row.energy_half_j === null ? "" : plusMinus(row.energy_half_j, "J")}`.trim(),
    method: harmless(row.method),
    "counts since": row.since_unix_s ? moment(row.since_unix_s, now_unix_s) : UNKNOWN,
    state: row.ended ? "ended" : "",
  };
}

/**
 * @param {(device: string) => string} named
 * @param {() => number} now the time of the agent
 * @returns {import("./row.js").Detail<Process>}
 */
export function processDetail(named, now) {
  const list = new Facts(NAMES);
  const table = new Table({
    id: "part", caption: "Devices of the process", columns: columns(named), keyOf: (/** @type {Part} */ part) => part.device,
  });
  return {
    node: el("div", { class: "inside" }, list.node, table.node),
    update(row) {
      list.update(facts(row, now()));
      table.render(row.devices, { empty: "It has used no device yet." });
    },
  };
}
