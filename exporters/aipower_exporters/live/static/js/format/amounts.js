/* Sizes, sums of money and masses. */

import { harmless, known, UNKNOWN } from "./figures.js";
import { digits, PLAIN, PREFIXES } from "./quantities.js";

/** @typedef {import("./figures.js").Figure} Figure */

/**
 * `12.3 MiB`.
 * @param {Figure} count
 */
export function bytes(count) {
  if (!known(count)) return UNKNOWN;
  let value = count;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return `${value.toFixed(unit === "B" ? 0 : digits(value))} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

/**
 * Two decimals, or three digits of what is less than one; null where that takes a power of ten.
 * @param {number} amount
 */
function moneyPlaces(amount) {
  if (amount >= 1 || amount === 0) return 2;
  return amount < 1e-6 ? null : 2 - Math.floor(Math.log10(Number(amount.toPrecision(3))));
}

/**
 * @param {number} amount
 * @param {number | null} places
 */
function sum(amount, places) {
  if (places === null) return amount.toExponential(2);
  return amount.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/**
 * `0.0123 EUR`.
 * @param {Figure} amount
 * @param {string} currency
 */
export function money(amount, currency) {
  return known(amount) ? `${sum(amount, moneyPlaces(amount))} ${harmless(currency)}` : UNKNOWN;
}

/**
 * `[0.0117 .. 0.0129 EUR]`.
 * @param {readonly [number, number] | null | undefined} interval
 * @param {string} currency
 */
export function moneyBracket(interval, currency) {
  if (!interval || !interval.every(known)) return UNKNOWN;
  const places = moneyPlaces(interval[1]);
  return `[${sum(interval[0], places)} .. ${sum(interval[1], places)} ${harmless(currency)}]`;
}

/**
 * In which unit a mass is written: grams with a prefix, from a million on tonnes.
 * @param {number} mass_g
 * @returns {[number, string]} the grams of one unit, and its name
 */
function massUnit(mass_g) {
  const [base_g, base] = Number(mass_g.toPrecision(3)) >= 1e6 ? [1e6, "t"] : [1, "g"];
  const size = Number((mass_g / base_g).toPrecision(3));
  const power = size === 0 ? 0 : Math.min(Math.max(Math.floor(Math.log10(size) / 3), -PLAIN), 4);
  return [base_g * 1000 ** power, `${PREFIXES[power + PLAIN]}${base}`];
}

/** @param {number} value */
function threeDigits(value) {
  return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

/**
 * `12.3 g`, `1.29 kg`, `552 t`.
 * @param {Figure} mass_g
 */
export function grams(mass_g) {
  if (!known(mass_g)) return UNKNOWN;
  const [unit_g, unit] = massUnit(mass_g);
  return `${(mass_g / unit_g).toFixed(threeDigits(mass_g / unit_g))} ${unit}`;
}

/**
 * `[11.7 .. 12.9 g]`.
 * @param {readonly [number, number] | null | undefined} interval_g
 */
export function gramsBracket(interval_g) {
  if (!interval_g || !interval_g.every(known)) return UNKNOWN;
  const [unit_g, unit] = massUnit(interval_g[1]);
  const places = threeDigits(interval_g[1] / unit_g);
  const [low, high] = interval_g.map((end) => (end / unit_g).toFixed(places));
  return `[${low} .. ${high} ${unit}]`;
}
