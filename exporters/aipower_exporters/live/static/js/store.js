// All that the page knows, in one place. Parts read it and are told when it has changed, at most once a frame.

import { PowerRing } from "./charts/ring.js";
import { Palette } from "./palette.js";
import { plainView } from "./view.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./charts/series.js").Series} Series */
/** @typedef {{status: "connecting" | "live" | "lost" | "refused", since_ms: number, error: string}} Connection */
/**
 * @typedef {object} State
 * @property {import("./types").Snapshot | null} snapshot
 * @property {import("./types").Processes | null} processes
 * @property {import("./types").Jobs | null} jobs
 * @property {import("./types").Runs | null} runs
 * @property {Connection} connection
 * @property {PowerRing} power every reading of the last minutes; always the same object
 * @property {Series | null} history the steps of the chart
 * @property {Series | null} zoomed finer steps for the zoom, where there are any
 * @property {View} view
 * @property {number} polls how many polls were answered: `power` has changed when this has
 * @property {"light" | "dark"} theme
 */
/** @typedef {(state: State, before: State) => void} Listener */

/** @returns {State} */
export function emptyState() {
  return {
    snapshot: null,
    processes: null,
    jobs: null,
    runs: null,
    connection: { status: "connecting", since_ms: Date.now(), error: "" },
    power: new PowerRing(),
    history: null,
    zoomed: null,
    view: plainView(),
    polls: 0,
    theme: "light",
  };
}

export class Store {
  /** @type {Set<Listener>} */
  #listeners = new Set();
  /** @type {(run: () => void) => void} */
  #schedule;
  #due = false;

  /**
   * @param {Partial<State>} [initial]
   * @param {(run: () => void) => void} [schedule] when listeners are told; a test tells them at once
   */
  constructor(initial = {}, schedule = (run) => void requestAnimationFrame(run)) {
    /** @type {State} */
    this.state = { ...emptyState(), ...initial };
    /** What listeners were told last. */
    this.before = this.state;
    this.palette = new Palette();
    this.#schedule = schedule;
  }

  /**
   * @param {Listener} listener
   * @returns {() => void} ends it
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param {Partial<State>} patch */
  update(patch) {
    this.state = { ...this.state, ...patch };
    if (this.#due) return;
    this.#due = true;
    this.#schedule(() => this.#tell());
  }

  /** @param {Partial<View>} patch of the view */
  look(patch) {
    this.update({ view: { ...this.state.view, ...patch } });
  }

  /** Tells listeners now and not in the next frame: paper does not wait for one. */
  flush() {
    this.#tell();
  }

  #tell() {
    if (!this.#due) return;
    this.#due = false;
    const { state, before } = this;
    this.before = state;
    for (const listener of [...this.#listeners]) listener(state, before);
  }
}
