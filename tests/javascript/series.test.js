import assert from "node:assert/strict";
import { test } from "node:test";

import { firstAt, joined, seriesKey, seriesOf } from "page/charts/series.js";
import { plainView } from "page/view.js";

import { always } from "./support/dice.js";
import { history } from "./support/documents.js";

const range = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** What an agent that knows `truth` answers about the steps from `from` to `to`: only layers that are seen there. */
function answer(truth, from, to) {
  const layers = Object.entries(truth.layers)
    .map(([key, column]) => [key, column.slice(from, to)])
    .filter(([, column]) => column.some((value) => value !== null));
  return seriesOf(history(range(from, to), Object.fromEntries(layers), { next: to }), "k");
}

function anyTruth(dice, length) {
  const column = () => range(0, length).map(() => (dice.next() < 0.2 ? null : Math.round(dice.between(0, 500))));
  return { layers: { idle: range(0, length).map(() => 60), a: column(), b: column() } };
}

function assertWhole(series) {
  const { length } = series.start;
  for (const column of [series.mean_w, series.min_w, series.max_w, series.half_w]) assert.equal(column.length, length);
  for (const layer of series.layers) {
    assert.equal(layer.mean_w.length, length);
    assert.equal(layer.half_w.length, length);
  }
  for (let i = 1; i < length; i++) assert.ok(series.start[i] > series.start[i - 1], "times rise");
}

test("told bit by bit it is the same as told at once", () => {
  always((dice) => {
    const length = 5 + dice.below(40);
    const truth = anyTruth(dice, length);
    let told = null;
    for (let from = 0; from < length;) {
      const to = Math.min(length, from + 1 + dice.below(6));
      told = joined(told, answer(truth, from, to), -Infinity);
      from = to;
    }
    const whole = answer(truth, 0, length);
    assert.deepEqual({ ...told, layers: byKey(told) }, { ...whole, layers: byKey(whole) });
  }, 300);
});

const byKey = (series) => Object.fromEntries(series.layers.map((layer) => [layer.key, layer.mean_w]));

test("steps that are told twice are there once, as told last", () => {
  always((dice) => {
    const [before, after] = [anyTruth(dice, 30), anyTruth(dice, 30)];
    const begin = 5 + dice.below(10);
    const told = joined(answer(before, 0, 20), answer(after, begin, 30), -Infinity);
    assertWhole(told);
    assert.deepEqual(told.start, range(0, 30));
    assert.deepEqual(told.mean_w.slice(begin), answer(after, begin, 30).mean_w);
    assert.deepEqual(told.mean_w.slice(0, begin), answer(before, 0, begin).mean_w);
  });
});

test("layers sum to the mean, whenever they came", () => {
  always((dice) => {
    const truth = anyTruth(dice, 40);
    const told = joined(answer(truth, 0, 17), answer(truth, 17, 40), -Infinity);
    told.mean_w.forEach((mean_w, i) => {
      assert.equal(told.layers.reduce((sum, layer) => sum + (layer.mean_w[i] ?? 0), 0), mean_w);
    });
  });
});

test("what is too old goes, and layers that were seen only then", () => {
  const truth = { layers: { idle: Array(20).fill(60), gone: [5, ...Array(19).fill(null)] } };
  const told = joined(answer(truth, 0, 10), answer(truth, 10, 20), 4);
  assert.deepEqual(told.start, range(4, 20));
  assert.deepEqual(told.layers.map((layer) => layer.key), ["idle"]);
  assertWhole(told);
});

test("an answer without steps keeps what is there", () => {
  const truth = anyTruth(new (class { next = () => 0.5; between = () => 7; })(), 10);
  const before = answer(truth, 0, 10);
  assert.deepEqual(joined(before, answer(truth, 10, 10), -Infinity).start, before.start);
});

test("the answer to another question begins anew", () => {
  const truth = { layers: { idle: Array(20).fill(60) } };
  const other = { ...answer(truth, 10, 20), key: "other" };
  assert.equal(joined(answer(truth, 0, 10), other, -Infinity), other);
  assert.equal(joined(null, other, -Infinity), other);
});

test("the key of a question does not depend on the order of devices", () => {
  const view = plainView();
  assert.equal(seriesKey({ ...view, devices: ["b", "a"] }, 1), seriesKey({ ...view, devices: ["a", "b"] }, 1));
  assert.notEqual(seriesKey(view, 1), seriesKey(view, 10));
  assert.notEqual(seriesKey(view, 1), seriesKey({ ...view, by: "process" }, 1));
});

test("the first time that is not before", () => {
  always((dice) => {
    const times = range(0, dice.below(20)).map(() => dice.below(30)).sort((a, b) => a - b);
    const at = dice.below(32) - 1;
    const found = firstAt(times, at);
    assert.equal(found, times.filter((time) => time < at).length);
  });
});
