// The main chart with its legend.

import { el, show, text } from "../dom.js";
import { Inks } from "../theme.js";
import { instantAt, newest } from "./instant.js";
import { listen } from "./keys.js";
import { Legend } from "./legend.js";
import { pictureOf } from "./picture.js";
import { MainPlot } from "./plot.js";
import { deviceLabel, scopeOf } from "./scope.js";
import { summaryOf, wordsAt } from "./summary.js";
import { Tip } from "./tip.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").State} State */
/** @typedef {import("./picture.js").Picture} Picture */

const LEAST_ZOOM_S = 2;
const SUMMARY_EVERY = 10;
const MOST_NAMES = 4;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountMainChart(root, store) {
  new MainChart(root, store);
}

class MainChart {
  #store;
  #inks;
  #plot;
  #legend;
  #tip;
  #parts = frame();
  /** @type {Picture | null} */
  #picture = null;
  /** @type {number | null} */
  #key_s = null;
  /** @type {number | null} */
  #pointer_s = null;
  #left = 0;
  #seen = true;
  #stale = false;
  #summarised = -SUMMARY_EVERY;

  /**
   * @param {HTMLElement} root
   * @param {Store} store
   */
  constructor(root, store) {
    this.#store = store;
    root.append(this.#parts.head, this.#parts.body, this.#parts.note, this.#parts.summary, this.#parts.spoken);
    root.querySelector("h2")?.after(this.#parts.head);
    this.#inks = new Inks(root);
    this.#legend = new Legend(this.#parts.legend, (key) => this.#toggle(key));
    this.#plot = new MainPlot(this.#parts.plot, this.#inks, {
      point: (at_unix_s, left) => this.#pointed(at_unix_s, left),
      zoom: (from_s, to_s) => this.#zoom(from_s, to_s),
      reset: () => this.#store.look({ zoom: null }),
    });
    this.#tip = new Tip(this.#plot.over);
    this.#listen();
    this.#draw();
  }

  #listen() {
    listen(this.#parts.plot, {
      picture: () => this.#picture,
      at: () => this.#key_s,
      go: (at_unix_s) => this.#walk(at_unix_s),
      reset: () => this.#store.state.view.zoom && this.#store.look({ zoom: null }),
    });
    new IntersectionObserver((entries) => {
      this.#seen = entries[entries.length - 1]?.isIntersecting ?? true;
      if (this.#seen && this.#stale) this.#draw();
    }, { rootMargin: "100px" }).observe(this.#parts.body);
    addEventListener("beforeprint", () => this.#stale && this.#draw(true));
    this.#store.subscribe((state, before) => {
      if (state.theme !== before.theme) this.#inks.forget();
      if (changed(state, before)) this.#draw();
    });
  }

  #draw(seen = this.#seen) {
    this.#stale = !seen;
    if (this.#stale) return;
    const { state, palette } = this.#store;
    const picture = pictureOf(state, palette);
    this.#picture = picture;
    this.#plot.draw(picture);
    text(this.#parts.scope, scopeText(state));
    text(this.#parts.note, noteText(picture));
    this.#empty(state);
    if (this.#key_s !== null) this.#plot.point(this.#key_s);
    this.#tell();
    this.#summarise(picture, state.polls);
  }

  /**
   * From time to time, but at once when the first figures come.
   * @param {Picture} picture
   * @param {number} polls
   */
  #summarise(picture, polls) {
    if (polls - this.#summarised < SUMMARY_EVERY) return;
    if (picture.line[1].some((value) => value !== null)) this.#summarised = polls;
    text(this.#parts.summary, summaryOf(picture));
  }

  /** @param {State} state */
  #empty(state) {
    const devices = scopeOf(state.snapshot, state.view.devices);
    const none = state.snapshot !== null && devices.length === 0;
    const words = none ? "No device here has a sensor that is read; Health below says why." : "Waiting for the first figures.";
    const blank = none || (state.polls === 0 && state.connection.status === "connecting");
    show(this.#parts.blank, blank);
    text(this.#parts.blank, words);
  }

  #tell() {
    const picture = this.#picture;
    if (!picture) return;
    const at_s = this.#key_s ?? this.#pointer_s;
    const instant = at_s === null ? newest(picture) : instantAt(picture, at_s);
    this.#legend.show(picture, instant, at_s !== null);
    this.#tip.show(at_s === null ? null : instant, this.#left, picture.full);
  }

  /**
   * @param {number | null} at_unix_s
   * @param {number} left
   */
  #pointed(at_unix_s, left) {
    this.#pointer_s = at_unix_s;
    this.#left = left;
    this.#tell();
  }

  /** @param {number | null} at_unix_s */
  #walk(at_unix_s) {
    if (at_unix_s === null && this.#key_s === null) return;
    this.#key_s = at_unix_s;
    this.#plot.point(at_unix_s);
    this.#tell();
    const words = at_unix_s !== null && this.#picture ? wordsAt(this.#picture, instantAt(this.#picture, at_unix_s)) : "";
    text(this.#parts.spoken, words);
  }

  /**
   * @param {number} from_s
   * @param {number} to_s
   */
  #zoom(from_s, to_s) {
    const middle_s = (from_s + to_s) / 2;
    const half_s = Math.max(LEAST_ZOOM_S, to_s - from_s) / 2;
    this.#store.look({ zoom: [middle_s - half_s, middle_s + half_s] });
  }

  /** @param {string} key */
  #toggle(key) {
    const { hidden } = this.#store.state.view;
    this.#store.look({ hidden: hidden.includes(key) ? hidden.filter((one) => one !== key) : [...hidden, key] });
  }
}

function frame() {
  const scope = el("span", { class: "quiet chart-scope" });
  const plot = el("div", {
    class: "plot", tabindex: "0", role: "application", "aria-roledescription": "chart",
    "aria-label": "Power over time. Arrow keys walk along it, Escape ends a zoom.", "aria-describedby": "chart-summary",
  });
  const legend = el("div", { class: "legend" });
  const blank = el("p", { class: "blank quiet" });
  return {
    scope, plot, legend, blank,
    head: el("p", { class: "chart-head" }, scope),
    body: el("div", { class: "chart-body" }, el("div", { class: "plot-frame" }, plot, blank), legend),
    note: el("p", { class: "chart-note quiet" }),
    summary: el("p", { class: "unseen", id: "chart-summary" }),
    spoken: el("output", { class: "unseen", "aria-live": "polite" }),
  };
}

/**
 * @param {State} state
 * @param {State} before
 */
function changed(state, before) {
  return state.polls !== before.polls || state.history !== before.history || state.zoomed !== before.zoomed ||
    state.view !== before.view || state.theme !== before.theme || state.snapshot !== before.snapshot ||
    state.connection !== before.connection;
}

/** @param {State} state */
function scopeText(state) {
  if (!state.view.devices.length) return "whole node";
  const names = scopeOf(state.snapshot, state.view.devices).map(deviceLabel);
  const more = names.length - MOST_NAMES;
  return more > 1 ? `${names.slice(0, MOST_NAMES).join(", ")} and ${more} more` : names.join(", ");
}

/** @param {Picture} picture */
function noteText(picture) {
  const step = picture.series ? `${picture.series.step_s} s` : "";
  const band = "Grey band: 95 % interval of the mean.";
  const line = picture.full ? "Line: total, every reading." : `Line: mean of ${step}; pale: its lowest and highest reading.`;
  return `${line} ${band} Drag to zoom.`;
}
