/* The rows that complete the sum of the processes: what is no process, what is not listed, and the whole. */

import { joules, percent, plural, watts } from "../format.js";

/** @typedef {import("../types").Process} Process */
/** @typedef {import("../types").Processes} Processes */
/** @typedef {import("./foot.js").Sum} Sum */
/** @typedef {{power_w: number | null, energy_j: number}} Amount */

const MEANINGS = new Map([
  ["idle", "what the bare devices draw; charged to nobody"],
  ["unattributed", "what cannot be assigned; never spread"],
  ["other", "processes without rows of their own"],
  ["ended", "processes that have ended, no longer listed"],
]);

/**
 * @param {readonly {power_w?: number | null, energy_j: number}[]} parts
 * @returns {Amount}
 */
function added(parts) {
  const known = parts.filter((part) => part.power_w !== null && part.power_w !== undefined);
  return {
    power_w: known.length ? known.reduce((sum, part) => sum + (part.power_w ?? 0), 0) : null,
    energy_j: parts.reduce((sum, part) => sum + part.energy_j, 0),
  };
}

/**
 * @param {string} name
 * @param {string} meaning
 * @param {Amount} amount
 * @param {number | null | undefined} total_w
 * @returns {Sum}
 */
function sum(name, meaning, amount, total_w) {
  const share = total_w && amount.power_w !== null ? amount.power_w / total_w : null;
  const cells = { power_w: watts(amount.power_w), share: percent(share), energy_j: joules(amount.energy_j) };
  return { name, meaning, cells };
}

/**
 * What the answer's limit has left off: the whole without all that was told.
 * @param {Processes} doc
 * @returns {Amount}
 */
function left(doc) {
  const told = added([...doc.processes, ...doc.accounts]);
  return {
    power_w: doc.total_w === null || doc.total_w === undefined ? null : Math.max(0, doc.total_w - (told.power_w ?? 0)),
    energy_j: Math.max(0, doc.total_j - told.energy_j),
  };
}

/**
 * The foot of the table: with its rows it sums to the whole.
 * @param {Processes} doc
 * @param {readonly Process[]} hidden those that the filter hides
 * @returns {Sum[]}
 */
export function sums(doc, hidden) {
  const { total_w } = doc;
  const found = doc.accounts.map((one) =>
    sum(one.name, MEANINGS.get(one.name) ?? "", { power_w: one.power_w ?? null, energy_j: one.energy_j }, total_w));
  if (hidden.length) found.unshift(sum("hidden", `${plural(hidden.length, "process")} that the filter hides`, added(hidden), total_w));
  if (doc.more) found.push(sum("not listed", `${plural(doc.more, "process")} beyond the longest list`, left(doc), total_w));
  const whole = sum("total", "", { power_w: total_w ?? null, energy_j: doc.total_j }, total_w);
  return [...found, { ...whole, style: "whole" }];
}
