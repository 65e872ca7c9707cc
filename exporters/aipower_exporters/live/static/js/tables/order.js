/* In which order rows stand, and how they get there with the fewest moves. */

/** @typedef {{key: string, descending: boolean}} Sort */
/** @typedef {number | string | null | undefined} Rank */

const letters = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * What is not known, and what has no name, comes last in both directions.
 * @param {Rank} value
 */
function missing(value) {
  return value === null || value === undefined || value === "";
}

/**
 * @param {Rank} left
 * @param {Rank} right
 */
function compare(left, right) {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return letters.compare(String(left), String(right));
}

/**
 * `rows` by what `rank` says of them; those that are equal stay as they came.
 * @template Row
 * @param {readonly Row[]} rows
 * @param {(row: Row) => Rank} rank
 * @param {boolean} descending
 * @returns {Row[]}
 */
export function sorted(rows, rank, descending) {
  const sign = descending ? -1 : 1;
  const ranked = rows.map((row) => ({ row, value: rank(row) }));
  ranked.sort((left, right) => {
    const gone = Number(missing(left.value)) - Number(missing(right.value));
    if (gone !== 0 || missing(left.value)) return gone;
    return sign * compare(left.value, right.value);
  });
  return ranked.map((one) => one.row);
}

/**
 * Which of `places` may stay, so that the fewest must move: the longest sequence that rises. Negative ones are new.
 * @param {readonly number[]} places
 * @returns {Set<number>} indices into `places`
 */
export function staying(places) {
  /** @type {number[]} */
  const ends = [];
  const before = new Array(places.length).fill(-1);
  places.forEach((place, index) => {
    if (place < 0) return;
    const length = firstNotBelow(ends, places, place);
    before[index] = length > 0 ? ends[length - 1] : -1;
    ends[length] = index;
  });
  const stay = new Set();
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index]) stay.add(index);
  return stay;
}

/**
 * @param {readonly number[]} ends
 * @param {readonly number[]} places
 * @param {number} place
 */
function firstNotBelow(ends, places, place) {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[ends[middle] ?? 0] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Makes `wanted` the children of `parent`, in this order. What has the focus keeps it.
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} wanted
 */
export function arrange(parent, wanted) {
  const now = [...parent.children];
  if (now.length === wanted.length && now.every((node, index) => node === wanted[index])) return;
  const focused = document.activeElement;
  const keep = new Set(/** @type {readonly Element[]} */ (wanted));
  for (const node of now) if (!keep.has(node)) node.remove();
  move(parent, wanted, new Map(now.map((node, index) => [node, index])));
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/**
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} wanted
 * @param {Map<Element, number>} places
 */
function move(parent, wanted, places) {
  const stay = staying(wanted.map((node) => places.get(node) ?? -1));
  /** @type {HTMLElement | null} */
  let next = null;
  for (let index = wanted.length - 1; index >= 0; index -= 1) {
    const node = /** @type {HTMLElement} */ (wanted[index]);
    if (!stay.has(index)) parent.insertBefore(node, next);
    next = node;
  }
}
