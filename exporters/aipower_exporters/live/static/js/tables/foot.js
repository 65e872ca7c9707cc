/* The rows below a table that complete its sum. */

import { el, text } from "../dom.js";
import { arrange } from "./order.js";
import { RowView } from "./row.js";

/**
 * A row of the foot: what stands in which column. The first column has its name and what it means.
 * @typedef {{name: string, meaning?: string, style?: string, cells: Record<string, string>}} Sum
 */
/**
 * @template Row
 * @typedef {import("./row.js").Column<Row>} Column
 */

/**
 * @param {HTMLElement} cell
 * @param {Sum} sum
 */
function named(cell, sum) {
  if (!cell.firstChild) cell.append(el("b"), " ", el("small"));
  const [word, meaning] = cell.children;
  if (!word || !meaning) return;
  text(word, sum.name);
  text(meaning, sum.meaning ?? "");
}

/**
 * The same columns, told by a sum and not by a row.
 * @param {readonly Column<any>[]} columns
 * @returns {Column<Sum>[]}
 */
function summed(columns) {
  return columns.map((column, index) => ({
    key: column.key,
    title: column.title,
    figure: column.figure,
    rank: column.rank,
    style: column.style,
    text: (sum) => (index === 0 ? `${sum.name}\n${sum.meaning ?? ""}` : (sum.cells[column.key] ?? "")),
    paint: index === 0 ? named : undefined,
  }));
}

export class Foot {
  /** @param {readonly Column<any>[]} columns */
  constructor(columns) {
    this.columns = summed(columns);
    /** @type {Map<string, RowView<Sum>>} */
    this.views = new Map();
    this.node = el("tfoot");
  }

  /** @param {readonly Sum[]} sums */
  update(sums) {
    const wanted = sums.map((sum) => {
      const view = this.views.get(sum.name) ?? new RowView(this.columns);
      this.views.set(sum.name, view);
      view.update(sum, sum.style ?? "");
      return view.node;
    });
    arrange(this.node, wanted);
  }
}
