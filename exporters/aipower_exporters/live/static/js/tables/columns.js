/* Columns that several tables have. */

import { set, text } from "../dom.js";
import { joules, moment, percent, plusMinus, watts } from "../format.js";

/**
 * @template Row
 * @typedef {import("./row.js").Column<Row>} Column
 */
/** @typedef {number | null | undefined} Figure */

const HALF = "Half-width of the 95 % interval";

/**
 * Power now, its interval, and the share of the node's.
 * @template {{power_w?: Figure, power_half_w?: Figure}} Row
 * @returns {Column<Row>[]}
 */
export function powerColumns() {
  return [
    {
      key: "power_w", title: "Power", figure: true, style: "strong",
      hint: "Mean power in the newest window of each device, all devices together",
      sort: (row) => row.power_w, text: (row) => watts(row.power_w),
    },
    {
      key: "power_half_w", title: "±", spoken: "interval of the power", figure: true, rank: 3, style: "half",
      hint: `${HALF} of the power`, sort: (row) => row.power_half_w, text: (row) => plusMinus(row.power_half_w, "W"),
    },
  ];
}

/**
 * @template {{share?: Figure}} Row
 * @returns {Column<Row>}
 */
export function shareColumn() {
  return {
    key: "share", title: "Share", figure: true, rank: 2, style: "share",
    hint: "Part of the power of the whole node now, idle power included",
    sort: (row) => row.share, text: (row) => percent(row.share), paint: (cell, row, shown) => bar(cell, row.share, shown),
  };
}

/**
 * A share with a bar behind it.
 * @param {HTMLElement} cell
 * @param {Figure} share
 * @param {string} shown
 */
function bar(cell, share, shown) {
  text(cell, shown);
  cell.style.setProperty("--part", `${(100 * Math.min(1, Math.max(0, share ?? 0))).toFixed(1)}%`);
}

/**
 * Energy and its interval.
 * @template {{energy_j: Figure, energy_half_j?: Figure}} Row
 * @returns {Column<Row>[]}
 */
export function energyColumns() {
  return [
    {
      key: "energy_j", title: "Energy", figure: true, hint: "Energy since the account began, idle energy not included",
      sort: (row) => row.energy_j, text: (row) => joules(row.energy_j),
    },
    {
      key: "energy_half_j", title: "±", spoken: "interval of the energy", figure: true, rank: 3, style: "half",
      hint: `${HALF} of the energy`, sort: (row) => row.energy_half_j, text: (row) => plusMinus(row.energy_half_j, "J"),
    },
  ];
}

/**
 * Since when an account counts. `now` is the time of the agent.
 * @template {{since_unix_s?: Figure}} Row
 * @param {() => number} now
 * @returns {Column<Row>}
 */
export function sinceColumn(now) {
  return {
    key: "since_unix_s", title: "Since", rank: 3, style: "time", hint: "When the account began at 0",
    sort: (row) => row.since_unix_s, text: (row) => moment(row.since_unix_s, now()),
  };
}

/**
 * A link where there is an address, else text. The address is one of this agent, so the link goes below where this page is:
 * that may be a path that a proxy has put before the agent's own.
 * @param {HTMLElement} cell
 * @param {string} shown
 * @param {string | null | undefined} address
 */
export function linked(cell, shown, address) {
  if (!address || !address.startsWith("/") || address.startsWith("//")) {
    text(cell, shown);
    return;
  }
  const known = cell.firstElementChild;
  const link = known instanceof HTMLAnchorElement ? known : document.createElement("a");
  set(link, "href", address.slice(1));
  text(link, shown);
  if (link !== known) cell.replaceChildren(link);
}
