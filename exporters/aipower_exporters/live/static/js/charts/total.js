// The sum of the powers of some devices at each reading.

import { firstAt } from "./series.js";

/** @typedef {import("./ring.js").PowerRing} PowerRing */

/**
 * Adds one column to the sums; a device that is missing adds nothing.
 * @param {Float64Array} sums
 * @param {Float64Array} column
 */
function add(sums, column) {
  for (let i = 0; i < sums.length; i++) {
    const value = /** @type {number} */ (column[i]);
    if (Number.isNaN(value)) continue;
    const sum = /** @type {number} */ (sums[i]);
    sums[i] = Number.isNaN(sum) ? value : sum + value;
  }
}

/**
 * All readings from `from_s` to `to_s`, null where no device was up. A long silence is a gap.
 * @param {PowerRing} ring
 * @param {string[]} ids
 * @param {[number, number]} span unix seconds
 * @param {number} silence_s
 * @returns {[number[], (number | null)[]]}
 */
export function readings(ring, ids, [from_s, to_s], silence_s) {
  const at = ring.at;
  const [first, last] = [Math.max(0, firstAt(at, from_s) - 1), Math.min(at.length, firstAt(at, to_s) + 1)];
  const sums = new Float64Array(Math.max(0, last - first)).fill(NaN);
  for (const id of ids) {
    const column = ring.column(id);
    if (column) add(sums, column.subarray(first, last));
  }
  return withGaps(at.subarray(first, last), sums, silence_s);
}

/**
 * @param {Float64Array} at
 * @param {Float64Array} sums
 * @param {number} silence_s
 * @returns {[number[], (number | null)[]]}
 */
function withGaps(at, sums, silence_s) {
  /** @type {number[]} */
  const xs = [];
  /** @type {(number | null)[]} */
  const ys = [];
  for (let i = 0; i < at.length; i++) {
    const [x, before] = [/** @type {number} */ (at[i]), xs[xs.length - 1]];
    if (before !== undefined && x - before > silence_s) {
      xs.push(before + 1e-3);
      ys.push(null);
    }
    const y = /** @type {number} */ (sums[i]);
    xs.push(x);
    ys.push(Number.isNaN(y) ? null : y);
  }
  return [xs, ys];
}
