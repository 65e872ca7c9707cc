/* What the energy costs, and the carbon that it stands for; only where that is configured. */

import { el, show, text } from "../dom.js";
import { count, grams, gramsBracket, harmless, moment, money, moneyBracket } from "../format.js";

/** @typedef {import("../types").Snapshot} Snapshot */
/** @typedef {NonNullable<Snapshot["footprint"]>} Footprint */
/** @typedef {import("../store.js").Store} Store */
/** @typedef {{value: HTMLElement, below: HTMLElement, node: HTMLElement}} Tile */

/**
 * @param {string} title
 * @returns {Tile}
 */
function tile(title) {
  const value = el("dd", { class: "value" });
  const below = el("dd", { class: "quiet" });
  return { value, below, node: el("div", null, el("dt", null, title), value, below) };
}

/**
 * @param {Tile} one
 * @param {string | null} shown null: not configured, so not shown
 * @param {string} below
 */
function tell(one, shown, below) {
  show(one.node, shown !== null);
  text(one.value, shown ?? "");
  text(one.below, below);
}

/** @param {number} value */
function plain(value) {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}

/** @param {Footprint} footprint */
function basis({ price_per_kwh: price, currency, intensity_g_per_kwh: intensity, zone, source, pue }) {
  const words = [];
  if (price !== null && price !== undefined) words.push(`${plain(price)} ${harmless(currency)}/kWh`);
  if (intensity !== null && intensity !== undefined) words.push(`${plain(intensity)} g CO2e/kWh${carbonSource(zone, source)}`);
  words.push(`PUE ${Number.isInteger(pue) ? pue.toFixed(1) : plain(pue)}`);
  return `Worked out with ${words.join(", ")}. Intervals are of 95 %; they hold the sensors' errors, not those of price and intensity.`;
}

/**
 * @param {string} zone
 * @param {string} source
 */
function carbonSource(zone, source) {
  const told = [harmless(zone), harmless(source)].filter(Boolean).join(", ");
  return told ? ` (${told})` : "";
}

/**
 * @param {Tile[]} tiles
 * @param {Footprint} footprint
 * @param {string} since
 */
function fill(tiles, footprint, since) {
  const { currency, cost, cost_per_h: perHour, cost_interval: interval, price_per_kwh: price } = footprint;
  const { co2e_g: carbon, co2e_g_per_h: carbonPerHour, co2e_interval_g: carbonInterval, intensity_g_per_kwh: intensity } = footprint;
  const priced = price !== null && price !== undefined;
  const weighed = intensity !== null && intensity !== undefined;
  const [hourly, summed, emitting, emitted] = /** @type {[Tile, Tile, Tile, Tile]} */ (tiles);
  tell(hourly, priced ? `${money(perHour, currency)}/h` : null, "at the power of now");
  tell(summed, priced ? money(cost, currency) : null, `${interval ? moneyBracket(interval, currency) : ""} ${since}`.trim());
  tell(emitting, weighed ? `${grams(carbonPerHour)} CO2e/h` : null, "at the power of now");
  tell(emitted, weighed ? `${grams(carbon)} CO2e` : null, `${carbonInterval ? gramsBracket(carbonInterval) : ""} ${since}`.trim());
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountFootprint(root, store) {
  const tiles = ["Cost now", "Cost so far", "Carbon now", "Carbon so far"].map(tile);
  const words = el("p", { class: "quiet aside" });
  root.append(el("dl", { class: "tiles" }, ...tiles.map((one) => one.node)), words);
  const render = () => {
    const { snapshot } = store.state;
    const footprint = snapshot?.footprint ?? null;
    show(root, footprint !== null);
    if (!snapshot || !footprint) return;
    const since = snapshot.counters_since_unix_s;
    fill(tiles, footprint, since ? `since ${moment(since, snapshot.at_unix_s)}` : "");
    text(words, basis(footprint));
  };
  store.subscribe((state, before) => {
    if (state.snapshot !== before.snapshot) render();
  });
  render();
}
