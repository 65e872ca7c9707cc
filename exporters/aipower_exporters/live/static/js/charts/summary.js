// The chart in words, for those who do not see it.

import { clock, duration, plusMinus, watts } from "../format.js";

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./instant.js").Instant} Instant */

const MOST_LAYERS = 6;

/** @param {Picture} picture */
export function summaryOf(picture) {
  const [from_s, to_s] = picture.span;
  const seen = picture.line[1].filter((value, i) => value !== null && (picture.line[0][i] ?? 0) >= from_s);
  const known = /** @type {number[]} */ (seen);
  if (!known.length) return `No power is known from ${clock(from_s)} to ${clock(to_s)}.`;
  const [low, high] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  return `Power over ${duration(to_s - from_s)} until ${clock(to_s)}: from ${watts(low)} to ${watts(high)}, about ` +
    `${watts(mean)} on average, ${watts(known[known.length - 1])} at the end.`;
}

/**
 * @param {Picture} picture
 * @param {Instant} instant
 */
export function wordsAt(picture, instant) {
  const half = instant.half_w === null ? "" : ` ${plusMinus(instant.half_w, "W")}`;
  const layers = picture.layers
    .filter((layer) => !layer.hidden && (instant.layers.get(layer.key)?.power_w ?? 0) > 0)
    .reverse()
    .slice(0, MOST_LAYERS)
    .map((layer) => `${layer.label} ${watts(instant.layers.get(layer.key)?.power_w)}`);
  return [`${clock(instant.at_unix_s)}: total ${watts(instant.total_w)}${half}`, ...layers].join("; ");
}
