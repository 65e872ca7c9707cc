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
    const feed = new Feed(store, (part) => browser.inSight.has(part));
    feed.start();
    if (!browser.hidden) await browser.settled();
    await use(browser, store, feed);
  });
}

/** In which polls a table was asked for. */
function asked(browser, table) {
  return browser.questions("live").flatMap((query, turn) => (query.get("include").split(",").includes(table) ? [turn] : []));
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

test("it polls every second and a half", () =>
  open(async (browser) => {
    for (let i = 0; i < 20; i++) {
      assert.ok(browser.timer.delay_ms <= 1500 && browser.timer.delay_ms > 1000, `${browser.timer.delay_ms} ms`);
      await browser.tick();
    }
    assert.deepEqual(asked(browser, "snapshot").length, 21);
  }));

test("a table that nobody sees is asked for once", () =>
  open(async (browser) => {
    for (let i = 0; i < 30; i++) await browser.tick();
    for (const table of ["processes", "jobs"]) assert.deepEqual(asked(browser, table), [0]);
    assert.equal(browser.questions("runs").length, 1);
  }));

test("a table in sight is asked for now and then", () =>
  open(async (browser) => {
    for (let i = 0; i < 20; i++) await browser.tick();
    assert.deepEqual(asked(browser, "processes"), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
    assert.deepEqual(asked(browser, "jobs"), [0, 6, 12, 18]);
  }, (browser) => { browser.inSight = new Set(["processes", "jobs"]); }));

test("a table that comes into sight is asked for at once, unless its figures are fresh", () =>
  open(async (browser, _store, feed) => {
    for (let i = 0; i < 8; i++) await browser.tick();
    browser.inSight.add("processes");
    browser.timer = null;
    feed.look();
    await browser.settled();
    assert.deepEqual(asked(browser, "processes"), [0, 9]);
    const { length } = browser.asked;
    feed.look();
    assert.equal(browser.asked.length, length);
  }));

test("an answer of somebody in between is told, and the page goes on", () =>
  open(async (browser, store) => {
    browser.nonsense = "<html>Welcome to the hotel's network</html>";
    await browser.tick();
    assert.deepEqual([store.state.connection.status, store.state.connection.error], ["lost", "the answer is not the agent's"]);
    browser.nonsense = null;
    await browser.tick();
    assert.equal(store.state.connection.status, "live");
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
    assert.ok(browser.timer.delay_ms <= 1500);
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
