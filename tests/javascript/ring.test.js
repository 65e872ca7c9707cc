import assert from "node:assert/strict";
import { test } from "node:test";

import { PowerRing } from "page/charts/ring.js";
import { readings } from "page/charts/total.js";

import { always } from "./support/dice.js";
import { power } from "./support/documents.js";

const KEPT_S = 330;

test("all readings of the last minutes are there, in order, however they came", () => {
  always((dice) => {
    const ring = new PowerRing();
    const truth = [];
    let at_s = 1e9;
    for (let turn = 0; turn < 60; turn++) {
      const fresh = Array.from({ length: dice.below(40) }, () => {
        at_s += dice.between(0.05, 1.5);
        return { at_s, a: dice.next() < 0.1 ? null : dice.between(0, 700), b: dice.between(0, 700) };
      });
      truth.push(...fresh);
      // An agent tells some of what is known again.
      const told = truth.slice(-(fresh.length + dice.below(4)) || truth.length);
      ring.append(power(told.map((one) => one.at_s), { a: told.map((one) => one.a), b: told.map((one) => one.b) }));
    }
    const kept = truth.filter((one) => one.at_s >= at_s - KEPT_S);
    assert.deepEqual([...ring.at], kept.map((one) => one.at_s));
    assert.deepEqual([...ring.column("a")], kept.map((one) => one.a ?? Number.NaN));
    assert.deepEqual([...ring.column("b")], kept.map((one) => one.b));
  }, 30);
});

test("ten readings a second for an hour take no more room than five minutes do", () => {
  const ring = new PowerRing();
  for (let second = 0; second < 3600; second++) {
    const at = Array.from({ length: 10 }, (_, i) => 1e9 + second + i / 10);
    ring.append(power(at, { a: at.map(() => second) }));
  }
  assert.equal(ring.length, KEPT_S * 10 + 1);
  assert.ok(ring.at.buffer.byteLength <= 8 * 4 * ring.length, "room for readings that are gone");
});

test("a device that comes later, and one that leaves, have no readings elsewhere", () => {
  const ring = new PowerRing();
  ring.append(power([1, 2], { a: [10, 11] }));
  ring.append(power([3, 4], { b: [20, 21] }));
  assert.deepEqual([...ring.column("a")], [10, 11, Number.NaN, Number.NaN]);
  assert.deepEqual([...ring.column("b")], [Number.NaN, Number.NaN, 20, 21]);
  assert.equal(ring.column("c"), undefined);
});

test("an answer without readings moves only the cursor", () => {
  const ring = new PowerRing();
  ring.append({ at_unix_s: [], power_w: { a: [] }, next: 0 });
  assert.equal(ring.next, null);
  assert.equal(ring.newest, null);
  ring.append(power([5], { a: [1] }));
  ring.append({ at_unix_s: [], power_w: { a: [] }, next: 7 });
  assert.deepEqual([ring.next, ring.newest, ring.length], [7, 5, 1]);
});

test("after another agent has begun there is a gap", () => {
  const ring = new PowerRing();
  ring.append(power([1, 2], { a: [10, 11] }));
  ring.interrupt();
  ring.append(power([3, 4], { a: [12, 13] }));
  const [xs, ys] = readings(ring, ["a"], [0, 10], 60);
  assert.deepEqual(ys, [10, 11, null, 12, 13]);
  assert.deepEqual([...xs].sort((a, b) => a - b), xs);
});

test("a clock that was set back makes room for what comes, of each device", () => {
  const ring = new PowerRing();
  ring.append(power([1000, 1001, 1002], { a: [1, 2, 3], b: [4, 5, 6] }));
  ring.append(power([900, 901], { a: [7, 8] }));
  assert.deepEqual([...ring.at], [900, 901]);
  assert.deepEqual([...ring.column("a")], [7, 8]);
  assert.deepEqual([...(ring.column("b") ?? [])], [Number.NaN, Number.NaN]);
});

test("the total is the sum of the devices that are up, and nothing where none is", () => {
  always((dice) => {
    const ring = new PowerRing();
    const at = Array.from({ length: 20 }, (_, i) => 100 + i);
    const some = () => at.map(() => (dice.next() < 0.4 ? null : dice.below(500)));
    const columns = { a: some(), b: some(), c: some() };
    ring.append(power(at, columns));
    const [xs, ys] = readings(ring, ["a", "c", "unknown"], [0, 1000], 5);
    assert.deepEqual(xs, at);
    const sums = at.map((_, i) => {
      const up = [columns.a[i], columns.c[i]].filter((value) => value !== null);
      return up.length ? up.reduce((sum, value) => sum + value, 0) : null;
    });
    assert.deepEqual(ys, sums);
  });
});

test("a long silence is a gap, a short one is not", () => {
  const ring = new PowerRing();
  ring.append(power([1, 2, 4, 20, 21], { a: [1, 2, 4, 20, 21] }));
  assert.deepEqual(readings(ring, ["a"], [0, 100], 3)[1], [1, 2, 4, null, 20, 21]);
});

test("the line goes on over the edges of what is in sight", () => {
  const ring = new PowerRing();
  ring.append(power([1, 2, 3, 4, 5, 6], { a: [1, 2, 3, 4, 5, 6] }));
  assert.deepEqual(readings(ring, ["a"], [2.5, 4.5], 3)[0], [2, 3, 4, 5]);
});
