import assert from "node:assert/strict";
import { test } from "node:test";

import { Palette } from "page/palette.js";

import { always } from "./support/dice.js";

const names = (count, word = "key") => Array.from({ length: count }, (_, i) => `${word}-${i}`);

test("a thing keeps its colour, whoever comes and goes", () => {
  always((dice) => {
    const palette = new Palette();
    const mine = palette.colorOf("process", "mine");
    for (const other of names(dice.below(60), dice.text(4))) palette.colorOf("process", other);
    assert.equal(palette.colorOf("process", "mine"), mine);
    palette.keep("process", new Set(["mine"]));
    assert.equal(palette.colorOf("process", "mine"), mine);
  });
});

test("as many as are drawn at a time have colours of their own", () => {
  always((dice) => {
    const palette = new Palette();
    const colors = names(21, `p${dice.below(1e6)}`).map((key) => palette.colorOf("process", key));
    assert.equal(new Set(colors).size, 21);
  });
});

test("after all are taken, colours repeat and none is undefined", () => {
  const palette = new Palette();
  for (const key of names(500)) assert.match(palette.colorOf("process", key), /^(var|color-mix)\(/);
});

test("what is given back can be taken again", () => {
  const palette = new Palette();
  for (const key of names(21)) palette.colorOf("process", key);
  palette.keep("process", new Set());
  assert.equal(new Set(names(21, "new").map((key) => palette.colorOf("process", key))).size, 21);
});

test("devices take colours in the order in which the agent names them", () => {
  const [one, two] = [new Palette(), new Palette()];
  one.devices(["a", "b", "c"]);
  two.devices(["a", "b"]);
  two.devices(["a", "b", "c"]);
  for (const id of ["c", "a", "b"]) assert.equal(one.colorOf("device", id), two.colorOf("device", id));
  assert.equal(one.colorOf("device", "a"), "var(--hue-0)");
});

test("the same process has the same colour on another page that shows few", () => {
  assert.equal(new Palette().colorOf("process", "b-1-2"), new Palette().colorOf("process", "b-1-2"));
});

test("accounts have fixed colours, in all stacks", () => {
  const palette = new Palette();
  for (const key of ["idle", "context", "active", "unattributed"]) {
    assert.equal(palette.colorOf("component", key), `var(--${key})`);
    assert.equal(palette.colorOf("process", key), `var(--${key})`);
  }
});

test("a thing that is called like a property of objects is a thing", () => {
  for (const key of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.equal(typeof new Palette().colorOf("process", key), "string", key);
  }
});
