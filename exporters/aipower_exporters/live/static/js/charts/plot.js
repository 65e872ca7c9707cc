// The plot itself: uPlot's axes, line, pointer and selection, with the layers painted below the line.

import { axes, endOf } from "./axes.js";
import { paintBands, paintLayers } from "./paint.js";
import { plotClass } from "./uplot.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./uplot.js").Plot} Plot */
/**
 * @typedef {object} Reactions
 * @property {(at_unix_s: number | null, left: number) => void} point where the pointer is; null where it is not
 * @property {(from_s: number, to_s: number) => void} zoom
 * @property {() => void} reset
 */

const LEAST_WIDTH = 160;
const LEAST_DRAG = 4;

export class MainPlot {
  #box;
  #inks;
  #react;
  /** @type {Picture | null} */
  #picture = null;
  /** @type {Plot} */
  #plot;

  /**
   * @param {HTMLElement} box
   * @param {import("../theme.js").Inks} inks
   * @param {Reactions} react
   */
  constructor(box, inks, react) {
    this.#box = box;
    this.#inks = inks;
    this.#react = react;
    this.#plot = new (plotClass())(this.#options(), [[0, 1], [null, null]], box);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(box);
  }

  /** Where uPlot puts what floats over the plot. */
  get over() {
    return this.#plot.over;
  }

  /** @param {Picture} picture */
  draw(picture) {
    this.#picture = picture;
    const [from_s, to_s] = picture.span;
    const [xs, ys] = picture.line;
    this.#plot.batch(() => {
      this.#plot.setData(xs.length ? [xs, ys] : [[from_s, to_s], [null, null]], false);
      this.#plot.setScale("x", { min: from_s, max: to_s });
      this.#plot.setScale("y", { min: 0, max: endOf(picture.top_w) });
    });
  }

  /** @param {number | null} at_unix_s where the line of the pointer stands; null takes it away */
  point(at_unix_s) {
    const left = at_unix_s === null ? -10 : this.#plot.valToPos(at_unix_s, "x");
    this.#plot.setCursor({ left, top: at_unix_s === null ? -10 : 10 });
  }

  #size() {
    return { width: Math.max(LEAST_WIDTH, this.#box.clientWidth), height: Math.max(LEAST_WIDTH, this.#box.clientHeight) };
  }

  #options() {
    return {
      ...this.#size(),
      padding: [10, 20, 0, 0],
      legend: { show: false },
      series: [{}, { stroke: () => this.#inks.of("var(--line)"), width: 1, points: { show: false } }],
      axes: axes(this.#inks),
      scales: { x: { time: false, auto: false }, y: { auto: false } },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG },
        bind: { dblclick: () => () => void this.#react.reset() },
      },
      hooks: {
        drawAxes: [(/** @type {Plot} */ plot) => this.#paint(plot)],
        setCursor: [(/** @type {Plot} */ plot) => this.#pointed(plot)],
        setSelect: [(/** @type {Plot} */ plot) => this.#selected(plot)],
      },
    };
  }

  /** @param {Plot} plot */
  #paint(plot) {
    if (!this.#picture) return;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const brush = { ctx, inks: this.#inks, x: along(plot, "x"), y: along(plot, "y") };
    paintLayers(brush, this.#picture);
    paintBands(brush, this.#picture);
    ctx.restore();
  }

  /** @param {Plot} plot */
  #pointed(plot) {
    const { left } = plot.cursor;
    this.#react.point(left >= 0 ? plot.posToVal(left, "x") : null, left);
  }

  /** @param {Plot} plot */
  #selected(plot) {
    const { left, width } = plot.select;
    if (width < LEAST_DRAG) return;
    const [from_s, to_s] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#react.zoom(from_s, to_s);
  }
}

/**
 * Where a value lies on the canvas; both axes are linear, and thousands of values are asked for in a frame.
 * @param {Plot} plot
 * @param {"x" | "y"} key
 */
function along(plot, key) {
  const { min, max } = plot.scales[key];
  const [first, last] = [plot.valToPos(min, key, true), plot.valToPos(max, key, true)];
  const scale = (last - first) / (max - min);
  return (/** @type {number} */ value) => first + (value - min) * scale;
}
