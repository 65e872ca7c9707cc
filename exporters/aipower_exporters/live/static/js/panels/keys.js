/* Keys that work anywhere on the page, but never while somebody writes. */

/** @param {EventTarget | null} target */
function writing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/**
 * Calls `act` when `key` is pressed on the page.
 * @param {string} key
 * @param {() => void} act
 */
export function onKey(key, act) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== key || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (writing(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  });
}
