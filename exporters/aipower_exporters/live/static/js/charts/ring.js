// The readings of the last minutes, a column for each device. A reading that is missing is NaN.

const KEEP_S = 330;
const FIRST_ROOM = 1024;
/** An answer that is older than this beside what is known was given after the clock was set back. */
const SET_BACK_S = 5;

export class PowerRing {
  /** @type {Float64Array<ArrayBufferLike>} */
  #at = new Float64Array(FIRST_ROOM);
  /** @type {Map<string, Float64Array<ArrayBufferLike>>} */
  #columns = new Map();
  #start = 0;
  #end = 0;
  #broken = false;
  /** What to give to the agent as `after`; null before the first reading. @type {number | null} */
  next = null;

  get length() {
    return this.#end - this.#start;
  }

  /** When each reading was taken, unix seconds. A view of the ring: it holds until the next `append`. */
  get at() {
    return this.#at.subarray(this.#start, this.#end);
  }

  get newest() {
    return this.length ? /** @type {number} */ (this.#at[this.#end - 1]) : null;
  }

  /** @param {string} id of a device; undefined where it was never seen */
  column(id) {
    return this.#columns.get(id)?.subarray(this.#start, this.#end);
  }

  /** What comes next does not join what was before: the agent has restarted. */
  interrupt() {
    this.#broken = this.length > 0;
  }

  /** @param {import("../types").Power} power what is not newer than what is there counts as known */
  append(power) {
    this.next = power.next || this.next;
    this.#turnBack(power.at_unix_s);
    const first = power.at_unix_s.findIndex((at_s) => at_s > (this.newest ?? 0));
    if (first < 0) return;
    const count = power.at_unix_s.length - first;
    this.#room(count + 1);
    if (this.#broken && this.length) this.#gap();
    for (let i = 0; i < count; i++) this.#at[this.#end + i] = power.at_unix_s[first + i] ?? NaN;
    for (const [id, values] of Object.entries(power.power_w)) this.#fill(id, values, first, count);
    this.#end += count;
    this.#trim();
  }

  /**
   * Where the wall clock was set back, what is there lies in the future and makes room.
   * @param {number[]} at
   */
  #turnBack(at) {
    const last = at[at.length - 1];
    if (last === undefined || this.newest === null || last >= this.newest - SET_BACK_S) return;
    // The places are used again, and not each answer names each device.
    for (const column of this.#columns.values()) column.fill(NaN, this.#start, this.#end);
    this.#end = this.#start;
  }

  #gap() {
    this.#broken = false;
    this.#at[this.#end] = /** @type {number} */ (this.newest) + 1e-3;
    this.#end += 1;
  }

  /**
   * @param {string} id
   * @param {(number | null)[]} values
   * @param {number} first
   * @param {number} count
   */
  #fill(id, values, first, count) {
    const column = this.#columns.get(id) ?? new Float64Array(this.#at.length).fill(NaN);
    this.#columns.set(id, column);
    for (let i = 0; i < count; i++) column[this.#end + i] = values[first + i] ?? NaN;
  }

  #trim() {
    const oldest = /** @type {number} */ (this.newest) - KEEP_S;
    while (/** @type {number} */ (this.#at[this.#start]) < oldest) this.#start += 1;
  }

  /** @param {number} count readings that must fit behind the newest */
  #room(count) {
    if (this.#end + count <= this.#at.length) return;
    let size = this.#at.length;
    while (this.length + count > size / 2) size *= 2;
    this.#at = moved(this.#at, this.#start, this.#end, size);
    for (const [id, column] of this.#columns) this.#columns.set(id, moved(column, this.#start, this.#end, size));
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/**
 * @param {Float64Array<ArrayBufferLike>} from
 * @param {number} start
 * @param {number} end
 * @param {number} size
 */
function moved(from, start, end, size) {
  const found = new Float64Array(size).fill(NaN);
  found.set(from.subarray(start, end));
  return found;
}
