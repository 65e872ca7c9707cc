// The small charts of the cards: all that are in sight are drawn in one go.

import { firstAt } from "../charts/series.js";
import { Frames } from "../frames.js";

/**
 * @typedef {object} Spark
 * @property {HTMLCanvasElement} canvas
 * @property {string} id of the device
 * @property {string} color as in a style sheet
 * @property {number} width in pixels of the canvas
 * @property {number} height
 * @property {number} drawn_s the newest reading that was drawn; NaN where it must be drawn in any case
 */

const SPAN_S = 300;
const HEADROOM = 1.08;

export class Sparks {
  /** @type {Map<Element, Spark>} */
  #all = new Map();
  /** @type {Set<Spark>} */
  #seen = new Set();
  #watch = new IntersectionObserver((entries) => this.#moved(entries), { rootMargin: "60px" });
  // Asking a canvas for its size each time would make the browser lay out the page in the middle of a frame.
  #sizes = new ResizeObserver((entries) => this.#resized(entries));
  #inks;
  #ring;
  #frames = new Frames();

  /**
   * @param {import("../theme.js").Inks} inks
   * @param {import("../charts/ring.js").PowerRing} ring
   */
  constructor(inks, ring) {
    this.#inks = inks;
    this.#ring = ring;
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {string} id of a device
   * @param {string} color as in a style sheet
   */
  add(canvas, id, color) {
    this.#all.set(canvas, { canvas, id, color, width: 0, height: 0, drawn_s: NaN });
    this.#watch.observe(canvas);
    this.#sizes.observe(canvas);
  }

  /** @param {Element} canvas */
  remove(canvas) {
    const spark = this.#all.get(canvas);
    if (spark) this.#seen.delete(spark);
    this.#all.delete(canvas);
    this.#watch.unobserve(canvas);
    this.#sizes.unobserve(canvas);
  }

  /** Draws all that are in sight in the next frames: this one has the rest of the page to do. */
  draw() {
    const due = [...this.#seen].filter((spark) => behind(spark, this.#ring));
    this.#frames.run(due.map((spark) => () => drawSpark(spark, this.#ring, this.#inks)));
  }

  /** Draws all anew and at once, in sight or not: the colours have changed, or they are for paper. */
  redraw() {
    for (const spark of this.#all.values()) drawSpark(spark, this.#ring, this.#inks);
  }

  /** @param {ResizeObserverEntry[]} entries */
  #resized(entries) {
    for (const { target, contentRect } of entries) {
      const spark = this.#all.get(target);
      if (!spark) continue;
      spark.width = Math.round(contentRect.width * devicePixelRatio);
      spark.height = Math.round(contentRect.height * devicePixelRatio);
      spark.drawn_s = NaN;
    }
    this.draw();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #moved(entries) {
    for (const { target, isIntersecting } of entries) {
      const spark = this.#all.get(target);
      if (spark && isIntersecting) this.#seen.add(spark);
      else if (spark) this.#seen.delete(spark);
    }
    if (entries.some((entry) => entry.isIntersecting)) this.draw();
  }
}

/**
 * The lowest and the highest reading of each column of pixels.
 * @param {Float64Array} at
 * @param {Float64Array} values
 * @param {number} from_s
 * @param {number} columns
 */
export function columnsOf(at, values, from_s, columns) {
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  for (let i = firstAt(at, from_s); i < at.length; i++) {
    const value = /** @type {number} */ (values[i]);
    if (Number.isNaN(value)) continue;
    const x = Math.min(columns - 1, Math.floor((/** @type {number} */ (at[i]) - from_s) / SPAN_S * columns));
    low[x] = Math.min(/** @type {number} */ (low[x]), value);
    high[x] = Math.max(/** @type {number} */ (high[x]), value);
  }
  return { low, high };
}

/**
 * Whether the newest reading lies at least a pixel beside the one that was drawn last: a small chart need not be drawn
 * each second.
 * @param {Spark} spark
 * @param {import("../charts/ring.js").PowerRing} ring
 */
function behind({ drawn_s, width }, ring) {
  const moved_s = Math.abs((ring.newest ?? drawn_s) - drawn_s);
  return !(moved_s * width / SPAN_S < 1);
}

/**
 * @param {Spark} spark
 * @param {import("../charts/ring.js").PowerRing} ring
 * @param {import("../theme.js").Inks} inks
 */
function drawSpark(spark, ring, inks) {
  const { canvas, id, color, width, height } = spark;
  const ctx = fitted(canvas, width, height);
  const values = ring.column(id);
  if (!ctx || !values || ring.newest === null) return;
  spark.drawn_s = ring.newest;
  const { low, high } = columnsOf(ring.at, values, ring.newest - SPAN_S, width);
  const top = high.reduce((a, b) => Math.max(a, b), 1) * HEADROOM;
  const ink = inks.of(color);
  ctx.fillStyle = ink;
  ctx.strokeStyle = ink;
  trace(ctx, low, high, (power_w) => height - power_w / top * height, silence(ring, width));
}

/**
 * How many columns may be empty before that is a gap: slow sensors do not fill each.
 * @param {import("../charts/ring.js").PowerRing} ring
 * @param {number} width
 */
function silence(ring, width) {
  const at = ring.at;
  const [first, last] = [at[0] ?? 0, at[at.length - 1] ?? 0];
  const usual_s = at.length > 1 ? (last - first) / (at.length - 1) : 1;
  return Math.max(2, 3 * usual_s / SPAN_S * width);
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Float64Array} low
 * @param {Float64Array} high
 * @param {(power_w: number) => number} y
 * @param {number} most_empty
 */
function trace(ctx, low, high, y, most_empty) {
  const line = new Path2D();
  const area = new Path2D();
  const base = y(0);
  let last = -Infinity;
  for (let x = 0; x < low.length; x++) {
    const [from, to] = [/** @type {number} */ (low[x]), /** @type {number} */ (high[x])];
    if (to < from) continue;
    const joins = x - last <= most_empty;
    if (joins) line.lineTo(x, y((from + to) / 2));
    else line.moveTo(x, y((from + to) / 2));
    line.lineTo(x, y(from));
    line.lineTo(x, y(to));
    const start = joins ? last + 1 : x;
    area.rect(start, y(to), x + 1 - start, base - y(to));
    last = x;
  }
  ctx.globalAlpha = 0.18;
  ctx.fill(area);
  ctx.globalAlpha = 1;
  ctx.lineWidth = Math.max(1, devicePixelRatio);
  ctx.lineJoin = "round";
  ctx.stroke(line);
}

/**
 * The canvas at the size at which it is shown, empty; null where it is not shown.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
function fitted(canvas, width, height) {
  if (!width || !height) return null;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const ctx = canvas.getContext("2d");
  ctx?.clearRect(0, 0, width, height);
  return ctx;
}
