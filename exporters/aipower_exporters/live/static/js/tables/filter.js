/* The box that filters processes by words. */

import { el, text } from "../dom.js";
import { onKey } from "../panels/keys.js";

/** @typedef {import("../types").Process} Process */

/** @param {Process} row */
function words(row) {
  const { comm, user, pid, run, run_name: name, system, job, step, unit, container } = row;
  return [comm, user, pid, run, name, system, job, step, unit, container].join("\n").toLowerCase();
}

/**
 * The rows that have all words of `filter` in their name, user, pid, run or job, and those that have not.
 * @param {readonly Process[]} rows
 * @param {string} filter
 * @returns {{shown: readonly Process[], hidden: readonly Process[]}}
 */
export function divide(rows, filter) {
  const asked = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (!asked.length) return { shown: rows, hidden: [] };
  const matches = rows.map((row) => {
    const where = words(row);
    return asked.every((word) => where.includes(word));
  });
  return { shown: rows.filter((_, at) => matches[at]), hidden: rows.filter((_, at) => !matches[at]) };
}

export class Filter {
  /** @param {(filter: string) => void} onFilter */
  constructor(onFilter) {
    const onkeydown = (/** @type {KeyboardEvent} */ event) => this.escape(event);
    this.onFilter = onFilter;
    this.input = el("input", {
      type: "search", id: "process-filter", class: "search", autocomplete: "off", spellcheck: "false", maxlength: 200,
      placeholder: "name, user, pid, run, job", "aria-keyshortcuts": "/", oninput: () => onFilter(this.input.value), onkeydown,
    });
    this.count = el("span", { class: "quiet" });
    const label = el("label", { for: "process-filter" }, "Filter ", el("kbd", { "aria-hidden": "true" }, "/"));
    this.node = el("div", { class: "filter" }, label, this.input, this.count);
    onKey("/", () => this.focus());
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** @param {KeyboardEvent} event */
  escape(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.input.value = "";
    this.onFilter("");
    this.input.blur();
  }

  /**
   * @param {string} filter
   * @param {string} told how many match
   */
  update(filter, told) {
    if (this.input.value !== filter) this.input.value = filter;
    text(this.count, told);
  }
}
