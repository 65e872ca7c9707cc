import assert from "node:assert/strict";
import { test } from "node:test";

import { historyPatch, restarted } from "page/arrival.js";
import { historyKey, stepOf, zoomKey, zoomQuestion, zoomStep } from "page/questions.js";
import { emptyState } from "page/store.js";
import { plainView, RANGES_S } from "page/view.js";

import { always } from "./support/dice.js";
import { history, snapshot } from "./support/documents.js";

const zoomed = (from, to, more = {}) => ({ ...plainView(), zoom: [from, to], ...more });

test("each range has as many steps as a chart can show", () => {
  for (const range_s of RANGES_S) {
    const steps = range_s / stepOf({ ...plainView(), range_s });
    assert.ok(steps >= 250 && steps <= 600, `${range_s} s has ${steps}`);
  }
});

test("a zoom asks for finer steps only where there are any", () => {
  assert.equal(zoomStep(plainView()), null);
  assert.equal(zoomStep(zoomed(1000, 1100)), null);
  assert.equal(zoomStep(zoomed(1000, 1100, { range_s: 21600 })), 1);
  always((dice) => {
    const view = zoomed(1e9, 1e9 + dice.between(2, 21600), { range_s: dice.of(RANGES_S) });
    const step_s = zoomStep(view);
    assert.equal(zoomKey(view) === null, step_s === null);
    if (step_s === null) return;
    assert.ok(step_s < stepOf(view));
    const question = zoomQuestion(view, step_s);
    assert.equal(Number(question.get("from")) % step_s, 0);
    assert.ok(Number(question.get("from")) <= view.zoom[0] && Number(question.get("from")) > view.zoom[0] - step_s);
    assert.equal(Number(question.get("to")), view.zoom[1]);
  });
});

test("an answer that comes too late, to a question that is not asked any more, changes nothing", () => {
  const state = emptyState();
  const old = historyKey(state.view);
  const turned = { ...state, view: { ...state.view, by: "process" } };
  assert.deepEqual(historyPatch(turned, history([1000], { idle: [1] }), old), {});
  assert.equal(historyPatch(state, history([1000], { idle: [1] }), old).history.start.length, 1);
});

test("the chart keeps no more than its range", () => {
  const state = emptyState();
  const key = historyKey(state.view);
  let { history: series } = historyPatch(state, history([1000], { idle: [1] }), key);
  for (let at_s = 1001; at_s < 2000; at_s++) {
    ({ history: series } = historyPatch({ ...state, history: series }, history([at_s], { idle: [1] }), key));
  }
  assert.ok(series.start.length >= 300 && series.start.length <= 302, `${series.start.length}`);
});

test("another agent is one that has begun at another time", () => {
  const state = (at) => ({ ...emptyState(), snapshot: snapshot([], { agent_started_unix_s: at }) });
  assert.equal(restarted(state(1), snapshot([], { agent_started_unix_s: 2 })), true);
  assert.equal(restarted(state(1), snapshot([], { agent_started_unix_s: 1 })), false);
  assert.equal(restarted(state(null), snapshot([], { agent_started_unix_s: 1 })), false);
  assert.equal(restarted(state(1), null), false);
  assert.equal(restarted(emptyState(), snapshot([])), false);
});
