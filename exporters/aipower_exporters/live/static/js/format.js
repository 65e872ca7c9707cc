/* How quantities are written for a person; in the words of the report and of the terminal page. */

/** What is not known is no 0. */
export const UNKNOWN = "–";

const PREFIXES = ["n", "µ", "m", "", "k", "M", "G", "T"];
const PLAIN = 3;
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** @typedef {number | null | undefined} Figure */

/**
 * @param {Figure} value
 * @returns {value is number}
 */
function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * One line of printable characters: no control characters, no marks that turn the direction of writing.
 * @param {string} foreign
 */
export function harmless(foreign) {
  return String(foreign).replace(UNPRINTABLE, "?");
}

/**
 * `text` in at most `most` characters, the middle left out: ids differ at their ends.
 * @param {string} shown
 * @param {number} most
 */
export function shortened(shown, most) {
  const letters = [...shown];
  if (letters.length <= most) return shown;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (most - 1 - head)).join("")}`;
}

/**
 * Which prefix a value has: from 10 000 on the next one.
 * @param {number} value
 */
function prefixOf(value) {
  if (value === 0) return PLAIN;
  const size = Math.abs(value);
  const power = size >= 1 && size < 9999.5 ? 0 : Math.floor(Math.log10(size * 1.00005) / 3);
  return Math.min(Math.max(power + PLAIN, 0), PREFIXES.length - 1);
}

/**
 * Which prefix leaves one to three digits before the point.
 * @param {number} size
 */
function finePrefixOf(size) {
  const power = Math.floor(Math.log10(size * 1.0005) / 3);
  return Math.min(Math.max(power + PLAIN, 0), PREFIXES.length - 1);
}

/**
 * Two decimals at most, and fewer where more than four digits would be shown.
 * @param {number} value
 */
function digits(value) {
  return [2, 1].find((places) => Math.abs(value).toFixed(places).length <= 5) ?? 0;
}

/**
 * `12.34 kJ`: three to four digits with a prefix of the SI.
 * @param {Figure} value
 * @param {string} unit
 */
export function quantity(value, unit) {
  if (!known(value)) return UNKNOWN;
  if (Math.abs(value) < 1e-9) return `0 ${unit}`;
  const prefix = prefixOf(value);
  const shown = value / 1000 ** (prefix - PLAIN);
  return `${shown.toFixed(digits(shown))} ${PREFIXES[prefix]}${unit}`;
}

/**
 * `0.25 W`, `288.1 W`, `12.34 kW`.
 * @param {Figure} power_w
 */
export function watts(power_w) {
  if (!known(power_w)) return UNKNOWN;
  const size = Math.abs(power_w);
  if (size < 0.005) return "0 W";
  if (size >= 9999.5) return quantity(power_w, "W");
  return `${power_w.toFixed(size < 9.995 ? 2 : 1)} W`;
}

/**
 * `1082 J`, `12.34 kJ`.
 * @param {Figure} energy_j
 */
export function joules(energy_j) {
  return quantity(energy_j, "J");
}

/**
 * `3.21 kWh`, of joules.
 * @param {Figure} energy_j
 */
export function wattHours(energy_j) {
  return quantity(known(energy_j) ? energy_j / HOUR_S : null, "Wh");
}

/**
 * `±0.35 W`, `±13 W`, `±1.3 kJ`: two digits that matter. Watts have no prefix below one.
 * @param {Figure} half
 * @param {string} unit
 */
export function plusMinus(half, unit) {
  if (!known(half)) return UNKNOWN;
  const size = Math.abs(half);
  if (size < (unit === "W" ? 0.005 : 1e-9)) return `±0 ${unit}`;
  const prefix = unit === "W" && size < 1 ? PLAIN : finePrefixOf(size);
  const shown = size / 1000 ** (prefix - PLAIN);
  const places = shown < 0.995 ? 2 : shown < 9.95 ? 1 : 0;
  return `±${shown.toFixed(places)} ${PREFIXES[prefix]}${unit}`;
}

/**
 * `[0.53 .. 2.09 J]`: both ends in the unit, and with the decimals, of the upper one.
 * @param {readonly [number, number] | null | undefined} interval
 * @param {string} unit
 */
export function bracket(interval, unit) {
  if (!interval || !interval.every(known)) return UNKNOWN;
  const [low, high] = interval;
  if (high <= 0) return `[0 .. 0 ${unit}]`;
  const prefix = prefixOf(high);
  const scale = 1000 ** (prefix - PLAIN);
  const places = digits(high / scale);
  const from = low > 0 ? (low / scale).toFixed(places) : "0";
  return `[${from} .. ${(high / scale).toFixed(places)} ${PREFIXES[prefix]}${unit}]`;
}

/**
 * `12.3 %` of a part from 0 to 1; what is little but not nothing is `<0.1 %`.
 * @param {Figure} part
 */
export function percent(part) {
  if (!known(part)) return UNKNOWN;
  const value = 100 * part;
  if (value <= 0) return "0 %";
  if (value < 0.05) return "<0.1 %";
  return value < 99.95 ? `${value.toFixed(1)} %` : `${value.toFixed(0)} %`;
}

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

/**
 * `12.3 MiB`.
 * @param {Figure} count
 */
export function bytes(count) {
  if (!known(count)) return UNKNOWN;
  let value = count;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return `${value.toFixed(unit === "B" ? 0 : digits(value))} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}

/**
 * `1,234`: a count in full.
 * @param {Figure} value
 */
export function count(value) {
  return known(value) ? value.toLocaleString("en-US", { maximumFractionDigits: 0 }) : UNKNOWN;
}

/**
 * `1 GPU`, `2 GPUs`.
 * @param {number} value
 * @param {string} one
 */
export function plural(value, one) {
  return value === 1 ? `1 ${one}` : `${count(value)} ${one}${one.endsWith("s") ? "es" : "s"}`;
}

/**
 * Two decimals, or three digits of what is less than one; null where that takes a power of ten.
 * @param {number} amount
 */
function moneyPlaces(amount) {
  if (amount >= 1 || amount === 0) return 2;
  return amount < 1e-6 ? null : 2 - Math.floor(Math.log10(Number(amount.toPrecision(3))));
}

/**
 * @param {number} amount
 * @param {number | null} places
 */
function sum(amount, places) {
  if (places === null) return amount.toExponential(2);
  return amount.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/**
 * `0.0123 EUR`.
 * @param {Figure} amount
 * @param {string} currency
 */
export function money(amount, currency) {
  return known(amount) ? `${sum(amount, moneyPlaces(amount))} ${harmless(currency)}` : UNKNOWN;
}

/**
 * `[0.0117 .. 0.0129 EUR]`.
 * @param {readonly [number, number] | null | undefined} interval
 * @param {string} currency
 */
export function moneyBracket(interval, currency) {
  if (!interval || !interval.every(known)) return UNKNOWN;
  const places = moneyPlaces(interval[1]);
  return `[${sum(interval[0], places)} .. ${sum(interval[1], places)} ${harmless(currency)}]`;
}

/**
 * In which unit a mass is written: grams with a prefix, from a million on tonnes.
 * @param {number} mass_g
 * @returns {[number, string]} the grams of one unit, and its name
 */
function massUnit(mass_g) {
  const [base_g, base] = Number(mass_g.toPrecision(3)) >= 1e6 ? [1e6, "t"] : [1, "g"];
  const size = Number((mass_g / base_g).toPrecision(3));
  const power = size === 0 ? 0 : Math.min(Math.max(Math.floor(Math.log10(size) / 3), -PLAIN), 4);
  return [base_g * 1000 ** power, `${PREFIXES[power + PLAIN]}${base}`];
}

/** @param {number} value */
function threeDigits(value) {
  return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

/**
 * `12.3 g`, `1.29 kg`, `552 t`.
 * @param {Figure} mass_g
 */
export function grams(mass_g) {
  if (!known(mass_g)) return UNKNOWN;
  const [unit_g, unit] = massUnit(mass_g);
  return `${(mass_g / unit_g).toFixed(threeDigits(mass_g / unit_g))} ${unit}`;
}

/**
 * `[11.7 .. 12.9 g]`.
 * @param {readonly [number, number] | null | undefined} interval_g
 */
export function gramsBracket(interval_g) {
  if (!interval_g || !interval_g.every(known)) return UNKNOWN;
  const [unit_g, unit] = massUnit(interval_g[1]);
  const places = threeDigits(interval_g[1] / unit_g);
  const [low, high] = interval_g.map((end) => (end / unit_g).toFixed(places));
  return `[${low} .. ${high} ${unit}]`;
}
