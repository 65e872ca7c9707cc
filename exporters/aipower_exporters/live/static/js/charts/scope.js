// Which devices the chart shows.

/** @typedef {import("../types").Device} Device */

/**
 * Those that the reader chose; else all that count into the node's total.
 * @param {import("../types").Snapshot | null} snapshot
 * @param {string[]} chosen
 * @returns {Device[]}
 */
export function scopeOf(snapshot, chosen) {
  const devices = snapshot?.devices ?? [];
  return devices.filter((device) => (chosen.length ? chosen.includes(device.id) : device.summed));
}

const KINDS = new Map([["gpu", "GPU"], ["cpu", "CPU"], ["dram", "DRAM"], ["module", "Module"], ["node", "Node"], ["psys", "Platform"]]);

/**
 * GPUs first, each kind by its numbers: the agent tells devices in the order in which it has met them.
 * @param {readonly Device[]} devices
 * @returns {Device[]}
 */
export function ordered(devices) {
  const kinds = [...KINDS.keys()];
  return [...devices].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || byIndex(a.index, b.index));
}

/**
 * @param {string} a
 * @param {string} b
 */
function byIndex(a, b) {
  return a.localeCompare(b, "en", { numeric: true });
}

/** @param {string} kind */
export function kindName(kind) {
  return KINDS.get(kind) ?? kind;
}

/**
 * `GPU 0`; short enough for a legend.
 * @param {Device} device
 */
export function deviceLabel(device) {
  return device.index === "" ? kindName(device.kind) : `${kindName(device.kind)} ${device.index}`;
}
