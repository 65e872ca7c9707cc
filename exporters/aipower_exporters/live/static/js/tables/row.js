/* One row of a table, changed in place: a cell is written only where what it shows has changed. */

import { el, set, text } from "../dom.js";

/** @typedef {import("./order.js").Rank} Rank */

/**
 * A column, as data. `text` tells what a cell shows; `paint`, where there is one, draws it when that has changed.
 * @template Row
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} [spoken] the title in full, where the one that is shown is short
 * @property {string} [hint] what the column means
 * @property {boolean} [figure] set to the right
 * @property {boolean} [foreign] a name of any length: cut by the style sheet, in full when pointed at
 * @property {1 | 2 | 3 | 4} [rank] how soon it is hidden where there is no room: 4 first, 1 never
 * @property {string} [style] a class of its cells
 * @property {boolean} [rising] the least first when it is chosen
 * @property {(row: Row) => Rank} [sort] a column without it cannot be sorted by
 * @property {(row: Row) => string} text
 * @property {(cell: HTMLElement, row: Row, shown: string) => void} [paint]
 */

/**
 * What a row opens into.
 * @template Row
 * @typedef {{node: HTMLElement, update: (row: Row) => void}} Detail
 */

/**
 * @param {Column<any>} column
 * @param {string} more
 */
export function styleOf(column, more = "") {
  const words = [column.figure && "figure", column.foreign && "foreign", column.rank && `rank-${column.rank}`];
  return [...words, column.style, more].filter(Boolean).join(" ") || null;
}

/**
 * @param {Column<any>} column
 * @param {number} index
 */
function cellOf(column, index) {
  const attributes = { class: styleOf(column) };
  return index === 0 ? el("th", { scope: "row", ...attributes }) : el("td", attributes);
}

/** @template Row */
export class RowView {
  /** @param {readonly Column<Row>[]} columns */
  constructor(columns) {
    this.columns = columns;
    /** @type {HTMLElement[]} */
    this.cells = columns.map(cellOf);
    this.node = el("tr", null, ...this.cells);
    /** @type {(string | null)[]} */
    this.shown = columns.map(() => null);
    this.style = "";
  }

  /**
   * @param {Row} row
   * @param {string} style classes of the row
   */
  update(row, style) {
    this.columns.forEach((column, index) => {
      const shown = column.text(row);
      if (shown === this.shown[index]) return;
      this.shown[index] = shown;
      paint(column, /** @type {HTMLElement} */ (this.cells[index]), row, shown);
    });
    if (style !== this.style) this.node.className = style;
    this.style = style;
  }
}

/**
 * @param {Column<any>} column
 * @param {HTMLElement} cell
 * @param {any} row
 * @param {string} shown
 */
function paint(column, cell, row, shown) {
  if (column.paint) column.paint(cell, row, shown);
  else text(cell, shown);
  if (column.foreign) set(cell, "title", shown.length > 12 ? shown : null);
}

/**
 * A row that can be opened: a button in its first cell shows and hides a second one below it.
 * @template Row
 * @extends {RowView<Row>}
 */
export class OpenRowView extends RowView {
  /**
   * @param {readonly Column<Row>[]} columns
   * @param {string} id
   * @param {(row: Row) => string} nameOf what the row is called, for the button
   * @param {() => Detail<Row>} make
   * @param {(open: boolean) => void} toggled
   */
  constructor(columns, id, nameOf, make, toggled) {
    super(columns);
    this.nameOf = nameOf;
    this.make = make;
    this.id = id;
    const onclick = () => toggled(!this.open);
    this.button = el("button", { type: "button", class: "opener", "aria-expanded": "false", tabindex: "-1", onclick });
    /** @type {Detail<Row> | null} */
    this.detail = null;
    this.below = el("tr", { class: "detail", id });
    this.open = false;
    this.attach();
  }

  /** The first cell is told apart from the button in it. */
  attach() {
    const [first] = this.cells;
    const label = el("span", { class: "label", id: `${this.id}-name` });
    first?.classList.add("opens");
    first?.append(this.button, label);
    first?.setAttribute("aria-labelledby", label.id);
    if (first) this.cells[0] = label;
  }

  /**
   * @override
   * @param {Row} row
   * @param {string} style
   */
  update(row, style) {
    super.update(row, style);
    set(this.button, "aria-label", `Details of ${this.nameOf(row)}`);
    if (this.open) this.detail?.update(row);
  }

  /**
   * @param {boolean} open
   * @param {Row} row
   */
  show(open, row) {
    if (open === this.open) return;
    this.open = open;
    set(this.button, "aria-expanded", String(open));
    set(this.button, "aria-controls", open ? this.id : null);
    set(this.node, "data-open", open);
    if (open) this.reveal(row);
  }

  /** @param {Row} row */
  reveal(row) {
    if (!this.detail) {
      this.detail = this.make();
      this.below.append(el("td", { colspan: this.columns.length }, this.detail.node));
    }
    this.detail.update(row);
  }
}
