/* The columns of the table of processes. */

import { harmless } from "../format.js";
import { energyColumns, powerColumns, shareColumn, sinceColumn } from "./columns.js";
import { processName, purpose } from "./names.js";

/** @typedef {import("../types").Process} Process */
/** @typedef {import("./row.js").Column<Process>} Column */

/** @type {Column} */
const NAME = {
  key: "comm", title: "Process", foreign: true, style: "name", rising: true,
  sort: (row) => row.comm, text: (row) => (row.ended ? `${processName(row.comm)} (ended)` : processName(row.comm)),
};
/** @type {Column} */
const PID = {
  key: "pid", title: "PID", figure: true, rank: 3, style: "pid", rising: true,
  sort: (row) => row.pid, text: (row) => String(row.pid),
};
/** @type {Column} */
const USER = {
  key: "user", title: "User", foreign: true, rank: 2, rising: true,
  sort: (row) => row.user, text: (row) => harmless(row.user) || "–",
};
/** @type {Column} */
const PURPOSE = {
  key: "run", title: "Run or job", foreign: true, rank: 3, rising: true,
  hint: "The name of its run, else its job, unit or container", sort: purpose, text: (row) => purpose(row) || "–",
};
/** @type {Column} */
const METHOD = {
  key: "method", title: "Method", rank: 4, style: "method", rising: true,
  hint: "How its energy came to be: counter, integrated or estimated; the weakest of its devices",
  sort: (row) => row.method, text: (row) => harmless(row.method),
};

/**
 * @param {() => number} now the time of the agent
 * @returns {Column[]}
 */
export function processColumns(now) {
  return [NAME, PID, USER, PURPOSE, ...powerColumns(), shareColumn(), ...energyColumns(), METHOD, sinceColumn(now)];
}
