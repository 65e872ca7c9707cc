import assert from "node:assert/strict";
import { test } from "node:test";

import { sums } from "page/tables/accounts.js";
import { divide } from "page/tables/filter.js";
import { deviceNames, jobName, processName, purpose } from "page/tables/names.js";
import { sorted, staying } from "page/tables/order.js";

import { always } from "./support/dice.js";
import { process } from "./support/documents.js";

const known = (value) => value !== null && value !== "";

test("rows are sorted by what is known, and what is not comes last both ways", () => {
  always((dice) => {
    const rows = Array.from({ length: dice.below(30) }, (_, i) => ({ i, power_w: dice.next() < 0.3 ? null : dice.below(9) }));
    for (const descending of [true, false]) {
      const ranks = sorted(rows, (row) => row.power_w, descending).map((row) => row.power_w);
      const numbers = ranks.filter(known);
      assert.deepEqual(ranks.slice(numbers.length), Array(ranks.length - numbers.length).fill(null));
      assert.deepEqual(numbers, [...numbers].sort((a, b) => (descending ? b - a : a - b)));
    }
  });
});

test("rows that are equal stay as they came, and none is lost", () => {
  always((dice) => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ i, rank: dice.below(3) }));
    const found = sorted(rows, (row) => row.rank, dice.next() < 0.5);
    assert.deepEqual([...found].sort((a, b) => a.i - b.i), rows);
    found.slice(1).forEach((row, at) => assert.ok(row.rank !== found[at].rank || row.i > found[at].i));
  });
});

test("names are sorted as people do, numbers in them as numbers", () => {
  const names = ["worker-10", "Worker-2", "", "alpha", null].map((name) => ({ name }));
  const shown = sorted(names, (row) => row.name, false).map((row) => row.name);
  assert.deepEqual(shown, ["alpha", "Worker-2", "worker-10", "", null]);
});

test("to sort does not touch what was given", () => {
  const rows = Object.freeze([{ v: 2 }, { v: 1 }]);
  assert.deepEqual(sorted(rows, (row) => row.v, false).map((row) => row.v), [1, 2]);
});

test("as many rows as possible stay where they are", () => {
  assert.deepEqual(staying([3, 0, 1, 2]), new Set([1, 2, 3]));
  assert.deepEqual(staying([-1, 0, -1, 1]), new Set([1, 3]));
  always((dice) => {
    const places = Array.from({ length: dice.below(9) }, () => dice.below(12) - 2);
    const unique = places.filter((place, i) => place < 0 || places.indexOf(place) === i);
    const stay = [...staying(unique)].sort((a, b) => a - b).map((at) => unique[at]);
    stay.forEach((place, i) => assert.ok(place >= 0 && (i === 0 || place > stay[i - 1])));
    assert.equal(stay.length, longestRising(unique));
  });
});

function longestRising(places) {
  const lengths = [];
  places.forEach((place, i) => {
    lengths[i] = place < 0 ? 0 : 1 + Math.max(0, ...lengths.filter((_, j) => j < i && places[j] >= 0 && places[j] < place));
  });
  return Math.max(0, ...lengths);
}

test("a filter divides the rows, and none is in both parts or in none", () => {
  always((dice) => {
    const rows = Array.from({ length: dice.below(20) }, (_, i) => process(i, { comm: dice.text(6), user: dice.of(["ada", "grace"]) }));
    const { shown, hidden } = divide(rows, dice.text(3));
    assert.deepEqual([...shown, ...hidden].sort((a, b) => a.pid - b.pid), rows);
  });
});

test("a row is shown if it has all words, wherever they stand and however they are written", () => {
  const rows = [process(1, { comm: "train.py", user: "ada", job: "4711" }), process(4711, { comm: "vllm", user: "svc" })];
  const found = (filter) => divide(rows, filter).shown.map((row) => row.pid);
  assert.deepEqual(found(""), [1, 4711]);
  assert.deepEqual(found("  "), [1, 4711]);
  assert.deepEqual(found("TRAIN ada"), [1]);
  assert.deepEqual(found("4711"), [1, 4711]);
  assert.deepEqual(found("4711 svc"), [4711]);
  assert.deepEqual(found("train svc"), []);
  assert.deepEqual(found(".*"), []);
});

test("the foot completes the sum: its lines and the rows are the whole", () => {
  const rows = [process(1, { power_w: 30, energy_j: 300 }), process(2, { power_w: null, energy_j: 20 })];
  const accounts = [{ name: "idle", power_w: 60, energy_j: 600 }, { name: "ended", power_w: null, energy_j: 80 }];
  const doc = { total_w: 100, total_j: 1010, processes: rows, accounts, more: 3 };
  const lines = Object.fromEntries(sums(doc, [rows[0]]).map((line) => [line.name, line.cells]));
  assert.deepEqual(Object.keys(lines), ["hidden", "idle", "ended", "not listed", "total"]);
  assert.deepEqual(lines.hidden, { power_w: "30.0 W", share: "30.0 %", energy_j: "300.0 J" });
  assert.deepEqual(lines.ended, { power_w: "–", share: "–", energy_j: "80.00 J" });
  assert.deepEqual(lines["not listed"], { power_w: "10.0 W", share: "10.0 %", energy_j: "10.00 J" });
  assert.deepEqual(lines.total, { power_w: "100.0 W", share: "100 %", energy_j: "1010 J" });
});

test("devices have names that differ, as short as may be", () => {
  const names = (devices) => [...deviceNames(devices).values()];
  const gpu = (id, index, name = "NVIDIA H100") => ({ id, kind: "gpu", index, name });
  assert.deepEqual(names([gpu("x", "0"), gpu("y", "1")]), ["GPU 0", "GPU 1"]);
  always((dice) => {
    const devices = Array.from({ length: dice.below(6) }, (_, i) => gpu(`id-${i}`, dice.of(["0", "1", ""]), dice.text(8)));
    assert.equal(new Set(names(devices)).size, devices.length);
  });
});

test("what a process is for: its run, else its job, else its unit", () => {
  assert.equal(purpose(process(1, { run: "R", run_name: "resnet", system: "slurm", job: "7", step: "" })), "resnet");
  assert.equal(purpose(process(1, { system: "slurm", job: "7", step: "0" })), "slurm 7.0");
  assert.equal(purpose(process(1, { unit: "sshd.service" })), "sshd.service");
  assert.equal(purpose(process(1)), "");
  assert.equal(jobName({ system: "kubernetes", job: "p".repeat(60), step: "" }).length, "kubernetes ".length + 24);
});

test("a process without a name can be read of", () => {
  assert.equal(processName(""), "(no name)");
  assert.equal(processName("<img src=x onerror=alert(1)>\n"), "<img src=x onerror=alert(1)>?");
});
