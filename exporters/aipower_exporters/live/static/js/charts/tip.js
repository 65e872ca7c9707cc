// The small box beside the pointer.

import { el, mark, show, text } from "../dom.js";
import { clock, plusMinus, watts } from "../format.js";

export class Tip {
  #when = el("b");
  #value = el("span");
  #span = el("span", { class: "quiet" });
  #box = el("div", { class: "tip", "aria-hidden": "true" }, this.#when, this.#value, this.#span);

  /** @param {HTMLElement} over */
  constructor(over) {
    over.append(this.#box);
    show(this.#box, false);
  }

  /**
   * @param {import("./instant.js").Instant | null} instant null hides it
   * @param {number} left
   * @param {boolean} full whether the value is a reading, not a mean
   */
  show(instant, left, full) {
    show(this.#box, instant !== null);
    if (!instant) return;
    text(this.#when, clock(instant.at_unix_s));
    const half = instant.half_w === null || full ? "" : ` ${plusMinus(instant.half_w, "W")}`;
    text(this.#value, `${watts(instant.total_w)}${half}`);
    const mean = `mean ${watts(instant.mean_w)} ${instant.half_w === null ? "" : plusMinus(instant.half_w, "W")}`;
    text(this.#span, full ? mean : `${watts(instant.min_w)} to ${watts(instant.max_w)}`);
    const width = this.#box.parentElement?.clientWidth ?? 0;
    mark(this.#box, "flipped", left > width / 2);
    this.#box.style.left = `${left}px`;
  }
}
