// One colour for each thing, the same wherever it is shown and for as long as the page is open.

const HUES = 7;
/** How the hues go on when all are taken: nearer to the text, then nearer to the card; what stands out comes first. */
const SHADES = [
  /** @param {string} hue */ (hue) => hue,
  /** @param {string} hue */ (hue) => `color-mix(in srgb, ${hue} 58%, var(--text))`,
  /** @param {string} hue */ (hue) => `color-mix(in srgb, ${hue} 70%, var(--card))`,
];
const SLOTS = HUES * SHADES.length;
const FIXED = new Map([
  ["idle", "var(--idle)"], ["context", "var(--context)"], ["active", "var(--active)"], ["unattributed", "var(--unattributed)"],
  ["other", "var(--hue-7)"], ["others", "var(--hue-7)"], ["ended", "var(--hue-7)"],
]);

/** @param {number} slot */
function shadeOf(slot) {
  const shade = SHADES[Math.floor(slot / HUES) % SHADES.length];
  return shade ? shade(`var(--hue-${slot % HUES})`) : "var(--hue-7)";
}

/** @param {string} key */
function hash(key) {
  let found = 0;
  for (let i = 0; i < key.length; i++) found = (found * 31 + key.charCodeAt(i)) >>> 0;
  return found;
}

export class Palette {
  /** @type {Map<string, Map<string, number>>} */
  #slots = new Map();

  /**
   * Devices take the hues in the order in which the agent names them.
   * @param {string[]} ids
   */
  devices(ids) {
    const taken = this.#of("device");
    for (const id of ids) if (!taken.has(id)) taken.set(id, taken.size % SLOTS);
  }

  /**
   * @param {string} by
   * @param {string} key of a layer
   * @returns {string} a colour for a style; see `Inks` for a canvas
   */
  colorOf(by, key) {
    const fixed = FIXED.get(key);
    if (fixed) return fixed;
    const taken = this.#of(by);
    const slot = taken.get(key) ?? free(taken, hash(key));
    taken.set(key, slot);
    return shadeOf(slot);
  }

  /**
   * Gives back the colours of what is not shown any more, so that those to come do not have to share.
   * @param {string} by
   * @param {Set<string>} keys
   */
  keep(by, keys) {
    const taken = this.#of(by);
    for (const key of [...taken.keys()]) if (!keys.has(key)) taken.delete(key);
  }

  /** @param {string} by */
  #of(by) {
    const found = this.#slots.get(by) ?? new Map();
    this.#slots.set(by, found);
    return found;
  }
}

/**
 * The key's own slot if it is free, else the next: the same process has the same colour on most pages.
 * @param {Map<string, number>} taken
 * @param {number} wish
 */
function free(taken, wish) {
  const used = new Set(taken.values());
  for (let shade = 0; shade < SHADES.length; shade++) {
    for (let i = 0; i < HUES; i++) {
      const slot = shade * HUES + ((wish + i) % HUES);
      if (!used.has(slot)) return slot;
    }
  }
  return wish % SLOTS;
}
