// Documents of the API, as small as they can be.

const NOTHING = { idle: 0, context: 0, active: 0, unattributed: 0 };

export function device(id, more = {}) {
  return {
    id, kind: "gpu", name: "Simulated GPU", index: "0", parent: null, summed: true, uuid: "", driver: "", method: "counter",
    up: true, power_w: 100, power_half_w: 1, power_limit_w: null, idle_w: null, energy_j: 0, energy_half_j: 0,
    components_j: NOTHING, seen_unix_s: 0, window: null, ...more,
  };
}

export function snapshot(devices, more = {}) {
  return {
    schema: "aipower.api/1", number: 1, at_unix_s: 1000, host: "node", version: "1", boot: "b", agent_started_unix_s: 1,
    interval_s: 1, process_interval_s: 5, history_s: 21600, condition: { status: "ok", reason: "", sample_age_s: 0 },
    total: { devices: devices.length, up: devices.length }, devices, ...more,
  };
}

export function process(pid, more = {}) {
  return {
    pid, started_ticks: 1, comm: `worker-${pid}`, user: "ada", run: "", run_name: "", system: "none", job: "", step: "",
    container: "", unit: "", power_w: 1, power_half_w: 0.1, share: 0.1, energy_j: 10, energy_half_j: 1, energy_share: 0.1,
    kinds_j: {}, devices: [], method: "counter", since_unix_s: 0, ended: false, ...more,
  };
}

/** Steps of a history: one column for each layer, whose sum is the mean. */
export function history(start, layers, more = {}) {
  const columns = Object.values(layers);
  const mean_w = start.map((_, i) => columns.reduce((sum, column) => sum + (column[i] ?? 0), 0));
  const step_s = more.step_s ?? 1;
  return {
    from_unix_s: start[0] ?? 0, to_unix_s: (start.at(-1) ?? 0) + step_s, step_s, by: "component", devices: ["a"],
    start_unix_s: start, mean_w, min_w: mean_w, max_w: mean_w, half_w: mean_w.map(() => 1),
    layers: Object.entries(layers).map(([key, column]) => ({ key, label: key, pid: null, mean_w: column, half_w: column })),
    next: (start.at(-1) ?? 0) + step_s, ...more,
  };
}

export function power(at_unix_s, power_w) {
  return { at_unix_s, power_w, next: at_unix_s.length ? at_unix_s.at(-1) + 0.001 : 0 };
}
