/* Quantities of the SI: three to four digits with a prefix. */

import { known, UNKNOWN } from "./figures.js";

export const PREFIXES = ["n", "µ", "m", "", "k", "M", "G", "T"];
/** Where no prefix stands. */
export const PLAIN = 3;
const J_PER_WH = 3600;

/** @typedef {import("./figures.js").Figure} Figure */

/**
 * Which prefix a value has: from 10 000 on the next one.
 * @param {number} value
 */
function prefixOf(value) {
  if (value === 0) return PLAIN;
  const size = Math.abs(value);
  const power = size >= 1 && size < 9999.5 ? 0 : Math.floor(Math.log10(size * 1.00005) / 3);
  return Math.min(Math.max(power + PLAIN, 0), PREFIXES.length - 1);
}

/**
 * Which prefix leaves one to three digits before the point.
 * @param {number} size
 */
function finePrefixOf(size) {
  const power = Math.floor(Math.log10(size * 1.0005) / 3);
  return Math.min(Math.max(power + PLAIN, 0), PREFIXES.length - 1);
}

/**
 * Two decimals at most, and fewer where more than four digits would be shown.
 * @param {number} value
 */
export function digits(value) {
  return [2, 1].find((places) => Math.abs(value).toFixed(places).length <= 5) ?? 0;
}

/**
 * `12.34 kJ`: three to four digits with a prefix of the SI.
 * @param {Figure} value
 * @param {string} unit
 */
export function quantity(value, unit) {
  if (!known(value)) return UNKNOWN;
  if (Math.abs(value) < 1e-9) return `0 ${unit}`;
  const prefix = prefixOf(value);
  const shown = value / 1000 ** (prefix - PLAIN);
  return `${shown.toFixed(digits(shown))} ${PREFIXES[prefix]}${unit}`;
}

/**
 * `0.25 W`, `288.1 W`, `12.34 kW`.
 * @param {Figure} power_w
 */
export function watts(power_w) {
  if (!known(power_w)) return UNKNOWN;
  const size = Math.abs(power_w);
  if (size < 0.005) return "0 W";
  if (size >= 9999.5) return quantity(power_w, "W");
  return `${power_w.toFixed(size < 9.995 ? 2 : 1)} W`;
}

/**
 * `1082 J`, `12.34 kJ`.
 * @param {Figure} energy_j
 */
export function joules(energy_j) {
  return quantity(energy_j, "J");
}

/**
 * `3.21 kWh`, of joules.
 * @param {Figure} energy_j
 */
export function wattHours(energy_j) {
  return quantity(known(energy_j) ? energy_j / J_PER_WH : null, "Wh");
}

/**
 * `±0.35 W`, `±13 W`, `±1.3 kJ`: two digits that matter. Watts have no prefix below one.
 * @param {Figure} half
 * @param {string} unit
 */
export function plusMinus(half, unit) {
  if (!known(half)) return UNKNOWN;
  const size = Math.abs(half);
  if (size < (unit === "W" ? 0.005 : 1e-9)) return `±0 ${unit}`;
  const prefix = unit === "W" && size < 1 ? PLAIN : finePrefixOf(size);
  const shown = size / 1000 ** (prefix - PLAIN);
  const places = shown < 0.995 ? 2 : shown < 9.95 ? 1 : 0;
  return `±${shown.toFixed(places)} ${PREFIXES[prefix]}${unit}`;
}

/**
 * `[0.53 .. 2.09 J]`: both ends in the unit, and with the decimals, of the upper one.
 * @param {readonly [number, number] | null | undefined} interval
 * @param {string} unit
 */
export function bracket(interval, unit) {
  if (!interval || !interval.every(known)) return UNKNOWN;
  const [low, high] = interval;
  if (high <= 0) return `[0 .. 0 ${unit}]`;
  const prefix = prefixOf(high);
  const scale = 1000 ** (prefix - PLAIN);
  const places = digits(high / scale);
  const from = low > 0 ? (low / scale).toFixed(places) : "0";
  return `[${from} .. ${(high / scale).toFixed(places)} ${PREFIXES[prefix]}${unit}]`;
}

/**
 * `12.3 %` of a part from 0 to 1; what is little but not nothing is `<0.1 %`.
 * @param {Figure} part
 */
export function percent(part) {
  if (!known(part)) return UNKNOWN;
  const value = 100 * part;
  if (value <= 0) return "0 %";
  if (value < 0.05) return "<0.1 %";
  return value < 99.95 ? `${value.toFixed(1)} %` : `${value.toFixed(0)} %`;
}
