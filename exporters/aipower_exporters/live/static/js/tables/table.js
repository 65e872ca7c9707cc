/* A table of keyed rows that is changed in place, so that focus, selection and scrolling survive each update. */

import { el, show, text } from "../dom.js";
import { count } from "../format.js";
import { Foot } from "./foot.js";
import { Head } from "./head.js";
import { arrange, selecting, sorted } from "./order.js";
import { keepStop, rove } from "./roving.js";
import { OpenRowView, RowView } from "./row.js";

/** @typedef {import("./order.js").Sort} Sort */
/** @typedef {import("./foot.js").Sum} Sum */
/**
 * @template Row
 * @typedef {import("./row.js").Column<Row>} Column
 */

/** Rows that are shown at first; the rest comes when it is asked for. */
export const PAGE = 100;

/**
 * @template Row
 * @typedef {object} Options
 * @property {string} id a word that no other table of the page has
 * @property {string} caption what the table holds, for those who hear it
 * @property {readonly Column<Row>[]} columns the first names the row
 * @property {(row: Row) => string} keyOf
 * @property {(row: Row) => string} [styleOf] classes of a row
 * @property {(row: Row) => string} [nameOf] what a row is called; needed with `detail`
 * @property {() => import("./row.js").Detail<Row>} [detail] what a row opens into
 * @property {(sort: Sort) => void} [onSort] keeps the order that was chosen and renders anew; without it the table does
 */

/** @template Row */
export class Table {
  /** @param {Options<Row>} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, RowView<Row>>} */
    this.views = new Map();
    /** @type {Set<string>} */
    this.opened = new Set();
    /** @type {{rows: readonly Row[], sort: Sort | null, sums: readonly Sum[]}} */
    this.last = { rows: [], sort: null, sums: [] };
    this.all = false;
    this.made = 0;
    this.head = new Head(options.columns, options.onSort ?? ((sort) => this.render(this.last.rows, { sort })));
    this.foot = new Foot(options.columns);
    this.body = el("tbody");
    this.note = el("p", { class: "empty", hidden: true });
    this.more = el("button", { type: "button", class: "more", hidden: true, onclick: () => this.turn() });
    this.box = this.frame();
    this.node = el("div", { class: "table-box" }, this.note, this.box, this.more);
    if (options.detail) rove(this.body);
  }

  /** The box that scrolls. */
  frame() {
    const { caption } = this.options;
    const title = el("caption", { class: "unseen" }, caption);
    const table = el("table", { class: "sheet" }, title, this.head.node, this.body, this.foot.node);
    return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
  }

  /**
   * Shows `rows`. Without an order they stay as they come; `empty` is told where there is none.
   * @param {readonly Row[]} rows
   * @param {{sort?: Sort | null, sums?: readonly Sum[], empty?: string}} [how]
   */
  render(rows, { sort = this.last.sort, sums = this.last.sums, empty = "" } = {}) {
    const resorted = sort?.key !== this.last.sort?.key || sort?.descending !== this.last.sort?.descending;
    this.last = { rows, sort, sums };
    this.head.update(sort);
    const ordered = this.ordered(rows, sort);
    this.place(this.page(ordered), resorted);
    this.foot.update(sums);
    show(this.box, rows.length > 0 || sums.length > 0);
    show(this.note, rows.length === 0 && empty !== "");
    text(this.note, empty);
  }

  /**
   * @param {readonly Row[]} rows
   * @param {Sort | null} sort
   */
  ordered(rows, sort) {
    const rank = this.options.columns.find((column) => column.key === sort?.key)?.sort;
    return sort && rank ? sorted(rows, rank, sort.descending) : rows;
  }

  /**
   * The part that is shown, and the button that asks for the rest.
   * @param {readonly Row[]} rows
   */
  page(rows) {
    show(this.more, rows.length > PAGE);
    text(this.more, this.all ? `Show the first ${PAGE}` : `Show all ${count(rows.length)}`);
    return this.all ? rows : rows.slice(0, PAGE);
  }

  turn() {
    this.all = !this.all;
    this.render(this.last.rows);
  }

  /**
   * @param {readonly Row[]} rows
   * @param {boolean} resorted
   */
  place(rows, resorted) {
    const { keyOf } = this.options;
    const shown = new Map(rows.map((row) => [keyOf(row), row]));
    for (const key of this.views.keys()) if (!shown.has(key)) this.views.delete(key);
    for (const [key, row] of shown) this.update(key, row);
    const held = !resorted && selecting(this.body);
    const keys = held ? [...this.views.keys()] : [...shown.keys()];
    if (!held) this.views = new Map(keys.map((key) => [key, /** @type {RowView<Row>} */ (this.views.get(key))]));
    arrange(this.body, keys.flatMap((key) => this.nodes(key)));
    if (this.options.detail) keepStop(this.body);
  }

  /**
   * @param {string} key
   * @param {Row} row
   */
  update(key, row) {
    const view = this.views.get(key) ?? this.view(key);
    this.views.set(key, view);
    view.update(row, this.options.styleOf?.(row) ?? "");
    if (view instanceof OpenRowView) view.show(this.opened.has(key), row);
  }

  /**
   * @param {string} key
   * @returns {RowView<Row>}
   */
  view(key) {
    const { columns, detail, nameOf = this.options.keyOf, id } = this.options;
    if (!detail) return new RowView(columns);
    this.made += 1;
    return new OpenRowView(columns, `${id}-${this.made}`, nameOf, detail, (open) => this.toggle(key, open));
  }

  /**
   * @param {string} key
   * @param {boolean} open
   */
  toggle(key, open) {
    if (open) this.opened.add(key);
    else this.opened.delete(key);
    this.render(this.last.rows);
  }

  /**
   * @param {string} key
   * @returns {HTMLElement[]}
   */
  nodes(key) {
    const view = this.views.get(key);
    if (!view) return [];
    return view instanceof OpenRowView && view.open ? [view.node, view.below] : [view.node];
  }
}
