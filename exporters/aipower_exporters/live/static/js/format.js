/* How quantities are written for a person; in the words of the report and of the terminal page. */

export { bytes, grams, gramsBracket, money, moneyBracket } from "./format/amounts.js";
export { count, harmless, plural, shortened, UNKNOWN } from "./format/figures.js";
export { bracket, joules, percent, plusMinus, quantity, wattHours, watts } from "./format/quantities.js";
export { ago, clock, duration, moment } from "./format/times.js";
