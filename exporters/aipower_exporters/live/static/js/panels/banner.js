/* One line at the top while something keeps the figures from being those of now. */

import { el, show, text } from "../dom.js";
import { clock, harmless } from "../format.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../store.js").State} State */
/** @typedef {{tone: "bad" | "warning" | "plain", title: string, words: string}} Message */

const SIMULATED = "simulated";
const AGAIN = "This page goes on by itself when the agent is back.";
/** How long a first answer may take before it is worth a word. */
const PATIENCE_MS = 1500;

/**
 * What is wrong between the page and the agent.
 * @param {State} state
 * @returns {Message | null}
 */
function connectionMessage({ connection: { status, since_ms, error }, snapshot }) {
  const since = clock(since_ms / 1000);
  if (status === "lost") {
    const words = `${sentence(error)} ${snapshot ? `The figures below are the last ones. ` : ""}${AGAIN} `
      + "On the node: systemctl status aipower";
    return { tone: "bad", title: `No connection to the agent since ${since}.`, words };
  }
  if (status === "refused") {
    const words = `${sentence(error)} Load the page again and log in. Who may look is set in the web config of the agent.`;
    return { tone: "bad", title: "The agent refuses to answer.", words };
  }
  const waiting = status === "connecting" && (error !== "" || Date.now() - since_ms >= PATIENCE_MS);
  return waiting ? { tone: "plain", title: "Waiting for the agent.", words: sentence(error) } : null;
}

/** @param {string} error */
function sentence(error) {
  const shown = harmless(error).trim();
  return shown && !/[.!?]$/.test(shown) ? `${shown.charAt(0).toUpperCase()}${shown.slice(1)}.` : shown;
}

/**
 * What the agent says of itself.
 * @param {State} state
 * @returns {Message | null}
 */
function conditionMessage({ snapshot }) {
  const { status, reason } = snapshot?.condition ?? { status: "ok", reason: "" };
  const words = sentence(reason);
  if (status === "starting") return { tone: "plain", title: "The agent is starting.", words: words || "The first figures come within seconds." };
  if (status === "stale") {
    return { tone: "warning", title: "The agent has no fresh sample.", words: `${words} The figures may be old; the section Health says more.`.trim() };
  }
  return status === "stopping" ? { tone: "warning", title: "The agent ends.", words: `${words} ${AGAIN}`.trim() } : null;
}

/**
 * Figures that nobody has measured must not pass for measured ones.
 * @param {State} state
 * @returns {Message | null}
 */
function simulatedMessage({ snapshot }) {
  const simulated = snapshot?.devices.some((device) => device.driver === SIMULATED);
  return simulated ? { tone: "warning", title: "Simulated sensors:", words: "nothing here is measured." } : null;
}

class Line {
  constructor() {
    this.title = el("b");
    this.words = el("span");
    this.node = el("p", { class: "notice", hidden: true }, this.title, " ", this.words);
  }

  /** @param {Message | null} message */
  update(message) {
    show(this.node, message !== null);
    this.node.className = `notice ${message?.tone ?? ""}`;
    text(this.title, message?.title ?? "");
    text(this.words, message?.words ?? "");
  }
}

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mountBanner(root, store) {
  const [trouble, simulated] = [new Line(), new Line()];
  root.append(el("div", { role: "status" }, trouble.node), simulated.node);
  const render = () => {
    const { state } = store;
    trouble.update(connectionMessage(state) ?? conditionMessage(state));
    simulated.update(simulatedMessage(state));
  };
  store.subscribe((state, before) => {
    if (state.connection !== before.connection || state.snapshot !== before.snapshot) render();
  });
  setTimeout(render, PATIENCE_MS);
  render();
}
