// Paints what uPlot has no words for: stacked steps, the interval of the mean, the span between lowest and highest.

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./series.js").Values} Values */
/** @typedef {{ctx: CanvasRenderingContext2D, x: (at_s: number) => number, y: (power_w: number) => number, inks: import("../theme.js").Inks}} Brush */

/** Above that the lines between the layers would hide them. */
const MOST_SEPARATED = 24;
const LAYER_ALPHA = 0.82;
const BAND_ALPHA = 0.3;
const ENVELOPE_ALPHA = 0.16;

/**
 * Areas from the bottom up, a thin line of the page's colour between them.
 * @param {Brush} brush
 * @param {Picture} picture
 */
export function paintLayers(brush, picture) {
  const { series } = picture;
  if (!series) return;
  const { ctx, inks } = brush;
  /** @type {Values} */
  let below = series.mean_w.map((mean_w) => (mean_w === null ? null : 0));
  for (const layer of picture.layers) {
    if (layer.hidden) continue;
    ctx.globalAlpha = LAYER_ALPHA;
    ctx.fillStyle = inks.of(layer.color);
    fillBetween(brush, series, below, layer.tops);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = inks.of("var(--card)");
    ctx.lineWidth = Math.max(0.5, devicePixelRatio / 2);
    if (picture.layers.length <= MOST_SEPARATED) strokeSteps(brush, series, layer.tops);
    below = layer.tops;
  }
}

/**
 * Over the layers: how far the readings of a step lie apart, and how well its mean is known.
 * @param {Brush} brush
 * @param {Picture} picture
 */
export function paintBands(brush, picture) {
  const { series } = picture;
  if (!series) return;
  const { ctx, inks } = brush;
  ctx.fillStyle = inks.of("var(--line)");
  if (!picture.full) {
    ctx.globalAlpha = ENVELOPE_ALPHA;
    fillBetween(brush, series, series.min_w, series.max_w);
  }
  ctx.globalAlpha = BAND_ALPHA;
  fillBetween(brush, series, ...interval(series));
  ctx.globalAlpha = 1;
}

/**
 * @param {import("./series.js").Series} series
 * @returns {[Values, Values]}
 */
function interval(series) {
  /** @param {1 | -1} sign */
  const edge = (sign) => series.mean_w.map((mean_w, i) => {
    const half_w = series.half_w[i];
    return mean_w === null || half_w == null ? null : Math.max(0, mean_w + sign * half_w);
  });
  return [edge(-1), edge(1)];
}

/**
 * One area for each stretch of steps without a gap.
 * @param {Brush} brush
 * @param {import("./series.js").Series} series
 * @param {Values} low
 * @param {Values} high
 */
function fillBetween(brush, series, low, high) {
  brush.ctx.beginPath();
  for (const [from, to] of stretches(series, low, high)) {
    along(brush, series, high, from, to);
    back(brush, series, low, from, to);
    brush.ctx.closePath();
  }
  brush.ctx.fill();
}

/**
 * @param {Brush} brush
 * @param {import("./series.js").Series} series
 * @param {Values} values
 */
function strokeSteps(brush, series, values) {
  brush.ctx.beginPath();
  for (const [from, to] of stretches(series, values, values)) along(brush, series, values, from, to);
  brush.ctx.stroke();
}

/**
 * Where both are known and the steps follow one another: first index, and the one behind the last.
 * @param {import("./series.js").Series} series
 * @param {Values} low
 * @param {Values} high
 * @returns {[number, number][]}
 */
function stretches(series, low, high) {
  /** @type {[number, number][]} */
  const found = [];
  let from = -1;
  for (let i = 0; i <= series.start.length; i++) {
    const known = i < series.start.length && low[i] != null && high[i] != null;
    const follows = from >= 0 && known && apart(series, i) < 1.5;
    if (from >= 0 && !follows) {
      found.push([from, i]);
      from = -1;
    }
    if (known && from < 0) from = i;
  }
  return found;
}

/**
 * How many steps a step begins after the one before.
 * @param {import("./series.js").Series} series
 * @param {number} i
 */
function apart(series, i) {
  return ((series.start[i] ?? 0) - (series.start[i - 1] ?? 0)) / series.step_s;
}

/**
 * @param {Brush} brush
 * @param {import("./series.js").Series} series
 * @param {Values} values
 * @param {number} from
 * @param {number} to
 */
function along({ ctx, x, y }, series, values, from, to) {
  for (let i = from; i < to; i++) {
    const [start, height] = [series.start[i] ?? 0, y(values[i] ?? 0)];
    if (i === from) ctx.moveTo(x(start), height);
    else ctx.lineTo(x(start), height);
    ctx.lineTo(x(start + series.step_s), height);
  }
}

/**
 * @param {Brush} brush
 * @param {import("./series.js").Series} series
 * @param {Values} values
 * @param {number} from
 * @param {number} to
 */
function back({ ctx, x, y }, series, values, from, to) {
  for (let i = to - 1; i >= from; i--) {
    const [start, height] = [series.start[i] ?? 0, y(values[i] ?? 0)];
    ctx.lineTo(x(start + series.step_s), height);
    ctx.lineTo(x(start), height);
  }
}
