// As much of a browser as the feed sees: a page that may be hidden, timers that go when told, an agent that answers.

import { history, power, snapshot, device } from "./documents.js";

export class Browser {
  constructor() {
    /** What was asked, as paths with their queries. */
    this.asked = [];
    this.hidden = false;
    /** The timer that is due next. */
    this.timer = null;
    this.at_s = 1000;
    this.agent_started_unix_s = 1;
    /** What the agent answers instead: a status, or "down". */
    this.trouble = null;
    /** A body in place of the agent's. */
    this.nonsense = null;
    /** Parts of the page. */
    this.inSight = new Set();
    this.listeners = [];
  }

  /** Puts itself in the place of the globals for as long as `use` takes. */
  async during(use) {
    const names = ["document", "window", "fetch"];
    const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    const [browser] = [this];
    const page = { get hidden() { return browser.hidden; }, addEventListener: (_name, listen) => void this.listeners.push(listen) };
    const values = [page, { setTimeout: (run, delay_ms) => this.#set(run, delay_ms) }, (url) => this.#fetch(url)];
    names.forEach((name, i) => void Object.defineProperty(globalThis, name, { value: values[i], configurable: true, writable: true }));
    try {
      await use();
    } finally {
      names.forEach((name, i) => {
        if (before[i]) Object.defineProperty(globalThis, name, before[i]);
        else delete globalThis[name];
      });
    }
  }

  #set(run, delay_ms) {
    this.timer = { run, delay_ms };
    return 1;
  }

  /** Resolves once a turn has ended: a new timer is set. */
  async settled() {
    for (let i = 0; i < 100 && !this.timer; i++) await new Promise((done) => setImmediate(done));
    if (!this.timer) throw new Error("the feed never set a timer");
  }

  /** The next turn. */
  async tick() {
    const { run } = this.timer;
    this.timer = null;
    this.at_s += 1;
    run();
    await this.settled();
  }

  show(hidden) {
    this.hidden = hidden;
    for (const listen of this.listeners) listen();
  }

  async #fetch(url) {
    this.asked.push(String(url));
    if (this.trouble === "down") throw new TypeError("failed to fetch");
    if (this.trouble) return new Response(JSON.stringify({ error: "a line with the remedy" }), { status: this.trouble });
    if (this.nonsense) return new Response(this.nonsense);
    return Response.json(this.#answer(new URL(url, "http://agent/")));
  }

  #answer(url) {
    if (url.pathname.endsWith("/runs")) return { schema: "", at_unix_s: this.at_s, records: false, runs: [] };
    const steps = history([this.at_s - 2, this.at_s - 1], { idle: [60, 60] }, { step_s: Number(url.searchParams.get("step") ?? 1) });
    if (url.pathname.endsWith("/history")) return steps;
    return {
      snapshot: snapshot([device("a")], { at_unix_s: this.at_s, agent_started_unix_s: this.agent_started_unix_s }),
      power: power([this.at_s], { a: [this.at_s] }),
      history: url.searchParams.has("history_after") ? steps : null,
      processes: null,
      jobs: null,
    };
  }

  /** The queries of the questions to one resource. */
  questions(resource) {
    return this.asked
      .map((url) => new URL(url, "http://agent/"))
      .filter((url) => url.pathname.endsWith(`/${resource}`))
      .map((url) => url.searchParams);
  }
}
