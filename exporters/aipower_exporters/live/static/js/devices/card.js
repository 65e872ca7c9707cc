// One device: what it is, what it draws, how near its limit it is, what it has used.

import { el, mark, set, show, text } from "../dom.js";
import { ago, harmless, joules, moment, plusMinus, watts } from "../format.js";
import { deviceLabel } from "../charts/scope.js";
import { componentBar, limitBar } from "./meter.js";

/** @typedef {import("../types").Device} Device */
/** @typedef {import("../types").Snapshot} Snapshot */

/** @type {Record<string, string>} */
const METHODS = { counter: "energy counter", integrated: "power, integrated", estimated: "estimated" };

export class Card {
  canvas = el("canvas", { class: "spark", "aria-hidden": "true" });
  #swatch = el("span", { class: "swatch" });
  #label = el("span", { class: "card-label" });
  #name = el("bdi", { class: "card-name quiet" });
  #power = el("span", { class: "card-power" });
  #half = el("span", { class: "card-half quiet" });
  #limit = limitBar();
  #components = componentBar();
  #energy = el("span");
  #method = el("span");
  #trouble = el("p", { class: "card-trouble" });
  #button;

  /**
   * @param {Device} device
   * @param {(more: boolean) => void} choose
   */
  constructor(device, choose) {
    this.id = device.id;
    this.#button = el("button", {
      type: "button", class: "card-choose", onclick: (/** @type {MouseEvent} */ event) => choose(event.shiftKey || event.ctrlKey || event.metaKey),
    }, this.#swatch, this.#label);
    this.root = el("li", { class: "card" },
      el("div", { class: "card-head" }, this.#button, this.#name),
      el("div", { class: "card-now" }, this.#power, this.#half),
      this.#limit.root, this.canvas, this.#components.root,
      el("div", { class: "card-foot quiet" }, this.#energy, this.#method),
      this.#trouble);
    this.root.addEventListener("click", (event) => {
      if (!(event.target instanceof Node && this.#button.contains(event.target))) choose(event.shiftKey || event.ctrlKey || event.metaKey);
    });
  }

  /**
   * @param {Device} device
   * @param {Snapshot} snapshot
   * @param {{color: string, chosen: boolean}} look
   */
  show(device, snapshot, { color, chosen }) {
    this.#swatch.style.color = color;
    text(this.#label, deviceLabel(device));
    text(this.#name, harmless(device.name));
    set(this.#name, "title", `${device.name} · ${device.id}`);
    text(this.#power, watts(device.power_w));
    text(this.#half, device.power_half_w === null ? "" : plusMinus(device.power_half_w, "W"));
    this.#limit.show(device);
    this.#components.show(device);
    const half = device.energy_half_j === null ? "" : ` ${plusMinus(device.energy_half_j, "J")}`;
    text(this.#energy, `${joules(device.energy_j)}${half}`);
    text(this.#method, device.summed ? (METHODS[device.method] ?? device.method) : "not summed");
    this.#state(device, snapshot, chosen);
  }

  /**
   * @param {Device} device
   * @param {Snapshot} snapshot
   * @param {boolean} chosen
   */
  #state(device, snapshot, chosen) {
    set(this.#button, "aria-pressed", String(chosen));
    mark(this.root, "chosen", chosen);
    mark(this.root, "down", !device.up);
    const words = troubleOf(device, snapshot);
    show(this.#trouble, words !== "");
    text(this.#trouble, words);
  }
}

/**
 * Since when a device is down and what has happened to it; empty where nothing has.
 * @param {Device} device
 * @param {Snapshot} snapshot
 */
export function troubleOf(device, snapshot) {
  const faults = snapshot.faults.filter((fault) => fault.device === device.id);
  const list = faults.map((fault) => `${fault.reason.replaceAll("_", " ")} ×${fault.count}`).join(", ");
  if (device.up) return list ? `Faults: ${list}` : "";
  const gone = faults.some((fault) => fault.reason === "gone") ? "Gone" : "Down";
  const now = snapshot.at_unix_s;
  const since = device.seen_unix_s ? ` since ${moment(device.seen_unix_s, now)}, ${ago(device.seen_unix_s, now)}` : "";
  return `${gone}${since}${list ? `. Faults: ${list}` : ""}`;
}
