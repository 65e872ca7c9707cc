// The documents of the JSON API. Made from openapi.json: `python tests/javascript/declarations.py`.
// Names carry the units: _w watts, _j joules, _s seconds, _unix_s seconds since 1970, _g grams of CO2 equivalent.

/** What no process of the list has. */
export interface Account {
  /** other: processes without an account of their own; ended: those whose accounts were withdrawn. */
  name: "ended" | "idle" | "other" | "unattributed";
  /** Power in the newest windows. [W] */
  power_w: number | null;
  /** Energy used since the account began. [J] */
  energy_j: number;
}

/** The agent's own cost and health. */
export interface AgentCost {
  /** CPU time since the start. [s] */
  cpu_s: number;
  /** CPU time since the start over the time since then: cores. [1] */
  cpu_share: number | null;
  /** Memory. [B] */
  resident_bytes: number;
  /** Times that the sensors were read. */
  ticks: number;
  /** Times that they should have been and were not. */
  missed_ticks: number;
  /** Seconds by which ticks began late, summed. [s] */
  late_s: number;
  /** Seconds spent in ticks, summed. [s] */
  tick_s: number;
  /** Accounts of processes that were withdrawn. */
  folded_series: number;
  /** Threads; 0 where nobody has counted. */
  threads: number;
  /** Open files and sockets; 0 where nobody has counted. */
  open_descriptors: number;
}

/** Whether the agent does its work. */
export interface Condition {
  /** In one word. */
  status: "ok" | "stale" | "starting" | "stopping";
  /** Why not, for people; empty while all is well. */
  reason: string;
  /** Age of the newest sample; null before the first. [s] */
  sample_age_s: number | null;
}

/** One thing that draws power and has its own sensor. */
export interface Device {
  /** Stable over restarts: the UUID of a GPU, the name of a powercap zone. */
  id: string;
  /** What it is. */
  kind: "cpu" | "dram" | "gpu" | "module" | "node" | "psys";
  /** The product, for people. */
  name: string;
  /** NVML's index, or the number of the socket. */
  index: string;
  /** Id of the device that it belongs to. */
  parent: string | null;
  /** True where it is part of the total: kinds gpu, cpu and dram. */
  summed: boolean;
  /** The UUID, empty where it has none. */
  uuid: string;
  /** Version of the driver, empty where it is not known. */
  driver: string;
  /** How its energy is found. */
  method: "counter" | "estimated" | "integrated";
  /** False while its sensor fails. */
  up: boolean;
  /** Power now; null while the sensor fails. [W] */
  power_w: number | null;
  /** Half-width of the 95 % interval of the power. [W] */
  power_half_w: number | null;
  /** The most that it may draw; null where it does not say. [W] */
  power_limit_w: number | null;
  /** Idle power that was learned; null before. [W] */
  idle_w: number | null;
  /** Energy since the counters began. [J] */
  energy_j: number;
  /** Half-width of the 95 % interval of the energy. [J] */
  energy_half_j: number | null;
  /** Where the energy went. */
  components_j: EnergyParts;
  /** When its sensor was last up. [s since 1970-01-01T00:00:00Z] */
  seen_unix_s: number;
  /** Null while the sensor fails and where there has been none of late. */
  window: Window | null;
}

/** Where an energy went; the four sum to it exactly. */
export interface EnergyParts {
  /** What the bare devices draw. [J] */
  idle: number;
  /** What open GPU contexts add. [J] */
  context: number;
  /** What work adds. [J] */
  active: number;
  /** What cannot be assigned to a process. [J] */
  unattributed: number;
}

/** Why there is no answer. */
export interface Error {
  /** One line for people: what is wrong and what to do. */
  error: string;
}

/** Something that went wrong. */
export interface Fault {
  /** Id of the device; empty where it concerns none. */
  device: string;
  /** A short stable word. */
  reason: string;
  /** Times that it happened. */
  count: number;
}

/** Cost and greenhouse gas of the total; the intervals are the energy's, all else is taken as exact. */
export interface Footprint {
  /** Of the cost, as in EUR; empty where no price is configured. */
  currency: string;
  /** Price of a kilowatt-hour. */
  price_per_kwh: number | null;
  /** Power usage effectiveness of the building, by which all is multiplied. */
  pue: number;
  /** CO2 equivalent of a kilowatt-hour. [g CO2 equivalent] */
  intensity_g_per_kwh: number | null;
  /** ISO 3166-1 alpha-3 code of the country; empty where an intensity is configured. */
  zone: string;
  /** Where the intensity comes from. */
  source: string;
  /** What an hour at the power of now costs. */
  cost_per_h: number | null;
  /** Cost of the energy since the counters began. */
  cost: number | null;
  /** 95 % interval of the cost. */
  cost_interval: [number, number] | null;
  /** CO2 equivalent of an hour at the power of now. [g CO2 equivalent] */
  co2e_g_per_h: number | null;
  /** CO2 equivalent of the energy since the counters began. [g CO2 equivalent] */
  co2e_g: number | null;
  /** 95 % interval of the CO2 equivalent. */
  co2e_interval_g: [number, number] | null;
}

/** Mean power of some devices together; the layers sum to the mean where both are known. */
export interface HistoryDoc {
  /** From when on; later than asked where nothing older is kept. [s since 1970-01-01T00:00:00Z] */
  from_unix_s: number;
  /** Until when. [s since 1970-01-01T00:00:00Z] */
  to_unix_s: number;
  /** Length of a step. [s] */
  step_s: number;
  /** What the layers are. */
  by: "component" | "device" | "process";
  /** The devices that are summed. */
  devices: string[];
  /** When each step begins; only complete steps are shown. [s since 1970-01-01T00:00:00Z] */
  start_unix_s: number[];
  /** Mean power in each step; null where nothing is known. */
  mean_w: (number | null)[];
  /** The lowest power that a tick has seen in the step. */
  min_w: (number | null)[];
  /** The highest power that a tick has seen in the step. */
  max_w: (number | null)[];
  /** Half-width of the 95 % interval of the mean. */
  half_w: (number | null)[];
  /** The parts. */
  layers: HistoryLayer[];
  /** Begin of the first step that was not complete: the next `from`. [s since 1970-01-01T00:00:00Z] */
  next: number;
}

/** One part of the power. */
export interface HistoryLayer {
  /** A component, the id of a device, BOOT-PID-TICKS of a process, or others for all further ones. */
  key: string;
  /** For people. */
  label: string;
  /** Where it is a process. */
  pid: number | null;
  /** Mean power in each step; null where nothing is known. */
  mean_w: (number | null)[];
  /** Half-width of the 95 % interval of the mean. */
  half_w: (number | null)[];
}

/** What there is to ask. */
export interface Index {
  /** Name and version of this form; fields may be added, none changes its meaning. */
  schema: string;
  /** The agent's version; empty before the first sample. */
  version: string;
  /** The paths of all resources. */
  resources: string[];
}

/** All processes of one user in one step of a job. */
export interface Job {
  /** slurm, kubernetes, docker, systemd…; none: outside of jobs; other: without account. */
  system: string;
  /** Id of the job there; empty for none and other. */
  job: string;
  /** Step of the job, or container of the pod. */
  step: string;
  /** Whose processes they are. */
  user: string;
  /** Name that the job was given. */
  name: string;
  /** Team that the job says it is of. */
  team: string;
  /** Slurm's account. */
  account: string;
  /** Slurm's partition. */
  partition: string;
  /** Namespace of the pod. */
  namespace: string;
  /** Name of the pod. */
  pod: string;
  /** Processes with accounts that have not ended. */
  processes: number;
  /** Sum of the powers of its processes with accounts. [W] */
  power_w: number | null;
  /** Half-width of the 95 % interval of the power. [W] */
  power_half_w: number | null;
  /** Energy used since the account began. [J] */
  energy_j: number;
  /** Half-width of the 95 % interval of the energy. [J] */
  energy_half_j: number;
  /** GPU seconds for which it held GPUs. [s] */
  held_s: number;
  /** Of these, seconds in which none of its processes was seen at work there. [s] */
  unused_s: number;
  /** When the account began at 0; null where nobody has noted it. [s since 1970-01-01T00:00:00Z] */
  since_unix_s: number | null;
  /** True where the job is over and its account stays for a while. */
  ended: boolean;
  /** The energy by device. */
  devices: JobDevice[];
  /** The power as a share of the total of the newest windows. [1] */
  share: number | null;
  /** The energy as a share of the node's. [1] */
  energy_share: number | null;
}

/** What a job has used of one device. */
export interface JobDevice {
  /** Id of the device. */
  device: string;
  /** Energy used since the account began. [J] */
  energy_j: number;
}

/** All jobs with accounts, and by user what is in no job; those that draw most come first. */
export interface Jobs {
  /** Name and version of this form; fields may be added, none changes its meaning. */
  schema: string;
  /** Number of the snapshot that this was made of; a later one of the same agent is higher. */
  number: number;
  /** When the snapshot was taken. [s since 1970-01-01T00:00:00Z] */
  at_unix_s: number;
  /** One for each user in each step. */
  jobs: Job[];
}

/** How the counters are kept on disk. */
export interface Journal {
  /** False while they cannot be written. */
  up: boolean;
  /** When the newest counters on disk were taken. [s since 1970-01-01T00:00:00Z] */
  written_unix_s: number | null;
  /** Size of what was written last. [B] */
  size_bytes: number;
  /** Times that they were written. */
  flushes: number;
}

/** Several documents at once; null where one was not asked for. */
export interface Live {
  /** With include=snapshot, which is the default. */
  snapshot: Snapshot | null;
  /** What ticks have read after `after`. */
  power: Power;
  /** With include=history, or where step, by or history_after is given. */
  history: HistoryDoc | null;
  /** With include=processes. */
  processes: Processes | null;
  /** With include=jobs. */
  jobs: Jobs | null;
}

/** A source of data that this machine has not, or that the agent may not read. */
export interface Missing {
  /** What is missing, for people. */
  source: string;
  /** Kind of the devices that it would show. */
  kind: "cpu" | "dram" | "gpu" | "module" | "node" | "psys";
  /** Why. */
  reason: string;
  /** What to do about it. */
  remedy: string;
}

/** What each tick has read, as far back as that is kept (about five minutes). */
export interface Power {
  /** When each tick read the sensors. [s since 1970-01-01T00:00:00Z] */
  at_unix_s: number[];
  /** By id of the device, as long as at_unix_s; null where the device was down or is not known. */
  power_w: Record<string, (number | null)[]>;
  /** Give it back as `after` to get what came since. [s since 1970-01-01T00:00:00Z] */
  next: number;
}

/** Where a mean power went; the four sum to it but for rounding. */
export interface PowerParts {
  /** What the bare devices draw. [W] */
  idle: number;
  /** What open GPU contexts add. [W] */
  context: number;
  /** What work adds. [W] */
  active: number;
  /** What cannot be assigned to a process. [W] */
  unattributed: number;
}

/** One process with an account of its own. */
export interface Process {
  /** Process id. */
  pid: number;
  /** Start in clock ticks since boot: with the pid it names one process. */
  started_ticks: number;
  /** The kernel's short name. Processes name themselves: treat it as hostile. */
  comm: string;
  /** Whose it is. */
  user: string;
  /** Id of the run that it belongs to; empty for none. */
  run: string;
  /** Name of that run. */
  run_name: string;
  /** What it works for: slurm, kubernetes, docker, systemd…; none for nothing known. */
  system: string;
  /** Id of the job there. */
  job: string;
  /** Step of the job, or container of the pod. */
  step: string;
  /** Id of the container. */
  container: string;
  /** systemd's unit. */
  unit: string;
  /** Sum over devices of its part in their newest windows. [W] */
  power_w: number | null;
  /** Half-width of the 95 % interval of the power. [W] */
  power_half_w: number | null;
  /** Energy used since the account began. [J] */
  energy_j: number;
  /** Half-width of the 95 % interval of the energy. [J] */
  energy_half_j: number;
  /** The energy by kind of device; they sum to it exactly. */
  kinds_j: Record<string, number>;
  /** The same by device. */
  devices: ProcessDevice[];
  /** How the energy was found: the weakest method of its devices. */
  method: "counter" | "estimated" | "integrated";
  /** When the account began at 0; null where nobody has noted it. [s since 1970-01-01T00:00:00Z] */
  since_unix_s: number | null;
  /** True where the process is gone and its account stays for a while. */
  ended: boolean;
  /** The power as a share of total_w. [1] */
  share: number | null;
  /** The energy as a share of total_j. [1] */
  energy_share: number | null;
}

/** What a process uses of one device. */
export interface ProcessDevice {
  /** Id of the device. */
  device: string;
  /** Mean power in the newest window; null where there is none of late. [W] */
  power_w: number | null;
  /** Energy used since the account began. [J] */
  energy_j: number;
  /** Half-width of the 95 % interval of the energy. [J] */
  energy_half_j: number;
}

/** All processes with accounts and all accounts without process: with no limit they sum to the total. */
export interface Processes {
  /** Name and version of this form; fields may be added, none changes its meaning. */
  schema: string;
  /** Number of the snapshot that this was made of; a later one of the same agent is higher. */
  number: number;
  /** When the snapshot was taken. [s since 1970-01-01T00:00:00Z] */
  at_unix_s: number;
  /** Sum of the mean powers of the devices' newest windows. [W] */
  total_w: number | null;
  /** Energy of the node since the counters began. [J] */
  total_j: number;
  /** In the order that was asked for. */
  processes: Process[];
  /** Idle, unattributed, other and ended. */
  accounts: Account[];
  /** Processes that the limit has left off. */
  more: number;
}

/** One run. */
export interface Run {
  /** Id of the run. */
  run_id: string;
  /** Name that its owner gave it. */
  name: string;
  /** Whose it is; empty where that is not known. */
  user: string;
  /** killed: it ended without having said so. */
  state: "ended" | "going" | "killed";
  /** Sum of the powers of its processes; null where that is not known. [W] */
  power_w: number | null;
  /** Energy that its processes used. [J] */
  energy_j: number | null;
  /** 95 % interval of the energy. */
  interval_j: [number, number] | null;
  /** When it began. [s since 1970-01-01T00:00:00Z] */
  started_unix_s: number | null;
  /** How long it has taken. [s] */
  wall_s: number | null;
  /** Exit code of its command; null while it is not known. */
  exit_code: number | null;
  /** Path of its report on this agent; null where it has no record. */
  report: string | null;
}

/** Runs that go on and those that were, the newest first. */
export interface Runs {
  /** Name and version of this form; fields may be added, none changes its meaning. */
  schema: string;
  /** When this was put together. [s since 1970-01-01T00:00:00Z] */
  at_unix_s: number;
  /** False where the agent shows no records of runs. */
  records: boolean;
  /** Why it shows none, for people; empty where it does. */
  hidden: string;
  /** All that are known. */
  runs: Run[];
}

/** One way out that the agent pushes to. */
export interface Sink {
  /** As it is called in the settings. */
  name: string;
  /** False since the last attempt has failed. */
  up: boolean;
  /** Snapshots that arrived. */
  pushes: number;
  /** Times that a snapshot was due while the one before was under way. */
  skipped: number;
  /** Number of failures by reason. */
  faults: Record<string, number>;
  /** When a push last succeeded. [s since 1970-01-01T00:00:00Z] */
  pushed_unix_s: number | null;
}

/** What the node draws and has used, and how the agent does. */
export interface Snapshot {
  /** Name and version of this form; fields may be added, none changes its meaning. */
  schema: string;
  /** Number of the snapshot that this was made of; a later one of the same agent is higher. */
  number: number;
  /** When the snapshot was taken. [s since 1970-01-01T00:00:00Z] */
  at_unix_s: number;
  /** Name of the node. */
  host: string;
  /** Version of the agent. */
  version: string;
  /** The kernel's boot id. */
  boot: string;
  /** When the agent started; another one has restarted. [s since 1970-01-01T00:00:00Z] */
  agent_started_unix_s: number | null;
  /** When the energy counters began at 0. [s since 1970-01-01T00:00:00Z] */
  counters_since_unix_s: number | null;
  /** The sensors are read this often. [s] */
  interval_s: number;
  /** The power of CPUs is split between processes this often. [s] */
  process_interval_s: number;
  /** How far the history goes back. [s] */
  history_s: number;
  /** Whether the agent does its work. */
  condition: Condition;
  /** The node as a whole. */
  total: Total;
  /** Null where neither a price nor an intensity is configured. */
  footprint: Footprint | null;
  /** All devices. */
  devices: Device[];
  /** Sources of data that this machine has not. */
  missing: Missing[];
  /** Faults that have happened; those that have not are left out. */
  faults: Fault[];
  /** Where the agent pushes to. */
  sinks: Sink[];
  /** Null where the counters are not kept on disk. */
  journal: Journal | null;
  /** What the agent itself costs. */
  agent: AgentCost;
}

/** All devices of the kinds gpu, cpu and dram together: the others contain them. */
export interface Total {
  /** Power now of those that are up; null while none is. [W] */
  power_w: number | null;
  /** Half-width of the 95 % interval of the power. [W] */
  power_half_w: number | null;
  /** Sum of the mean powers of the devices' newest windows. [W] */
  window_w: number | null;
  /** Energy since the counters began. [J] */
  energy_j: number;
  /** Half-width of the 95 % interval of the energy. [J] */
  energy_half_j: number | null;
  /** Where the energy went. */
  components_j: EnergyParts;
  /** Where the power of the newest windows went. */
  components_w: PowerParts | null;
  /** Number of devices of these kinds. */
  devices: number;
  /** Number of those whose sensor works. */
  up: number;
}

/** The newest time over which it was worked out where the power of the device went. */
export interface Window {
  /** When it began. [s since 1970-01-01T00:00:00Z] */
  start_unix_s: number;
  /** When it ended. [s since 1970-01-01T00:00:00Z] */
  end_unix_s: number;
  /** Mean power. [W] */
  mean_w: number;
  /** Half-width of the 95 % interval of the mean. [W] */
  half_w: number;
  /** Where the mean power went. */
  components_w: PowerParts;
}

/** Where a power (watts) or an energy (joules) went. */
export type Components = PowerParts | EnergyParts;

export type { Connection, State } from "./store.js";
export type { View } from "./view.js";
