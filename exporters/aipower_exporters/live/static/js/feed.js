// Keeps the state as the agent has it: one poll at a time, none while nobody looks.

import { livePatch, historyPatch, restarted } from "./arrival.js";
import { ask, NoAnswer } from "./ask.js";
import { historyKey, historyQuestion, liveQuestion, stepsQuestion } from "./questions.js";

/** Quick enough to see, and a third cheaper for the agent than every second. */
const LEAST_MS = 1500;
const PAUSE_MS = 200;
const MOST_PAUSE_MS = 10_000;
/** Polls between two questions for the long tables, while they are in sight. @type {Record<Table, number>} */
const TABLES_EVERY = { processes: 2, jobs: 6 };
const TABLES = /** @type {const} */ (["processes", "jobs"]);
const RUNS_EVERY_MS = 10_000;
/** Layers come and go: from time to time all steps are asked for again, told the same way throughout. */
const ANEW_EVERY = { component: 200, device: 200, process: 20 };

/** @typedef {import("./store.js").Store} Store */
/** @typedef {"processes" | "jobs"} Table */

export class Feed {
  #store;
  #sees;
  #turns = 0;
  #failures = 0;
  #busy = false;
  #again = false;
  #timer = 0;
  #runsAt_ms = 0;
  /** The turn in which each was asked for last. @type {Record<Table, number>} */
  #asked = { processes: -Infinity, jobs: -Infinity };

  /**
   * @param {Store} store
   * @param {(part: Table | "runs") => boolean} sees whether a part of the page is in sight
   */
  constructor(store, sees) {
    this.#store = store;
    this.#sees = sees;
  }

  start() {
    document.addEventListener("visibilitychange", () => this.wake());
    this.#store.subscribe((state, before) => {
      const asked = historyKey(state.view) !== historyKey(before.view);
      if (asked || (before.view.paused && !state.view.paused)) this.wake();
    });
    this.wake();
  }

  /** A part of the page has come into sight: what it shows may be old. */
  look() {
    if (this.#turns > 0 && (TABLES.some((table) => this.#due(table)) || this.#runsDue())) this.wake();
  }

  /** Polls at once, unless nobody looks. */
  wake() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    const { history, view } = this.#store.state;
    const asked = history !== null && history.key !== historyKey(view);
    if (!document.hidden && (!view.paused || asked)) void this.#turn();
  }

  async #turn() {
    const began_ms = performance.now();
    this.#busy = true;
    try {
      await (this.#store.state.view.paused ? this.#steps() : this.#poll());
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
      this.#plan(began_ms);
    }
  }

  /** @param {number} began_ms */
  #plan(began_ms) {
    const delay_ms = this.#again ? 0 : this.#delay(began_ms);
    this.#again = false;
    this.#timer = window.setTimeout(() => this.wake(), delay_ms);
  }

  /** @param {number} began_ms */
  #delay(began_ms) {
    if (this.#failures) return Math.min(MOST_PAUSE_MS, 1000 * 2 ** (this.#failures - 1));
    const interval_ms = Math.max(LEAST_MS, (this.#store.state.snapshot?.interval_s ?? 0) * 1000);
    return Math.max(PAUSE_MS, began_ms + interval_ms - performance.now());
  }

  async #poll() {
    const { state } = this.#store;
    const key = historyKey(state.view);
    const anew = state.history?.key !== key || this.#turns % ANEW_EVERY[state.view.by] === 0;
    const known = anew ? { ...state, history: null } : state;
    const [steps, tables] = [stepsQuestion(known), this.#tables()];
    const [live, history] = await Promise.all([
      ask("api/v1/live", liveQuestion(known, ["snapshot", ...tables])),
      steps ? ask("api/v1/history", steps) : null,
    ]);
    for (const table of tables) this.#asked[table] = this.#turns;
    this.#turns = restarted(state, live.snapshot) ? 0 : this.#turns + 1;
    this.#store.update(livePatch(this.#store.state, live, key));
    if (history) this.#store.update(historyPatch(this.#store.state, history, key));
    await this.#runs();
  }

  /** The steps of another view while the page is paused: nothing else changes. */
  async #steps() {
    const { view } = this.#store.state;
    const doc = await ask("api/v1/history", historyQuestion(view));
    this.#store.update(historyPatch(this.#store.state, doc, historyKey(view)));
  }

  /** The first poll asks for all there is. */
  #tables() {
    return TABLES.filter((table) => this.#turns === 0 || this.#due(table));
  }

  /** @param {Table} table */
  #due(table) {
    return this.#sees(table) && this.#turns - this.#asked[table] >= TABLES_EVERY[table];
  }

  #runsDue() {
    return this.#sees("runs") && performance.now() - this.#runsAt_ms >= RUNS_EVERY_MS;
  }

  async #runs() {
    if (this.#store.state.runs && !this.#runsDue()) return;
    this.#runsAt_ms = performance.now();
    this.#store.update({ runs: await ask("api/v1/runs") });
  }

  #succeeded() {
    this.#failures = 0;
    if (this.#store.state.connection.status !== "live") this.#connection("live", "");
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#failures += 1;
    if (error instanceof NoAnswer) return this.#connection(error.status, error.message);
    this.#connection("lost", "the page cannot make sense of the answer");
    // A fault of the page's own belongs into the browser's console.
    throw error;
  }

  /**
   * @param {import("./store.js").Connection["status"]} status
   * @param {string} error
   */
  #connection(status, error) {
    const { connection } = this.#store.state;
    const since_ms = connection.status === status ? connection.since_ms : Date.now();
    if (connection.status !== status || connection.error !== error) {
      this.#store.update({ connection: { status, since_ms, error } });
    }
  }
}
