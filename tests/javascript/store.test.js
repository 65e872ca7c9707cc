import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "page/store.js";

const atOnce = (run) => run();

/** A store whose frames are drawn when told. */
function framed() {
  const due = [];
  const store = new Store({}, (run) => void due.push(run));
  return { store, due, draw: () => due.splice(0).forEach((run) => { run(); }) };
}

test("listeners are told once a frame, of all that has changed since", () => {
  const { store, due, draw } = framed();
  const told = [];
  store.subscribe((state, before) => told.push([before.polls, state.polls, state.theme]));
  store.update({ polls: 1 });
  store.update({ polls: 2 });
  store.update({ theme: "dark" });
  assert.equal(due.length, 1);
  assert.deepEqual(told, []);
  draw();
  assert.deepEqual(told, [[0, 2, "dark"]]);
});

test("the state is new at once, though it is told later", () => {
  const { store } = framed();
  store.update({ polls: 7 });
  assert.equal(store.state.polls, 7);
});

test("a change that a listener makes is told in a further round, from where the first ended", () => {
  const { store, draw } = framed();
  const told = [];
  store.subscribe((state, before) => {
    told.push([before.polls, state.polls]);
    if (state.polls === 1) store.update({ polls: 2 });
  });
  store.update({ polls: 1 });
  draw();
  draw();
  assert.deepEqual(told, [[0, 1], [1, 2]]);
});

test("who has left is not told any more, even in the round in which it leaves", () => {
  const store = new Store({}, atOnce);
  const told = [];
  const leave = store.subscribe(() => { told.push("first"); leave(); });
  store.subscribe(() => told.push("second"));
  store.update({ polls: 1 });
  store.update({ polls: 2 });
  assert.deepEqual(told, ["first", "second", "second"]);
});

test("to look elsewhere keeps the rest of the view, and the old state", () => {
  const store = new Store({}, atOnce);
  const { view } = store.state;
  store.look({ range_s: 900 });
  assert.deepEqual(store.state.view, { ...view, range_s: 900 });
  assert.equal(view.range_s, 300);
});

test("stores share nothing", () => {
  const [one, two] = [new Store({}, atOnce), new Store({}, atOnce)];
  one.state.power.append({ at_unix_s: [1], power_w: {}, next: 1 });
  one.palette.colorOf("process", "x");
  assert.equal(two.state.power.length, 0);
  assert.notEqual(one.palette, two.palette);
});
