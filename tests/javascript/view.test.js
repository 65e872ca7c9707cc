import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOf, plainView, RANGES_S, STACKS, viewOf } from "page/view.js";

import { always } from "./support/dice.js";

function anyView(dice) {
  const from = Math.round(dice.between(1e9, 2e9));
  const sort = () => ({ key: dice.of(["power_w", "energy_j", "comm", "user"]), descending: dice.next() < 0.5 });
  return {
    ...plainView(),
    range_s: dice.of(RANGES_S),
    by: dice.of(STACKS),
    devices: dice.some(["GPU-1", "package-0/dram", dice.text() || "x"]),
    hidden: dice.some(["idle", "GPU-1", "b-1-2"]),
    zoom: dice.next() < 0.5 ? [from, from + 1 + dice.below(9999)] : null,
    processFilter: dice.text(),
    processSort: sort(),
    jobSort: sort(),
  };
}

test("a view comes back from its address", () => {
  always((dice) => {
    const view = anyView(dice);
    assert.deepEqual(viewOf(`#${hashOf(view)}`), view);
    assert.deepEqual(viewOf(hashOf(view)), view);
  }, 500);
});

test("the address of a view is as short as it may be, and of letters that may stand there", () => {
  assert.equal(hashOf(plainView()), "");
  always((dice) => assert.match(hashOf(anyView(dice)), /^[\w.*+=&%-]*$/));
});

test("whether the page is paused is not shared", () => {
  assert.equal(viewOf(hashOf({ ...plainView(), paused: true })).paused, false);
});

test("an address that makes no sense is the plain view", () => {
  const wrong = ["range=7", "range=x", "by=__proto__", "zoom=5", "zoom=5_1", "zoom=5_5", "zoom=a_b", "zoom=-3_5", "sort=", "what=ever", "%", "=", "&&"];
  for (const hash of wrong) assert.deepEqual(viewOf(`#${hash}`), plainView(), hash);
});

test("whatever the address says, the view is one that can be shown", () => {
  always((dice) => {
    const view = viewOf(`#${dice.of(["range", "by", "zoom", "sort", "device"])}=${dice.text()}&${dice.text(30)}`);
    assert.ok(RANGES_S.includes(view.range_s));
    assert.ok(STACKS.includes(view.by));
    assert.ok(view.zoom === null || view.zoom[0] < view.zoom[1]);
    assert.equal(typeof view.processSort.key, "string");
  }, 500);
});
