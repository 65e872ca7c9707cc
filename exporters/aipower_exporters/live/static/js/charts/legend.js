// The legend: what each layer is, its watts where the pointer is or now, and a button that takes it out of the stack.

import { clear, el, mark, set, text } from "../dom.js";
import { clock, plusMinus, watts } from "../format.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./picture.js").PictureLayer} PictureLayer */
/** @typedef {{row: HTMLElement, swatch: HTMLElement, name: HTMLElement, button: HTMLElement, power: HTMLElement, half: HTMLElement}} Row */

export class Legend {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #body = el("tbody");
  #when = el("span");
  #total = figures();
  #toggle;
  #order = "";

  /**
   * @param {HTMLElement} root
   * @param {(key: string) => void} toggle
   */
  constructor(root, toggle) {
    this.#toggle = toggle;
    const head = el("th", { scope: "row" }, el("span", { class: "swatch line" }), "Total");
    root.append(
      el("p", { class: "legend-when quiet" }, this.#when),
      el("div", { class: "legend-scroll" }, el("table", null,
        el("caption", { class: "unseen" }, "Layers of the chart and their power"),
        el("thead", null, el("tr", null, head, this.#total.power, this.#total.half)),
        this.#body)),
    );
  }

  /**
   * @param {Picture} picture
   * @param {import("./instant.js").Instant | null} instant
   * @param {boolean} pointed whether a time was chosen
   */
  show(picture, instant, pointed) {
    this.#arrange(picture);
    text(this.#when, whenText(picture, instant, pointed));
    fill(this.#total, instant?.total_w, instant?.half_w);
    for (const layer of picture.layers) {
      const row = /** @type {Row} */ (this.#rows.get(layer.key));
      const value = instant?.layers.get(layer.key);
      fill(row, value?.power_w, value?.half_w);
    }
  }

  /** @param {Picture} picture the layer that is on top of the stack stands on top here */
  #arrange(picture) {
    const wanted = [...picture.layers].reverse();
    const order = wanted.map((layer) => [layer.key, layer.label, layer.color, layer.hidden].join("\t")).join("\n");
    if (order === this.#order) return;
    this.#order = order;
    const rows = wanted.map((layer) => this.#row(layer));
    if (rows.some((row, i) => this.#body.children[i] !== row) || this.#body.children.length !== rows.length) {
      clear(this.#body);
      this.#body.append(...rows);
    }
  }

  /** @param {PictureLayer} layer */
  #row(layer) {
    const row = this.#rows.get(layer.key) ?? this.#made(layer.key);
    text(row.name, layer.label);
    set(row.name, "title", layer.label);
    row.swatch.style.color = layer.color;
    set(row.button, "aria-pressed", String(!layer.hidden));
    mark(row.row, "off", layer.hidden);
    return row.row;
  }

  /** @param {string} key */
  #made(key) {
    const swatch = el("span", { class: "swatch" });
    const name = el("bdi", { class: "legend-name" });
    const button = el("button", { type: "button", class: "layer", onclick: () => this.#toggle(key) }, swatch, name);
    const values = figures();
    const row = el("tr", null, el("th", { scope: "row" }, button), values.power, values.half);
    const made = { row, swatch, name, button, ...values };
    this.#rows.set(key, made);
    return made;
  }
}

/**
 * @param {Picture} picture
 * @param {import("./instant.js").Instant | null} instant
 * @param {boolean} pointed
 */
function whenText({ full, series }, instant, pointed) {
  if (!instant) return "No figures yet";
  if (pointed) return `At ${clock(instant.at_unix_s)}`;
  // The layers are known once the step is over: they are a little older than the total.
  return full && series ? `Now; layers at ${clock(instant.at_unix_s)}` : `Newest step, ${clock(instant.at_unix_s)}`;
}

function figures() {
  return { power: el("td", { class: "figure" }), half: el("td", { class: "figure half" }) };
}

/**
 * @param {{power: HTMLElement, half: HTMLElement}} cells
 * @param {number | null | undefined} power_w
 * @param {number | null | undefined} half_w
 */
function fill(cells, power_w, half_w) {
  text(cells.power, watts(power_w));
  text(cells.half, half_w == null ? "" : plusMinus(half_w, "W"));
}
