/* A list of names and values, changed in place; what has no value is not shown. */

import { el, show, text } from "../dom.js";

export class Facts {
  /** @param {readonly string[]} names in the order in which they stand */
  constructor(names) {
    this.values = new Map(names.map((name) => [name, el("dd")]));
    const items = names.map((name) => el("div", { hidden: true }, el("dt", null, name), this.values.get(name)));
    this.node = el("dl", { class: "facts" }, ...items);
  }

  /** @param {Record<string, string>} values by name */
  update(values) {
    for (const [name, cell] of this.values) {
      const value = values[name] ?? "";
      if (cell.parentElement) show(cell.parentElement, value !== "");
      text(cell, value);
    }
  }
}
