import assert from "node:assert/strict";
import { test } from "node:test";

import { endOf } from "page/charts/axes.js";
import { instantAt, newest } from "page/charts/instant.js";
import { pictureOf, spanOf } from "page/charts/picture.js";
import { seriesOf } from "page/charts/series.js";
import { summaryOf, wordsAt } from "page/charts/summary.js";
import { columnsOf } from "page/devices/spark.js";
import { Palette } from "page/palette.js";
import { historyKey } from "page/questions.js";
import { emptyState } from "page/store.js";
import { plainView } from "page/view.js";

import { always } from "./support/dice.js";
import { device, history, power, snapshot } from "./support/documents.js";

/** A state that looks at the layers of a history from 1000 on. */
function state(layers, view = {}, more = {}) {
  const found = { ...emptyState(), view: { ...plainView(), ...view }, snapshot: snapshot([device("a"), device("b", { index: "1" })]) };
  const count = Object.values(layers)[0].length;
  const doc = history(Array.from({ length: count }, (_, i) => 1000 + i), layers);
  found.power.append(power([1000 + count - 0.5], { a: [1], b: [2] }));
  return { ...found, history: seriesOf(doc, historyKey(found.view)), ...more };
}

const picture = (of) => pictureOf(of, new Palette());

test("layers lie on one another and reach the mean", () => {
  always((dice) => {
    const count = 1 + dice.below(20);
    const column = () => Array.from({ length: count }, () => dice.below(400));
    const { layers, series } = picture(state({ active: column(), idle: column(), unattributed: column(), context: column() }));
    let below = Array(count).fill(0);
    for (const layer of layers) {
      layer.tops.forEach((top, i) => assert.equal(top, below[i] + layer.mean_w[i]));
      below = layer.tops;
    }
    assert.deepEqual(below, series.mean_w);
  });
});

test("idle power lies at the bottom, then what nobody did, then work, whatever came first", () => {
  always((dice) => {
    const keys = ["idle", "unattributed", "context", "active"].map((key) => [key, dice.next()]).sort((x, y) => x[1] - y[1]);
    const { layers } = picture(state(Object.fromEntries(keys.map(([key]) => [key, [1]]))));
    assert.deepEqual(layers.map((layer) => layer.key), ["idle", "unattributed", "context", "active"]);
  });
});

test("the rest of the processes lies on top, devices in their order", () => {
  const processes = picture(state({ others: [1], "b-2-1": [2], idle: [3] }, { by: "process" }));
  assert.deepEqual(processes.layers.map((layer) => layer.key), ["idle", "b-2-1", "others"]);
  const devices = picture(state({ b: [1], a: [2] }, { by: "device" }));
  assert.deepEqual(devices.layers.map((layer) => layer.label), ["GPU 0", "GPU 1"]);
});

test("a hidden layer takes no room, and the others come down", () => {
  const { layers } = picture(state({ idle: [60], context: [30], active: [100] }, { hidden: ["context"] }));
  assert.deepEqual(layers.map((layer) => [layer.key, layer.hidden, layer.tops[0]]), [
    ["idle", false, 60], ["context", true, 60], ["active", false, 160],
  ]);
});

test("a step of which nothing is known is a gap in all layers", () => {
  const of = state({ idle: [60, 60, 60] });
  of.history.mean_w[1] = null;
  assert.deepEqual(picture(of).layers[0].tops, [60, null, 60]);
});

test("in sight is the range until the newest reading, or the zoom", () => {
  assert.deepEqual(spanOf(state({ idle: [1, 2] }, { range_s: 900 })), [1001.5 - 900, 1001.5]);
  assert.deepEqual(spanOf(state({ idle: [1] }, { zoom: [5, 9] })), [5, 9]);
});

test("five minutes are shown reading by reading, hours as means", () => {
  assert.equal(picture(state({ idle: [1] })).full, true);
  assert.equal(picture(state({ idle: [1] }, { range_s: 3600 })).full, false);
});

test("the line of means is a step for each, with a gap where steps are missing", () => {
  const of = state({ idle: [10, 20, 30] }, { range_s: 3600 });
  of.history.start = [1000, 1001, 1005];
  const [xs, ys] = picture(of).line;
  assert.deepEqual(ys, [10, 10, 20, 20, null, 30, 30]);
  assert.deepEqual([...xs].sort((a, b) => a - b), xs);
});

test("all that is drawn fits under the top", () => {
  always((dice) => {
    const count = 1 + dice.below(10);
    const of = state({ idle: Array.from({ length: count }, () => dice.below(400)), active: Array(count).fill(dice.below(500)) });
    const { top_w, layers } = picture(of);
    for (const layer of layers) for (const top of layer.tops) assert.ok(top <= top_w);
    assert.ok(top_w <= endOf(top_w));
  });
});

test("the watt axis ends on a round number, little above what is shown", () => {
  always((dice) => {
    const top_w = 10 ** dice.between(0, 5);
    const end = endOf(top_w);
    assert.ok(end >= top_w && end <= 1.6 * top_w, `${top_w} ends at ${end}`);
    assert.match(end.toPrecision(6), /^(1|1\.2|1\.5|2|2\.5|3|4|5|6|8|[1-8]\d?)0*\.?0*(e\+\d+)?$/);
  });
  assert.equal(endOf(0), endOf(0.5));
});

test("an instant has the figures of the step that it lies in", () => {
  const shown = picture(state({ idle: [60, 61], active: [100, 200] }));
  const instant = instantAt(shown, 1001.2);
  assert.deepEqual([instant.mean_w, instant.half_w], [261, 1]);
  assert.deepEqual(instant.layers.get("active"), { power_w: 200, half_w: 200 });
  assert.equal(instantAt(shown, 999).mean_w, null);
  assert.equal(instantAt(shown, 1002.1).mean_w, null);
});

test("the newest instant is the newest reading with the newest step", () => {
  const instant = newest(picture(state({ idle: [60, 61] })));
  assert.deepEqual([instant.total_w, instant.mean_w], [3, 61]);
  assert.equal(newest(picture(emptyState())), null);
});

test("the chart in words", () => {
  const shown = picture(state({ idle: [60, 61], active: [100, 200] }, { range_s: 3600, hidden: ["idle"] }));
  assert.match(summaryOf(shown), /from 160\.0 W to 261\.0 W/);
  const words = wordsAt(shown, instantAt(shown, 1001.2));
  assert.ok(words.endsWith(`total 261.0 W ±1.0 W; ${shown.layers[1].label} 200.0 W`), words);
});

test("a small chart has the lowest and the highest reading of each column", () => {
  always((dice) => {
    const at = Float64Array.from({ length: dice.below(300) }, (_, i) => 1000 + i);
    const values = at.map(() => (dice.next() < 0.1 ? Number.NaN : dice.between(0, 500)));
    const { low, high } = columnsOf(at, values, 1000, 40);
    const known = [...values].filter((value) => !Number.isNaN(value));
    assert.equal(Math.min(...low), Math.min(...known));
    assert.equal(Math.max(...high), Math.max(...known));
    low.forEach((value, x) => assert.ok(value <= high[x] || (value === Infinity && high[x] === -Infinity)));
  });
});
