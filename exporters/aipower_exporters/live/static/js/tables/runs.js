/* Runs that go on, and those that have ended, with a link to the report of each. */

import { el, show, text } from "../dom.js";
import { bracket, duration, harmless, joules, moment, UNKNOWN, watts } from "../format.js";
import { drawnInSight } from "../sight.js";
import { linked } from "./columns.js";
import { printWhole } from "./printing.js";
import { Table } from "./table.js";

/** @typedef {import("../types").Runs} Runs */
/** @typedef {Runs["runs"][number]} Run */
/** @typedef {import("./row.js").Column<Run>} Column */
/** @typedef {import("../store.js").Store} Store */

const WAITING = "Waiting for the list of runs.";
const NO_RUNS = "No run yet. Begin one with: aipower run -- COMMAND";
/** What the agent says where the setting asks for it; it has no remedy of its own. */
const ASKED_FOR = /^run_records is none/;
const REMEDY = "With run_records = \"auto\" or a folder, runs that have ended are listed with their reports.";
/** @type {Record<Run["state"], string>} */
const STATES = { going: "in progress", ended: "ended", killed: "killed" };

/** @param {Run} row */
function nameOf(row) {
  return harmless(row.name || row.run_id) || "(no name)";
}

/**
 * How it has ended: its exit code where it is known.
 * @param {Run} row
 */
function ending(row) {
  const code = row.exit_code;
  return row.state === "going" || code === null || code === undefined ? UNKNOWN : String(code);
}

/** @param {Run} row */
function quality(row) {
  if (row.state === "killed" || (row.exit_code ?? 0) !== 0) return "bad";
  return row.state === "going" ? "good" : "";
}

/**
 * @param {HTMLElement} cell
 * @param {Run} row
 */
function badge(cell, row) {
  const known = cell.firstElementChild ?? cell.appendChild(el("span"));
  known.className = `badge ${quality(row)}`;
  text(known, STATES[row.state] ?? harmless(row.state));
}

/** @type {Column[]} */
const WHO = [
  {
    key: "name", title: "Run", foreign: true, style: "name", rising: true, sort: nameOf, text: nameOf,
    paint: (cell, row, shown) => linked(cell, shown, row.report),
  },
  { key: "user", title: "User", foreign: true, rank: 3, rising: true, sort: (row) => row.user, text: (row) => harmless(row.user) || "–" },
  { key: "state", title: "State", rank: 2, rising: true, sort: (row) => row.state, text: (row) => `${row.state} ${row.exit_code}`, paint: badge },
  { key: "exit_code", title: "Exit code", figure: true, rank: 4, sort: (row) => row.exit_code, text: ending },
];
/** @type {Column[]} */
const FIGURES = [
  { key: "power_w", title: "Power", figure: true, rank: 2, sort: (row) => row.power_w, text: (row) => watts(row.power_w) },
  { key: "wall_s", title: "Duration", figure: true, rank: 2, sort: (row) => row.wall_s, text: (row) => duration(row.wall_s) },
  { key: "energy_j", title: "Energy", figure: true, style: "strong", sort: (row) => row.energy_j, text: (row) => joules(row.energy_j) },
  { key: "interval_j", title: "95 % interval", figure: true, rank: 3, style: "half", text: (row) => bracket(row.interval_j, "J") },
];

/**
 * @param {() => number} now
 * @returns {Column[]}
 */
function columns(now) {
  /** @type {Column} */
  const begun = {
    key: "started_unix_s", title: "Started", rank: 3, style: "time",
    sort: (row) => row.started_unix_s, text: (row) => moment(row.started_unix_s, now()),
  };
  return [...WHO, ...FIGURES, begun];
}

/**
 * Those in progress first, then the newest.
 * @param {readonly Run[]} runs
 */
function ordered(runs) {
  const going = (/** @type {Run} */ row) => Number(row.state === "going");
  return [...runs].sort((left, right) => going(right) - going(left) || (right.started_unix_s ?? 0) - (left.started_unix_s ?? 0));
}

/**
 * Why no records are shown, and what to do about it.
 * @param {Runs} runs
 */
function noRecords({ hidden }) {
  const why = harmless(hidden).replace(/^runs: no reports, /, "");
  const told = `Records of runs are not shown here${why.startsWith("as ") ? ", " : ": "}${why}.`;
  return ASKED_FOR.test(why) ? `${told} ${REMEDY}` : told;
}

/** @param {Runs | null} runs */
function reason(runs) {
  if (!runs) return WAITING;
  return runs.records ? NO_RUNS : noRecords(runs);
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountRuns(root, store) {
  const table = new Table({
    id: "run", caption: "Runs in progress and recent ones", columns: columns(() => store.state.runs?.at_unix_s ?? 0),
    keyOf: (/** @type {Run} */ row) => row.run_id,
  });
  const note = el("p", { class: "quiet aside", hidden: true });
  root.append(table.node, note);
  const render = drawnInSight(root, () => {
    const { runs } = store.state;
    table.render(ordered(runs?.runs ?? []), { empty: reason(runs) });
    show(note, Boolean(runs && !runs.records && runs.runs.length));
    text(note, runs && !runs.records ? noRecords(runs) : "");
  });
  printWhole(table);
  store.subscribe((state, before) => {
    if (state.runs !== before.runs) render();
  });
  render();
}
