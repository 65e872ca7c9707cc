/* The head of a table: titles, and buttons where rows can be sorted by them. */

import { el, set, text } from "../dom.js";
import { styleOf } from "./row.js";

/** @typedef {import("./order.js").Sort} Sort */
/**
 * @template Row
 * @typedef {import("./row.js").Column<Row>} Column
 */

/**
 * The order that a click on a column asks for: its own first, the reverse at the second click.
 * @param {Column<any>} column
 * @param {Sort | null} now
 * @returns {Sort}
 */
export function chosen(column, now) {
  const descending = now?.key === column.key ? !now.descending : !column.rising;
  return { key: column.key, descending };
}

/**
 * @param {Column<any>} column
 * @returns {(Node | null)[]}
 */
function title(column) {
  const shown = el("span", { "aria-hidden": column.spoken ? "true" : null }, column.title);
  return [shown, column.spoken ? el("span", { class: "unseen" }, column.spoken) : null];
}

/** @template Row */
export class Head {
  /**
   * @param {readonly Column<Row>[]} columns
   * @param {(sort: Sort) => void} onSort
   */
  constructor(columns, onSort) {
    this.columns = columns;
    this.onSort = onSort;
    /** @type {Sort | null} */
    this.sort = null;
    this.arrows = columns.map(() => el("span", { class: "arrow", "aria-hidden": "true" }));
    this.cells = columns.map((column, index) => this.cell(column, index));
    this.node = el("thead", null, el("tr", null, ...this.cells));
  }

  /**
   * @param {Column<Row>} column
   * @param {number} index
   */
  cell(column, index) {
    const attributes = { scope: "col", class: styleOf(column), title: column.hint };
    if (!column.sort) return el("th", attributes, ...title(column));
    const onclick = () => this.onSort(chosen(column, this.sort));
    const button = el("button", { type: "button", class: "sorter", onclick }, ...title(column), this.arrows[index]);
    return el("th", attributes, button);
  }

  /** @param {Sort | null} sort */
  update(sort) {
    this.sort = sort;
    this.columns.forEach((column, index) => {
      if (!column.sort) return;
      const way = sort?.key !== column.key ? "none" : sort.descending ? "descending" : "ascending";
      set(/** @type {Element} */ (this.cells[index]), "aria-sort", way);
      text(/** @type {Element} */ (this.arrows[index]), way === "none" ? "" : way === "descending" ? "▼" : "▲");
    });
  }
}
