// The head of the page: which machine, what it draws now, and whether that is so.

import { el, set, show, text } from "../dom.js";
import { harmless, joules, money, plusMinus, watts } from "../format.js";
import { statusOf } from "./status.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").State} State */

const SECOND_MS = 1000;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountHeader(root, store) {
  const status = el("p", { class: "state", role: "status" });
  const figures = totals();
  const host = root.querySelector("h1") ?? el("h1");
  const identity = el("div", { class: "identity" }, root.querySelector(".brand"), host, status);
  root.append(identity, figures.root);
  const render = () => {
    const { state } = store;
    if (state.snapshot) text(host, harmless(state.snapshot.host));
    showStatus(status, state);
    figures.show(state);
    const title = titleOf(state);
    if (document.title !== title) document.title = title;
  };
  store.subscribe((state, before) => {
    if (state.snapshot !== before.snapshot || state.connection !== before.connection || state.view !== before.view) render();
  });
  // While nothing comes, only the age of what is shown changes.
  setInterval(() => store.state.connection.status === "live" || showStatus(status, store.state), SECOND_MS);
  render();
}

/**
 * @param {HTMLElement} status
 * @param {State} state
 */
function showStatus(status, state) {
  const { mark, words } = statusOf(state, Date.now());
  set(status, "data-state", mark);
  text(status, words);
  // Before there are figures the parts that have none take no room: nothing jumps when they come.
  document.body.classList.toggle("ready", state.snapshot !== null);
  document.body.classList.toggle("stale", state.snapshot !== null && mark === "bad");
}

/** @param {State} state */
function titleOf({ snapshot }) {
  if (!snapshot) return "aipower";
  return `${watts(snapshot.total.power_w)} · ${harmless(snapshot.host)} · aipower`;
}

function totals() {
  const power = figure("Power now", "total main");
  const energy = figure("Energy", "total");
  const cost = figure("Cost", "total");
  const root = el("dl", { class: "totals" }, power.root, energy.root, cost.root);
  /** @param {State} state */
  const showAll = ({ snapshot }) => {
    show(root, snapshot !== null);
    if (!snapshot) return;
    const { total, footprint } = snapshot;
    power.show(watts(total.power_w), `${half(total.power_half_w, "W")}${devicesText(total)}`);
    energy.show(joules(total.energy_j), half(total.energy_half_j, "J"));
    show(cost.root, footprint?.cost != null);
    if (footprint) cost.show(money(footprint.cost, footprint.currency), `${money(footprint.cost_per_h, footprint.currency)} per hour`);
  };
  return { root, show: showAll };
}

/**
 * @param {string} name
 * @param {string} style
 */
function figure(name, style) {
  const value = el("span");
  const under = el("span", { class: "half" });
  const root = el("div", { class: style }, el("dt", null, name), el("dd", null, value, under));
  /** @param {string} shown @param {string} below */
  const showBoth = (shown, below) => {
    text(value, shown);
    text(under, below);
  };
  return { root, show: showBoth };
}

/**
 * @param {number | null | undefined} value
 * @param {string} unit
 */
function half(value, unit) {
  return value == null ? "" : plusMinus(value, unit);
}

/** @param {import("../types").Total} total */
function devicesText({ devices, up }) {
  if (devices === 0) return "no device";
  const count = `${devices} ${devices === 1 ? "device" : "devices"}`;
  return up < devices ? ` · ${up} of ${count}` : ` · ${count}`;
}
