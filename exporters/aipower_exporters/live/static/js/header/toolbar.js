// What the chart shows, and the colours of the page.

import { el, set, show, text } from "../dom.js";
import { scopeOf, deviceLabel } from "../charts/scope.js";
import { openHelp } from "../panels/help.js";
import { turnTheme } from "../theme.js";
import { RANGES_S, STACKS } from "../view.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").State} State */

/** @type {Record<number, string>} */
const RANGES = { 300: "5 min", 900: "15 min", 3600: "1 h", 21600: "6 h" };
const STACK_NAMES = { component: "Component", device: "Device", process: "Process" };
const MANY = 3;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountToolbar(root, store) {
  const range = choice("Range", RANGES_S.map((one) => [String(one), RANGES[one] ?? ""]), (one) => {
    store.look({ range_s: Number(one), zoom: null });
  });
  const stack = choice("Stacked by", STACKS.map((by) => [by, STACK_NAMES[by]]), (by) => {
    store.look({ by: STACKS.find((one) => one === by) ?? "component", hidden: [] });
  });
  const buttons = buttonsOf(store);
  root.append(range.root, stack.root, buttons.scope, buttons.zoom, el("div", { class: "tool last" }, buttons.pause, buttons.theme, buttons.help));
  const render = () => {
    const { state } = store;
    range.check(String(state.view.range_s));
    stack.check(state.view.by);
    showButtons(buttons, state);
  };
  store.subscribe((state, before) => {
    if (state.view !== before.view || state.theme !== before.theme || state.snapshot !== before.snapshot) render();
  });
  render();
}

/** @param {Store} store */
function buttonsOf(store) {
  return {
    scope: button(() => store.look({ devices: [], hidden: [] })),
    zoom: button(() => store.look({ zoom: null })),
    pause: button(() => store.look({ paused: !store.state.view.paused })),
    theme: button(() => turnTheme(store)),
    help: el("button", { type: "button", "aria-label": "Help: words and keys", title: "Words and keys", "aria-haspopup": "dialog", onclick: openHelp }, "?"),
  };
}

/**
 * @param {ReturnType<typeof buttonsOf>} buttons
 * @param {State} state
 */
function showButtons({ scope, zoom, pause, theme }, state) {
  const { view } = state;
  show(scope, view.devices.length > 0);
  text(scope, `Only ${scopeText(state)} ×`);
  set(scope, "aria-label", "Show the whole node again");
  show(zoom, view.zoom !== null);
  text(zoom, "Reset zoom");
  text(pause, view.paused ? "Go on" : "Pause");
  set(pause, "aria-pressed", String(view.paused));
  text(theme, state.theme === "dark" ? "Light" : "Dark");
  set(theme, "aria-label", state.theme === "dark" ? "Use light colours" : "Use dark colours");
}

/** @param {State} state */
function scopeText(state) {
  const names = scopeOf(state.snapshot, state.view.devices).map(deviceLabel);
  if (names.length > MANY) return `${names.length} devices`;
  return names.join(", ") || "devices that are not here";
}

/** @param {() => void} act */
function button(act) {
  return el("button", { type: "button", onclick: act });
}

/**
 * Buttons of which one is chosen.
 * @param {string} name
 * @param {[string, string][]} options value and words
 * @param {(value: string) => void} choose
 */
function choice(name, options, choose) {
  const group = `tool-${name.replace(/\W/g, "-").toLowerCase()}`;
  const inputs = options.map(([value]) => el("input", { type: "radio", name: group, value, onchange: () => choose(value) }));
  const labels = options.map(([, words], i) => el("label", null, inputs[i], el("span", null, words)));
  const root = el("fieldset", { class: "tool" }, el("legend", { class: "unseen" }, name),
    el("span", { class: "name", "aria-hidden": "true" }, name), el("span", { class: "choice" }, ...labels));
  /** @param {string} value */
  const check = (value) => {
    for (const input of inputs) input.checked = input.value === value;
  };
  return { root, check };
}
