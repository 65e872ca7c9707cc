/* How things are called in tables. */

import { harmless, shortened } from "../format.js";

/** @typedef {{id: string, kind: string, index: string, name: string}} Named */
/** @typedef {import("../types").Process} Process */

const LONG_ID = 24;
const NO_NAME = "(no name)";

/** @param {string} kind */
function kindName(kind) {
  return ["gpu", "cpu", "dram"].includes(kind) ? kind.toUpperCase() : kind;
}

/**
 * Those that have a text of their own.
 * @param {string[]} texts
 */
function repeated(texts) {
  return new Set(texts.filter((text, index) => texts.indexOf(text) !== index));
}

/**
 * `GPU 0` by device id; with more words where several would be called so.
 * @param {readonly Named[]} devices
 * @returns {Map<string, string>}
 */
export function deviceNames(devices) {
  const short = devices.map((one) => harmless(`${kindName(one.kind)} ${one.index}`.trim()));
  const longer = devices.map((one, at) => harmless(`${short[at]} ${one.name.split(" (")[0]?.split(" ").at(-1) ?? ""}`));
  const twice = [repeated(short), repeated(longer)];
  return new Map(devices.map((one, at) => [one.id, unique(short[at] ?? "", longer[at] ?? "", one.id, twice)]));
}

/**
 * @param {string} short
 * @param {string} longer
 * @param {string} id
 * @param {Set<string>[]} twice
 */
function unique(short, longer, id, twice) {
  if (!twice[0]?.has(short)) return short;
  return twice[1]?.has(longer) ? `${short} ${harmless(id)}` : longer;
}

/**
 * Tells the name of a device by its id; names are worked out once for each list of devices.
 * @param {() => readonly Named[]} devices
 * @returns {(id: string) => string}
 */
export function namer(devices) {
  /** @type {readonly Named[]} */
  let known = [];
  let names = deviceNames(known);
  return (id) => {
    const now = devices();
    if (now !== known) names = deviceNames(now);
    known = now;
    return names.get(id) ?? harmless(id);
  };
}

/** @param {string} comm */
export function processName(comm) {
  return harmless(comm) || NO_NAME;
}

/**
 * What a process or job is for: the name of its run, else its job, unit or container; empty for none of them.
 * @param {Process} process
 */
export function purpose(process) {
  if (process.run_name || process.run) return harmless(process.run_name || process.run);
  if (process.job && process.system !== "none") return jobName(process);
  return harmless(process.unit) || shortened(harmless(process.container), LONG_ID);
}

/**
 * `slurm 4711.0`: the system and the id, with its step.
 * @param {{system: string, job: string, step: string}} job
 */
export function jobName({ system, job, step }) {
  const id = shortened(harmless(job), LONG_ID);
  const part = step ? `.${shortened(harmless(step), LONG_ID)}` : "";
  return `${harmless(system)} ${id}${part}`;
}
