/* Sources of energy data that cannot be read here, each with what to do about it. */

import { el, show, text } from "../dom.js";
import { harmless } from "../format.js";

/** @typedef {import("../types").Snapshot["missing"][number]} Missing */

/** @param {Missing} missing */
function item({ source, reason, remedy }) {
  const why = el("p", { class: "quiet" }, harmless(reason));
  const what = remedy ? el("p", null, harmless(remedy)) : null;
  return el("li", null, el("b", null, harmless(source)), why, what);
}

export class MissingList {
  constructor() {
    this.list = el("ul", { class: "missing" });
    this.node = el("div", { hidden: true }, el("h3", null, "Not measured"), this.list);
    this.shown = "";
  }

  /** @param {readonly Missing[]} missing */
  update(missing) {
    const now = JSON.stringify(missing);
    if (now === this.shown) return;
    this.shown = now;
    text(this.list, "");
    this.list.append(...missing.map(item));
    show(this.node, missing.length > 0);
  }
}
