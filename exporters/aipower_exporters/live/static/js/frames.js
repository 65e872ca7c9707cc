// Work for several frames: each has a few milliseconds of it, so that scrolling and typing stay smooth.

const BUDGET_MS = 4;

export class Frames {
  /** @type {(() => void)[]} */
  #left = [];
  #due = false;

  /**
   * Does `works` one after the other, from the next frame on; what is left of those before is done no more.
   * @param {(() => void)[]} works
   */
  run(works) {
    this.#left = [...works].reverse();
    this.#plan();
  }

  #plan() {
    if (this.#due || !this.#left.length) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#some();
      this.#plan();
    });
  }

  #some() {
    const until_ms = performance.now() + BUDGET_MS;
    do this.#left.pop()?.();
    while (this.#left.length && performance.now() < until_ms);
  }
}
