/* A table of keyed rows that is changed in place, so that focus, selection and scrolling survive each update. */

import { el, set, show, text } from "../dom.js";
import { count } from "../format.js";
import { Foot } from "./foot.js";
import { Head } from "./head.js";
import { arrange, sorted } from "./order.js";
import { keepStop, rove } from "./roving.js";
import { OpenRowView, RowView } from "./row.js";
import { watchSelection } from "./selecting.js";
import { RowWindow } from "./window.js";

/** @typedef {import("./order.js").Sort} Sort */
/** @typedef {import("./foot.js").Sum} Sum */
/**
 * @template Row
 * @typedef {import("./row.js").Column<Row>} Column
 */

/** Rows that are shown at first; the rest comes when it is asked for. */
export const PAGE = 100;
/** Of a longer table only the rows in sight are in the page: to lay out a table costs time for each row that it has. */
const WINDOWED_FROM = 60;

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
/**
 * The rows that are drawn, by key and with their numbers, and how many are left out above and below them.
 * @template Row
 * @typedef {{rows: Map<string, readonly [number, Row]>, above: number, below: number}} Part
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
    /** @type {{rows: readonly Row[], sort: Sort | null, sums: readonly Sum[], empty: string}} */
    this.last = { rows: [], sort: null, sums: [], empty: "" };
    this.all = false;
    this.windowed = false;
    this.made = 0;
    this.head = new Head(options.columns, options.onSort ?? ((sort) => this.render(this.last.rows, { sort })));
    this.foot = new Foot(options.columns);
    this.body = el("tbody");
    this.gaps = [el("tr", { class: "gap" }), el("tr", { class: "gap" })];
    this.note = el("p", { class: "empty", hidden: true });
    this.more = el("button", { type: "button", class: "more", hidden: true, onclick: () => this.turn(!this.all) });
    this.sheet = this.paper();
    this.box = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": options.caption }, this.sheet);
    this.node = el("div", { class: "table-box" }, this.note, this.box, this.more);
    this.sight = new RowWindow(this.box, () => this.again());
    this.selecting = watchSelection(this.body);
    /** True while somebody selects text: no row goes away or moves. */
    this.held = false;
    this.printing = false;
    if (options.detail) rove(this.body);
  }

  paper() {
    const title = el("caption", { class: "unseen" }, this.options.caption);
    return el("table", { class: "sheet" }, title, this.head.node, this.body, this.foot.node);
  }

  /**
   * On paper there are all rows.
   * @param {boolean} printing
   */
  print(printing) {
    this.printing = printing;
    this.again();
  }

  /**
   * Shows `rows`. Without an order they stay as they come; `empty` is told where there is none.
   * @param {readonly Row[]} rows
   * @param {{sort?: Sort | null, sums?: readonly Sum[], empty?: string}} [how]
   */
  render(rows, { sort = this.last.sort, sums = this.last.sums, empty = this.last.empty } = {}) {
    const resorted = sort?.key !== this.last.sort?.key || sort?.descending !== this.last.sort?.descending;
    this.last = { rows, sort, sums, empty };
    this.held = !resorted && this.selecting();
    this.head.update(sort);
    this.place(this.part(this.ordered(rows, sort)));
    this.foot.update(sums);
    show(this.box, rows.length > 0 || sums.length > 0);
    show(this.note, rows.length === 0 && empty !== "");
    text(this.note, empty);
    show(this.more, rows.length > PAGE);
    text(this.more, this.all ? `Show the first ${PAGE}` : `Show all ${count(rows.length)}`);
  }

  again() {
    this.render(this.last.rows);
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
   * What is drawn: the first rows, or those in sight, with the opened ones and the one that has the focus.
   * @param {readonly Row[]} rows
   * @returns {Part<Row>}
   */
  part(rows) {
    const { keyOf } = this.options;
    const keyed = rows.map((row, at) => /** @type {const} */ ([keyOf(row), /** @type {const} */ ([at, row])]));
    const most = this.all || this.printing ? rows.length : Math.min(PAGE, rows.length);
    this.windowed = most > WINDOWED_FROM && !this.printing;
    set(this.sheet, "aria-rowcount", this.windowed ? most + 1 : null);
    const [from, to] = this.windowed ? this.sight.range(most) : [0, most];
    const drawn = keyed.filter(([key], at) => (at >= from && at < to) || this.stays(key));
    return { rows: new Map(drawn), above: from, below: most - to };
  }

  /**
   * Whether a row is drawn wherever it stands: it is open, has the focus, or text is being selected.
   * @param {string} key
   */
  stays(key) {
    const view = this.views.get(key);
    return Boolean(view && (this.held || this.opened.has(key) || view.node.contains(document.activeElement)));
  }

  /** @param {boolean} all */
  turn(all) {
    this.all = all;
    if (!all) this.box.scrollTop = 0;
    this.sight.look();
    this.again();
  }

  /** @param {Part<Row>} part */
  place({ rows, above, below }) {
    for (const key of [...this.views.keys()]) if (!rows.has(key)) this.views.delete(key);
    for (const [key, [at, row]] of rows) this.update(key, row, at);
    if (!this.held) this.views = this.inOrder([...rows.keys()]);
    const nodes = [...this.views.keys()].flatMap((key) => this.nodes(key));
    arrange(this.body, this.withGaps(nodes, above, below));
    if (this.options.detail) keepStop(this.body);
  }

  /** @param {readonly string[]} keys */
  inOrder(keys) {
    return new Map(keys.map((key) => [key, /** @type {RowView<Row>} */ (this.views.get(key))]));
  }

  /**
   * Empty rows as high as those that are left out, so that the box scrolls as if they were there.
   * @param {HTMLElement[]} nodes
   * @param {number} above
   * @param {number} below
   */
  withGaps(nodes, above, below) {
    const [over, under] = this.gaps;
    const row_px = this.sight.row_px;
    const before = above && over ? [over] : [];
    const after = below && under ? [under] : [];
    if (over) over.style.height = `${above * row_px}px`;
    if (under) under.style.height = `${below * row_px}px`;
    return [...before, ...nodes, ...after];
  }

  /**
   * @param {string} key
   * @param {Row} row
   * @param {number} at how many rows come before it
   */
  update(key, row, at) {
    const view = this.views.get(key) ?? this.view(key);
    this.views.set(key, view);
    view.update(row, this.options.styleOf?.(row) ?? "");
    set(view.node, "aria-rowindex", this.windowed ? at + 2 : null);
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
    this.again();
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
