/* The energy counters: what each device has used, and where that went. */

import { el, text } from "../dom.js";
import { harmless, joules, moment, plusMinus, wattHours } from "../format.js";
import { drawnInSight } from "../sight.js";
import { namer } from "../tables/names.js";
import { Table } from "../tables/table.js";
import { composition } from "./composition.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../types").Device} Device */
/** @typedef {import("../types").Components} Components */
/** @typedef {import("../tables/row.js").Column<Device>} Column */
/** @typedef {import("../store.js").Store} Store */

const WAITING = "Waiting for the first figures.";
const NO_DEVICES = "No sensor of this machine can be read. The section Health says what to do.";
const PARTS = /** @type {const} */ (["idle", "context", "active", "unattributed"]);
const HINTS = {
  idle: "What the bare device draws; charged to nobody",
  context: "What open contexts of processes add while they do not work",
  active: "What processes use while they work",
  unattributed: "What cannot be assigned to anybody",
};

/**
 * @param {(device: string) => string} named
 * @returns {Column[]}
 */
function columns(named) {
  /** @param {Device} row */
  const name = (row) => (row.summed ? named(row.id) : `${named(row.id)} *`);
  return [
    { key: "id", title: "Device", style: "name", rising: true, sort: name, text: name },
    { key: "name", title: "Product", foreign: true, rank: 4, rising: true, sort: (row) => row.name, text: (row) => harmless(row.name) },
    { key: "energy_j", title: "Energy", figure: true, style: "strong", sort: (row) => row.energy_j, text: (row) => joules(row.energy_j) },
    {
      key: "energy_half_j", title: "±", spoken: "interval of the energy", figure: true, rank: 2, style: "half",
      hint: "Half-width of the 95 % interval of the energy", text: (row) => plusMinus(row.energy_half_j, "J"),
    },
    ...PARTS.map(part),
    {
      key: "parts", title: "Where it went", rank: 3, style: "parts",
      text: (row) => composition.text(row.components_j), paint: (cell, row) => composition.paint(cell, row.components_j),
    },
    { key: "method", title: "Method", rank: 4, rising: true, sort: (row) => row.method, text: (row) => harmless(row.method) },
  ];
}

/**
 * @param {keyof Components} key
 * @returns {Column}
 */
function part(key) {
  return {
    key, title: key, figure: true, rank: 3, hint: HINTS[key],
    sort: (row) => row.components_j[key], text: (row) => joules(row.components_j[key]),
  };
}

/**
 * @param {Snapshot} snapshot
 * @returns {import("../tables/foot.js").Sum[]}
 */
function total({ total: all, devices }) {
  const parts = Object.fromEntries(PARTS.map((key) => [key, joules(all.components_j[key])]));
  const apart = devices.some((device) => !device.summed) ? "without those with *" : "";
  const cells = { ...parts, energy_j: joules(all.energy_j), energy_half_j: plusMinus(all.energy_half_j, "J") };
  return devices.length ? [{ name: "total", meaning: apart, style: "whole", cells }] : [];
}

/** @param {Snapshot | null} snapshot */
function lead(snapshot) {
  if (!snapshot || !snapshot.devices.length) return "";
  const since = snapshot.counters_since_unix_s;
  const words = [`${joules(snapshot.total.energy_j)} = ${wattHours(snapshot.total.energy_j)}`];
  if (since) words.push(`since ${moment(since, snapshot.at_unix_s)}`);
  const apart = snapshot.devices.some((device) => !device.summed) ? " Devices with * contain others and are in no total." : "";
  return `${words.join(" ")}. The four parts sum exactly to the energy.${apart}`;
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountEnergy(root, store) {
  const table = new Table({
    id: "counter", caption: "Energy counters of the devices",
    columns: columns(namer(() => store.state.snapshot?.devices ?? [])), keyOf: (/** @type {Device} */ row) => row.id,
    styleOf: (row) => (row.summed ? "" : "apart"),
  });
  const words = el("p", { class: "quiet aside" });
  root.append(words, table.node);
  const render = drawnInSight(root, () => {
    const { snapshot } = store.state;
    text(words, lead(snapshot));
    table.render(snapshot?.devices ?? [], { sums: snapshot ? total(snapshot) : [], empty: snapshot ? NO_DEVICES : WAITING });
  });
  store.subscribe((state, before) => {
    if (state.snapshot !== before.snapshot) render();
  });
  render();
}
