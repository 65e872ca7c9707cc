// The grid of devices.

import { clear, el, mark, show, text } from "../dom.js";
import { Frames } from "../frames.js";
import { Inks } from "../theme.js";
import { Card } from "./card.js";
import { Sparks } from "./spark.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").State} State */
/** @typedef {import("../types").Device} Device */

const DENSE_FROM = 13;
const DENSER_FROM = 33;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountDevices(root, store) {
  new Devices(root, store);
}

class Devices {
  #store;
  #inks;
  #sparks;
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #list = el("ul", { class: "cards" });
  #none = el("p", { class: "panel quiet" });
  #order = "";
  #frames = new Frames();

  /**
   * @param {HTMLElement} root
   * @param {Store} store
   */
  constructor(root, store) {
    this.#store = store;
    this.#inks = new Inks(root);
    this.#sparks = new Sparks(this.#inks, store.state.power);
    root.append(this.#list, this.#none);
    store.subscribe((state, before) => {
      if (state.theme !== before.theme) this.#inks.forget();
      if (state.snapshot !== before.snapshot || state.view.devices !== before.view.devices) this.#show(state);
      if (state.theme !== before.theme) this.#sparks.redraw();
      if (state.polls !== before.polls) this.#sparks.draw();
    });
    addEventListener("beforeprint", () => this.#sparks.redraw());
    this.#show(store.state);
  }

  /** @param {State} state */
  #show({ snapshot, view }) {
    const devices = snapshot?.devices ?? [];
    show(this.#none, devices.length === 0);
    text(this.#none, snapshot ? "No device with a sensor that can be read. Health says what is missing." : "Waiting for the agent.");
    this.#arrange(devices);
    if (!snapshot) return;
    this.#frames.run(devices.map((device) => () => {
      const look = { color: this.#store.palette.colorOf("device", device.id), chosen: view.devices.includes(device.id) };
      this.#cards.get(device.id)?.show(device, snapshot, look);
    }));
  }

  /** @param {Device[]} devices */
  #arrange(devices) {
    const order = devices.map((device) => device.id).join("\n");
    if (order === this.#order) return;
    this.#order = order;
    mark(this.#list, "dense", devices.length >= DENSE_FROM);
    mark(this.#list, "denser", devices.length >= DENSER_FROM);
    this.#drop(new Set(devices.map((device) => device.id)));
    clear(this.#list);
    this.#list.append(...devices.map((device) => this.#card(device).root));
  }

  /** @param {Set<string>} wanted */
  #drop(wanted) {
    for (const [id, card] of this.#cards) {
      if (wanted.has(id)) continue;
      this.#sparks.remove(card.canvas);
      this.#cards.delete(id);
    }
  }

  /** @param {Device} device */
  #card(device) {
    const found = this.#cards.get(device.id) ?? new Card(device, (more) => this.#choose(device.id, more));
    if (!this.#cards.has(device.id)) {
      this.#sparks.add(found.canvas, device.id, this.#store.palette.colorOf("device", device.id));
    }
    this.#cards.set(device.id, found);
    return found;
  }

  /**
   * @param {string} id
   * @param {boolean} more beside those that are chosen already
   */
  #choose(id, more) {
    const { devices } = this.#store.state.view;
    const others = devices.filter((one) => one !== id);
    const chosen = devices.includes(id);
    const kept = more ? others : [];
    this.#store.look({ devices: chosen && (more || devices.length === 1) ? kept : [...kept, id], hidden: [] });
  }
}
