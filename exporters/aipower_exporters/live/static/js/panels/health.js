/* Whether the measurement can be trusted: sensors, faults, ways out, and what the agent itself costs. */

import { el, show, text } from "../dom.js";
import { ago, bytes, count, duration, harmless, moment, percent, plural } from "../format.js";
import { drawnInSight } from "../sight.js";
import { Facts } from "../tables/facts.js";
import { namer } from "../tables/names.js";
import { MissingList } from "./missing.js";
import { faultTable, sensorTable, sinkTable } from "./sensors.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {import("../store.js").Store} Store */

const AGENT = ["version", "started", "CPU", "memory", "rounds of reads", "late", "counters on disk", "folded series", "threads",
  "open files"];
const NO_SENSORS = "No sensor can be read. What is missing, and what to do about it, stands above.";
const NO_FAULTS = "No fault since the counters began.";
/** @type {Record<string, string>} */
const STATUS = {
  ok: "The agent samples all its sensors.",
  starting: "The agent is starting.",
  stale: "The agent has no fresh sample.",
  stopping: "The agent ends.",
};

/** @param {Snapshot} snapshot */
function rounds({ agent, interval_s: interval }) {
  const each = agent.ticks ? `, ${duration(agent.tick_s / agent.ticks)} each` : "";
  return `${count(agent.ticks)} at ${interval} s${each}`;
}

/** @param {Snapshot} snapshot */
function late({ agent }) {
  const missed = agent.missed_ticks ? `, ${plural(agent.missed_ticks, "round")} missed` : "";
  return `${duration(agent.late_s)} in all${missed}`;
}

/** @param {Snapshot} snapshot */
function journal({ journal: kept, at_unix_s: now }) {
  if (!kept) return "not kept: they begin at 0 when the agent does";
  const when = kept.written_unix_s ? `written ${ago(kept.written_unix_s, now)}` : "not written yet";
  return kept.up ? `${when}, ${bytes(kept.size_bytes)}` : `cannot be written (${when}): they would not survive a restart`;
}

/** @param {Snapshot} snapshot */
function cpu({ agent }) {
  const share = agent.cpu_share === null || agent.cpu_share === undefined ? "" : ` = ${percent(agent.cpu_share)} of a core`;
  return `${duration(agent.cpu_s)}${share}`;
}

/**
 * @param {Snapshot} snapshot
 * @returns {Record<string, string>}
 */
function agentFacts(snapshot) {
  const { agent, version, agent_started_unix_s: started, at_unix_s: now } = snapshot;
  return {
    version: harmless(version),
    started: started ? `${moment(started, now)} (${ago(started, now)})` : "",
    CPU: cpu(snapshot),
    memory: bytes(agent.resident_bytes),
    "rounds of reads": rounds(snapshot),
    late: late(snapshot),
    "counters on disk": journal(snapshot),
    "folded series": agent.folded_series ? count(agent.folded_series) : "",
    threads: count(agent.threads),
    "open files": count(agent.open_descriptors),
  };
}

/**
 * One line that says how it is.
 * @param {Snapshot | null} snapshot
 */
function condition(snapshot) {
  if (!snapshot) return "Waiting for the first figures.";
  const { condition: now, total } = snapshot;
  const words = [now.reason ? `${STATUS[now.status] ?? ""} ${harmless(now.reason)}`.trim() : (STATUS[now.status] ?? "")];
  const down = snapshot.devices.filter((device) => !device.up).length;
  if (now.status === "ok" && down) words[0] = `${plural(down, "device")} of ${count(snapshot.devices.length)} cannot be read.`;
  if (now.status === "ok" && total.devices === 0) words[0] = "The agent runs, but there is nothing that it can measure.";
  return words.join(" ");
}

class Panel {
  /** @param {Store} store */
  constructor(store) {
    const named = namer(() => store.state.snapshot?.devices ?? []);
    this.words = el("p", { class: "lead" });
    this.missing = new MissingList();
    this.sensors = sensorTable(named, () => store.state.snapshot);
    this.faults = faultTable(named);
    this.sinks = sinkTable(() => store.state.snapshot?.at_unix_s ?? 0);
    this.sinkBox = el("div", { hidden: true }, el("h3", null, "Sinks"), this.sinks.node);
    this.agent = new Facts(AGENT);
    const tables = [el("h3", null, "Sensors"), this.sensors.node, el("h3", null, "Faults"), this.faults.node];
    this.rest = el("div", { hidden: true }, this.missing.node, ...tables, this.sinkBox, el("h3", null, "The agent itself"), this.agent.node);
  }

  /** @param {Snapshot | null} snapshot */
  render(snapshot) {
    text(this.words, condition(snapshot));
    show(this.rest, snapshot !== null);
    if (!snapshot) return;
    this.missing.update(snapshot.missing);
    this.sensors.render(snapshot.devices, { empty: NO_SENSORS });
    this.faults.render(snapshot.faults.filter((fault) => fault.count > 0), { empty: NO_FAULTS });
    show(this.sinkBox, snapshot.sinks.length > 0);
    this.sinks.render(snapshot.sinks);
    this.agent.update(agentFacts(snapshot));
  }
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountHealth(root, store) {
  const panel = new Panel(store);
  root.append(panel.words, panel.rest);
  const render = drawnInSight(root, () => panel.render(store.state.snapshot));
  store.subscribe((state, before) => {
    if (state.snapshot !== before.snapshot) render();
  });
  render();
}
