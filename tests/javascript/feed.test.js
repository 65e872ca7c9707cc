import assert from "node:assert/strict";
import { test } from "node:test";

import { Feed } from "page/feed.js";
import { Store } from "page/store.js";

import { Browser } from "./support/browser.js";

/** A page that has polled once. */
async function open(use, prepare = () => undefined) {
  const browser = new Browser();
  prepare(browser);
  await browser.during(async () => {
    const store = new Store({}, (run) => run());
    new Feed(store, () => false).start();
    if (!browser.hidden) await browser.settled();
    await use(browser, store);
  });
}

test("the first poll asks for all there is, and the next for what came since", () =>
  open(async (browser, store) => {
    const [first] = browser.questions("live");
    assert.deepEqual(first.get("include").split(","), ["snapshot", "processes", "jobs"]);
    assert.equal(first.get("after"), null);
    assert.equal(browser.questions("history")[0].get("from"), "-300");
    assert.equal(store.state.connection.status, "live");
    await browser.tick();
    const next = browser.questions("live")[1];
    assert.equal(next.get("after"), String(1000.001));
    assert.equal(next.get("history_after"), String(1000));
    assert.equal(browser.questions("history").length, 1);
    assert.deepEqual([...store.state.power.at], [1000, 1001]);
  }));

test("it polls once a second, and asks for the long tables less often", () =>
  open(async (browser) => {
    for (let i = 0; i < 60; i++) {
      assert.ok(browser.timer.delay_ms <= 1000 && browser.timer.delay_ms > 500, `${browser.timer.delay_ms} ms`);
      await browser.tick();
    }
    const included = browser.questions("live").map((query) => query.get("include"));
    assert.ok(included.every((words) => words.startsWith("snapshot")));
    assert.ok(included.filter((words) => words.includes("processes")).length <= 31);
    assert.ok(included.filter((words) => words.includes("jobs")).length <= 13);
    assert.equal(browser.questions("runs").length, 1, "nobody sees the runs");
  }));

test("a page that nobody looks at asks nothing, and catches up when somebody does", () =>
  open(async (browser, store) => {
    browser.show(true);
    const { length } = browser.asked;
    browser.timer.run();
    await new Promise((done) => setImmediate(done));
    assert.equal(browser.asked.length, length);
    browser.at_s += 100;
    browser.timer = null;
    browser.show(false);
    await browser.settled();
    assert.equal(browser.questions("live").at(-1).get("after"), String(1000.001));
    assert.equal(store.state.power.newest, 1100);
  }));

test("a page that is opened in the background asks nothing", () =>
  open((browser) => void assert.deepEqual(browser.asked, []), (browser) => { browser.hidden = true; }));

test("a page that is paused asks nothing until it goes on", () =>
  open(async (browser, store) => {
    store.look({ paused: true });
    const { length } = browser.asked;
    browser.timer.run();
    await new Promise((done) => setImmediate(done));
    assert.equal(browser.asked.length, length);
    browser.timer = null;
    store.look({ paused: false });
    await browser.settled();
    assert.ok(browser.asked.length > length);
  }));

test("while the agent is away it is asked less and less often, and then as before", () =>
  open(async (browser, store) => {
    const { snapshot } = store.state;
    browser.trouble = "down";
    const delays = [];
    for (let i = 0; i < 7; i++) {
      await browser.tick();
      delays.push(browser.timer.delay_ms);
    }
    assert.deepEqual(delays, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
    assert.equal(store.state.connection.status, "lost");
    assert.equal(store.state.snapshot, snapshot, "the last figures stay");
    browser.trouble = null;
    await browser.tick();
    assert.equal(store.state.connection.status, "live");
    assert.ok(browser.timer.delay_ms <= 1000);
  }));

test("since when it is lost is told once", () =>
  open(async (browser, store) => {
    browser.trouble = "down";
    await browser.tick();
    const { since_ms } = store.state.connection;
    await browser.tick();
    assert.equal(store.state.connection.since_ms, since_ms);
  }));

for (const [status, word] of [[401, "refused"], [403, "refused"], [503, "connecting"], [500, "lost"], [404, "lost"]]) {
  test(`an answer ${status} means ${word}`, () =>
    open(async (browser, store) => {
      browser.trouble = status;
      await browser.tick();
      assert.deepEqual([store.state.connection.status, store.state.connection.error], [word, "a line with the remedy"]);
    }));
}

test("another view asks for its steps at once", () =>
  open(async (browser, store) => {
    browser.timer = null;
    store.look({ range_s: 21600, by: "process" });
    await browser.settled();
    const last = browser.questions("history").at(-1);
    assert.deepEqual([last.get("from"), last.get("by"), last.get("step")], ["-21600", "process", "60"]);
    assert.equal(store.state.history.step_s, 60);
  }));

test("some devices alone have steps of their own, and the readings stay those of all", () =>
  open(async (browser, store) => {
    browser.timer = null;
    store.look({ devices: ["a"] });
    await browser.settled();
    await browser.tick();
    assert.equal(browser.questions("history").at(-1).get("device"), "a");
    assert.equal(browser.questions("live").at(-1).get("device"), null);
    assert.equal(browser.questions("live").at(-1).get("history_after"), null);
  }));

test("an agent that has restarted is asked for all again, and the chart has a gap", () =>
  open(async (browser, store) => {
    await browser.tick();
    browser.agent_started_unix_s = 1002;
    await browser.tick();
    assert.ok([...store.state.power.column("a")].some(Number.isNaN), "a gap");
    await browser.tick();
    assert.match(browser.questions("live").at(-1).get("include"), /processes.*jobs/);
  }));
