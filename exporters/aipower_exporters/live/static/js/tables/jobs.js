/* What each job draws and has used, and how long it held GPUs without using them. */

import { el } from "../dom.js";
import { duration, harmless, joules } from "../format.js";
import { drawnInSight } from "../sight.js";
import { energyColumns, powerColumns, shareColumn, sinceColumn } from "./columns.js";
import { Facts } from "./facts.js";
import { jobName, namer } from "./names.js";
import { printWhole } from "./printing.js";
import { Table } from "./table.js";

/** @typedef {import("../types").Jobs} Jobs */
/** @typedef {Jobs["jobs"][number]} Job */
/** @typedef {Job["devices"][number]} Part */
/** @typedef {import("./row.js").Column<Job>} Column */
/** @typedef {import("../store.js").Store} Store */

const WAITING = "Waiting for the first figures.";
const NO_JOBS = "No job has used a device since the counters began. Jobs of Slurm, pods, containers and systemd units have rows as "
  + "soon as one of their processes does.";
const FACTS = ["system", "id", "step", "name", "user", "team", "account", "partition", "namespace", "pod", "state"];
const NO_JOB = "in no job";

/** @param {Job} row */
function nameOf(row) {
  if (row.system === "none") return NO_JOB;
  if (row.system === "other" && !row.job) return "other jobs";
  return harmless(row.name) || jobName(row);
}

/** @param {Job} row */
function owner({ user, team }) {
  return [harmless(user) || "–", harmless(team)].filter(Boolean).join(" / ");
}

/** @param {Job} row */
function idOf(row) {
  return row.system === "none" || !row.job ? "–" : jobName(row);
}

/** @type {Column[]} */
const WHO = [
  {
    key: "name", title: "Job", foreign: true, style: "name", rising: true,
    sort: nameOf, text: (row) => (row.ended ? `${nameOf(row)} (ended)` : nameOf(row)),
  },
  { key: "job", title: "System and id", foreign: true, rank: 3, rising: true, sort: idOf, text: idOf },
  { key: "user", title: "User, team", foreign: true, rank: 2, rising: true, sort: (row) => row.user, text: owner },
  {
    key: "processes", title: "Procs", spoken: "Processes", figure: true, rank: 4, hint: "Processes that it has now",
    sort: (row) => row.processes, text: (row) => String(row.processes),
  },
];
/** @type {Column[]} */
const HELD = [
  {
    key: "held_s", title: "GPU held", figure: true, rank: 3, hint: "GPU time for which the job held devices, all of them added up",
    sort: (row) => row.held_s, text: (row) => duration(row.held_s),
  },
  {
    key: "unused_s", title: "unused", spoken: "GPU time held and not used", figure: true, rank: 3,
    hint: "Of the time held: none of its processes was seen at work there", sort: (row) => row.unused_s,
    text: (row) => duration(row.unused_s),
    paint: (cell, row, shown) => {
      cell.textContent = shown;
      cell.classList.toggle("much", row.held_s >= 60 && row.unused_s > row.held_s / 2);
    },
  },
];

/**
 * @param {(device: string) => string} named
 * @returns {import("./row.js").Detail<Job>}
 */
function detail(named) {
  const list = new Facts(FACTS);
  /** @type {Table<Part>} */
  const table = new Table({
    id: "job-part", caption: "Devices of the job", keyOf: (part) => part.device,
    columns: [
      { key: "device", title: "Device", text: (part) => named(part.device) },
      { key: "energy_j", title: "Energy", figure: true, text: (part) => joules(part.energy_j) },
    ],
  });
  return {
    node: el("div", { class: "inside" }, list.node, table.node),
    update(row) {
      list.update(facts(row));
      table.render(row.devices, { empty: "It has used no device yet." });
    },
  };
}

/**
 * @param {Job} row
 * @returns {Record<string, string>}
 */
function facts(row) {
  const { system, job, step, name, user, team, account, partition, namespace, pod } = row;
  const told = Object.entries({ system, id: job, step, name, user, team, account, partition, namespace, pod });
  return { ...Object.fromEntries(told.map(([key, value]) => [key, harmless(value)])), state: row.ended ? "ended" : "" };
}

/** @param {Store} store */
function build(store) {
  const now = () => store.state.jobs?.at_unix_s ?? 0;
  const named = namer(() => store.state.snapshot?.devices ?? NO_DEVICES);
  return new Table({
    id: "job",
    caption: "Jobs and the power that they cause",
    columns: [...WHO, ...powerColumns(), shareColumn(), ...energyColumns(), ...HELD, sinceColumn(now)],
    keyOf: (/** @type {Job} */ row) => JSON.stringify([row.system, row.job, row.step, row.user]),
    styleOf: (row) => (row.ended ? "ended" : ""),
    nameOf,
    detail: () => detail(named),
    onSort: (sort) => store.look({ jobSort: sort }),
  });
}

/** @type {import("../types").Snapshot["devices"]} */
const NO_DEVICES = [];

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountJobs(root, store) {
  const table = build(store);
  root.append(table.node);
  const render = drawnInSight(root, () => {
    const { jobs, view } = store.state;
    table.render(jobs?.jobs ?? [], { sort: view.jobSort, empty: jobs ? NO_JOBS : WAITING });
  });
  printWhole(table);
  store.subscribe((state, before) => {
    if (state.jobs !== before.jobs || state.view.jobSort !== before.view.jobSort) render();
  });
  render();
}
