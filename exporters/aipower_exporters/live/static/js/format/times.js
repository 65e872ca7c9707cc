/* Times and spans of time. */

import { known, UNKNOWN } from "./figures.js";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;

/** @typedef {import("./figures.js").Figure} Figure */

/**
 * `4.2 s`, `42 s`, `3 min 05 s`, `2 h 04 min`, `3 d 4 h`: the two units that matter.
 * @param {Figure} span_s
 */
export function duration(span_s) {
  if (!known(span_s)) return UNKNOWN;
  const size = Math.max(0, span_s);
  if (size < 0.1) return size === 0 ? "0 s" : `${(1000 * size).toFixed(1)} ms`;
  if (size < 9.95) return `${size.toFixed(1)} s`;
  const whole = Math.round(size);
  if (whole < MINUTE_S) return `${whole} s`;
  if (whole < HOUR_S) return `${Math.floor(whole / MINUTE_S)} min ${two(whole % MINUTE_S)} s`;
  if (whole < DAY_S) return `${Math.floor(whole / HOUR_S)} h ${two(Math.floor((whole % HOUR_S) / MINUTE_S))} min`;
  return `${Math.floor(whole / DAY_S)} d ${Math.floor((whole % DAY_S) / HOUR_S)} h`;
}

/**
 * `just now`, `42 s ago`, `3 min ago`, `2 h ago`.
 * @param {Figure} unix_s
 * @param {number} now_unix_s
 */
export function ago(unix_s, now_unix_s) {
  if (!known(unix_s)) return UNKNOWN;
  const age_s = Math.max(0, now_unix_s - unix_s);
  if (age_s < 1.5) return "just now";
  if (age_s < MINUTE_S) return `${Math.round(age_s)} s ago`;
  if (age_s < HOUR_S) return `${Math.floor(age_s / MINUTE_S)} min ago`;
  return age_s < DAY_S ? `${Math.floor(age_s / HOUR_S)} h ago` : `${Math.floor(age_s / DAY_S)} d ago`;
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/** @param {Date} at */
function day(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/**
 * `14:03:22`, in the reader's time zone.
 * @param {Figure} unix_s
 */
export function clock(unix_s) {
  if (!known(unix_s)) return UNKNOWN;
  const at = new Date(1000 * unix_s);
  return Number.isNaN(at.getTime()) ? UNKNOWN : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/**
 * `14:03:22` of the day of `now_unix_s`, else `2026-11-28 14:03`.
 * @param {Figure} unix_s
 * @param {number} now_unix_s
 */
export function moment(unix_s, now_unix_s) {
  const time = clock(unix_s);
  if (!known(unix_s) || time === UNKNOWN) return UNKNOWN;
  const date = day(new Date(1000 * unix_s));
  return date === day(new Date(1000 * now_unix_s)) ? time : `${date} ${time.slice(0, 5)}`;
}
