import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ago, bracket, bytes, clock, count, duration, grams, gramsBracket, harmless, joules, moment, money, percent, plural,
  plusMinus, quantity, shortened, UNKNOWN, wattHours, watts,
} from "page/format.js";

import { always } from "./support/dice.js";

const PREFIXES = { n: 1e-9, µ: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** The number that a text says: `12.34 kJ`. */
function said(text, unit) {
  const [, digits, prefix] = /^±?(-?[\d.]+) (.?)/u.exec(text) ?? [];
  return Number(digits) * (text.endsWith(` ${unit}`) ? 1 : PREFIXES[prefix]);
}

test("what is not known is a dash in all of them", () => {
  for (const write of [watts, joules, wattHours, percent, duration, clock, bytes, count, grams, bracket, gramsBracket]) {
    for (const value of [null, undefined]) assert.equal(write(value), UNKNOWN);
  }
  for (const write of [watts, joules, percent, duration, clock, bytes, grams]) {
    for (const value of [Number.NaN, Infinity, -Infinity]) assert.equal(write(value), UNKNOWN);
  }
  assert.deepEqual([money(null, "EUR"), plusMinus(null, "W"), ago(null, 0), moment(null, 0)], Array(4).fill(UNKNOWN));
});

test("watts", () => {
  const shown = [0, 0.004, 0.25, 9.994, 9.996, 288.13, 9999.4, 9999.6, 12340].map(watts);
  assert.deepEqual(shown, ["0 W", "0 W", "0.25 W", "9.99 W", "10.0 W", "288.1 W", "9999.4 W", "10.00 kW", "12.34 kW"]);
});

test("joules", () => {
  assert.deepEqual([0, 1082, 12340, 1.5e6, 0.0123].map(joules), ["0 J", "1082 J", "12.34 kJ", "1.50 MJ", "12.30 mJ"]);
  assert.equal(wattHours(3600 * 3210), "3210 Wh");
});

test("a quantity is within half of its last digit, and has no more than four before its unit", () => {
  always((dice) => {
    const value = 10 ** dice.between(-8, 14);
    const text = joules(value);
    assert.ok(Math.abs(said(text, "J") / value - 1) < 0.0051, `${value} became ${text}`);
    assert.ok(text.split(" ")[0].replace(".", "").length <= 5, text);
  }, 1000);
});

test("a half-width has two digits that matter", () => {
  const shown = [0.352, 13.4, 1300, 0.004].map((half) => plusMinus(half, "W"));
  assert.deepEqual(shown, ["±0.35 W", "±13 W", "±1.3 kW", "±0 W"]);
  always((dice) => {
    const half = 10 ** dice.between(-7, 9);
    const text = plusMinus(half, "J");
    assert.ok(Math.abs(said(text, "J") / half - 1) <= 0.051, `${half} became ${text}`);
  });
});

test("both ends of an interval have the unit of the upper one", () => {
  assert.equal(bracket([0.53, 2.09], "J"), "[0.53 .. 2.09 J]");
  assert.equal(bracket([900, 20_000], "J"), "[0.90 .. 20.00 kJ]");
  assert.equal(bracket([-1, 2], "J"), "[0 .. 2.00 J]");
  assert.equal(bracket([-2, -1], "J"), "[0 .. 0 J]");
});

test("a part of a whole", () => {
  assert.deepEqual([0, 0.0001, 0.123, 0.9996, 1].map(percent), ["0 %", "<0.1 %", "12.3 %", "100 %", "100 %"]);
});

test("a span of time has two units at most, and never 60 of one", () => {
  const shown = [0, 0.0123, 4.2, 42, 59.6, 185, 7440, 277_000].map(duration);
  assert.deepEqual(
    shown, ["0 s", "12.3 ms", "4.2 s", "42 s", "1 min 00 s", "3 min 05 s", "2 h 04 min", "3 d 4 h"],
  );
  always((dice) => assert.doesNotMatch(duration(dice.between(0, 1e6)), /\b60 (s|min)|\b24 h/));
});

test("how long ago", () => {
  const shown = [1000.5, 958, 700, 1000 - 7300, 1000 - 200_000, 2000].map((at) => ago(at, 1000));
  assert.deepEqual(shown, ["just now", "42 s ago", "5 min ago", "2 h ago", "2 d ago", "just now"]);
});

test("a moment of another day has its date", () => {
  const noon_s = new Date(2026, 10, 28, 12, 3, 22).getTime() / 1000;
  assert.equal(clock(noon_s), "12:03:22");
  assert.equal(moment(noon_s, noon_s + 3600), "12:03:22");
  assert.equal(moment(noon_s, noon_s + 86400), "2026-11-28 12:03");
});

test("bytes, counts, money and mass", () => {
  assert.deepEqual([512, 2048, 12.3 * 2 ** 20].map(bytes), ["512 B", "2.00 KiB", "12.30 MiB"]);
  assert.equal(count(1234567), "1,234,567");
  assert.deepEqual([plural(1, "GPU"), plural(2, "process"), plural(0, "job")], ["1 GPU", "2 processes", "0 jobs"]);
  assert.deepEqual([money(12.345, "EUR"), money(0.0123, "EUR")], ["12.35 EUR", "0.0123 EUR"]);
  assert.deepEqual([12.34, 1290, 5.52e8].map(grams), ["12.3 g", "1.29 kg", "552 t"]);
  assert.equal(gramsBracket([11.7, 12.9]), "[11.7 .. 12.9 g]");
});

test("a prefix reaches as far as there are prefixes", () => {
  assert.equal(quantity(5e18, "J"), "5000000 TJ");
});

test("foreign text is one line that turns nothing around", () => {
  assert.equal(harmless("a\u202eb\nc\u0000d\u2028e"), "a?b?c?d?e");
  assert.equal(harmless("naïve 漢字 🔥"), "naïve 漢字 🔥");
  always((dice) => assert.doesNotMatch(harmless(dice.text(40)), /[\p{C}\p{Zl}\p{Zp}]/u));
});

test("a long text keeps both ends, and letters of two units stay whole", () => {
  assert.equal(shortened("abcdefghij", 5), "ab…ij");
  assert.equal(shortened("abc", 5), "abc");
  always((dice) => {
    const text = "🔥".repeat(dice.below(30));
    const most = 3 + dice.below(10);
    assert.ok([...shortened(text, most)].length <= most);
    assert.doesNotMatch(shortened(text, most), /\p{Cs}/u);
  });
});
