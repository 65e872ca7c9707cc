/* Who draws which power: the table of processes, with the accounts that complete the sum. */

import { count } from "../format.js";
import { drawnInSight } from "../sight.js";
import { sums } from "./accounts.js";
import { divide, Filter } from "./filter.js";
import { namer, processName } from "./names.js";
import { processColumns } from "./processcolumns.js";
import { processDetail } from "./processdetail.js";
import { printWhole } from "./printing.js";
import { Table } from "./table.js";

/** @typedef {import("../types").Process} Process */
/** @typedef {import("../types").Processes} Processes */
/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").State} State */

const WAITING = "Waiting for the first figures.";
const NONE_FIT = "No process fits the filter. Escape in the filter clears it.";
const NO_SENSOR = "No sensor of this machine can be read, so no process has a power. The section Health says what to do.";
const NOBODY = "No process has used a device since the counters began. What is drawn is idle power. A process has a row once it "
  + "holds a context on a GPU or uses CPU time that is measured.";

/** @type {Snapshot["devices"]} */
const NO_DEVICES = [];

/**
 * Why there is no row.
 * @param {State} state
 */
function reason({ snapshot, processes }) {
  if (!processes) return WAITING;
  if (processes.processes.length) return NONE_FIT;
  return snapshot && snapshot.total.devices === 0 ? NO_SENSOR : NOBODY;
}

/**
 * @param {Processes} doc
 * @param {number} shown
 */
function told(doc, shown) {
  const all = doc.processes.length;
  return shown === all ? `${count(all + doc.more)} in all` : `${count(shown)} of ${count(all + doc.more)}`;
}

/**
 * True where the table has something new to show.
 * @param {State} state
 * @param {State} before
 */
function changed(state, before) {
  const { view } = state;
  if (state.processes !== before.processes || state.snapshot?.total.devices !== before.snapshot?.total.devices) return true;
  return view.processFilter !== before.view.processFilter || view.processSort !== before.view.processSort;
}

/**
 * False where no device was ever measured: then there is no whole that rows could sum to.
 * @param {Processes} doc
 */
function measured({ total_w, total_j }) {
  return total_w !== null || total_j > 0;
}

/** @param {Store} store */
function build(store) {
  const now = () => store.state.processes?.at_unix_s ?? 0;
  const named = namer(() => store.state.snapshot?.devices ?? NO_DEVICES);
  return new Table({
    id: "process",
    caption: "Processes and the power that they cause",
    columns: processColumns(now),
    keyOf: (/** @type {Process} */ row) => `${row.pid}-${row.started_ticks}`,
    styleOf: (row) => (row.ended ? "ended" : ""),
    nameOf: (row) => `${processName(row.comm)}, pid ${row.pid}`,
    detail: () => processDetail(named, now),
    onSort: (sort) => store.look({ processSort: sort }),
  });
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountProcesses(root, store) {
  const filter = new Filter((words) => store.look({ processFilter: words }));
  const table = build(store);
  root.append(filter.node, table.node);
  const render = drawnInSight(root, () => {
    const { processes, view } = store.state;
    const { shown, hidden } = divide(processes?.processes ?? [], view.processFilter);
    filter.update(view.processFilter, processes ? told(processes, shown.length) : "");
    const foot = processes && measured(processes) ? sums(processes, hidden) : [];
    table.render(shown, { sort: view.processSort, sums: foot, empty: reason(store.state) });
  });
  printWhole(table);
  store.subscribe((state, before) => {
    if (changed(state, before)) render();
  });
  render();
}
