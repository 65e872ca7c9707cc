/* The help: what the words mean, and the keys. */

import { el } from "../dom.js";
import { onKey } from "./keys.js";
import { KEYS, WORDS } from "./words.js";

const DIALOG = "help-dialog";

/**
 * @param {readonly (readonly [string, string])[]} pairs
 * @param {"dt" | "kbd"} tag how the left side is written
 */
function list(pairs, tag) {
  const items = pairs.map(([word, meaning]) =>
    el("div", null, el("dt", null, tag === "kbd" ? el("kbd", null, word) : word), el("dd", null, meaning)));
  return el("dl", { class: "words" }, ...items);
}

function dialog() {
  const close = el("button", { type: "button", onclick: () => box.close() }, "Close");
  const head = el("div", { class: "dialog-head" }, el("h2", { id: "help-words" }, "Words and keys"), close);
  const words = el("div", { class: "dialog-body", tabindex: 0, role: "group", "aria-labelledby": "help-words" }, list(WORDS, "dt"),
    el("h3", null, "Keys"), list(KEYS, "kbd"));
  const box = el("dialog", { id: DIALOG, class: "help", "aria-labelledby": "help-words" }, head, words);
  return box;
}

/** Opens the help, wherever on the page that is asked for. */
export function openHelp() {
  const box = document.getElementById(DIALOG);
  if (box instanceof HTMLDialogElement && !box.open) box.showModal();
}

/**
 * @param {HTMLElement} root
 * @param {import("../store.js").Store} _store
 */
export function mountHelp(root, _store) {
  const box = dialog();
  // Escape closes the help and nothing else.
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.stopPropagation();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
  const button = el("button", { type: "button", "aria-haspopup": "dialog", "aria-keyshortcuts": "?", onclick: openHelp }, "Words and keys ",
    el("kbd", { "aria-hidden": "true" }, "?"));
  const words = el("p", { class: "quiet" }, "Idle, unattributed and all processes sum exactly to what the devices drew.");
  root.append(el("div", { class: "help-line" }, words, button));
  // Not in the section: that is not there before the first figures, and the help is.
  document.body.append(box);
  onKey("?", openHelp);
}
