// Chance that is the same in each run, for laws that must hold whatever comes.

export class Dice {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 1. */
  next() {
    // mulberry32, in the public domain.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count) {
    return Math.floor(this.next() * count);
  }

  between(low, high) {
    return low + (high - low) * this.next();
  }

  of(choices) {
    return choices[this.below(choices.length)];
  }

  some(choices) {
    return choices.filter(() => this.next() < 0.5);
  }

  /** A text of letters that a name, a shell or an address may trip over. */
  text(most = 12) {
    const letters = [..."aZ09 _-./#&=?%+<>\"'é漢\u202e"];
    return Array.from({ length: this.below(most + 1) }, () => this.of(letters)).join("");
  }
}

/** Calls `law` with many dice, each with a number of its own, so that a failure can be called again. */
export function always(law, times = 200) {
  for (let seed = 0; seed < times; seed++) {
    try {
      law(new Dice(seed), seed);
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
}
