/* One stop of the tab key for all openers of a table; the arrow keys go from one to the next. */

const OPENER = "button.opener";

/**
 * @param {HTMLElement} body
 * @returns {HTMLElement[]}
 */
function openers(body) {
  return [...body.querySelectorAll(`:scope > tr > th > ${OPENER}`)].filter((one) => one instanceof HTMLElement);
}

/**
 * @param {string} key
 * @param {number} now
 * @param {number} count
 */
function target(key, now, count) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key === "ArrowDown") return Math.min(now + 1, count - 1);
  return key === "ArrowUp" ? Math.max(now - 1, 0) : null;
}

/**
 * @param {HTMLElement} body
 * @param {KeyboardEvent} event
 */
function go(body, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const all = openers(body);
  const now = event.target instanceof HTMLElement ? all.indexOf(event.target) : -1;
  const next = now < 0 ? null : target(event.key, now, all.length);
  if (next === null) return;
  event.preventDefault();
  all[next]?.focus();
}

/**
 * Makes the openers of `body` one stop.
 * @param {HTMLElement} body
 */
export function rove(body) {
  body.addEventListener("keydown", (event) => go(body, event));
  body.addEventListener("focusin", (event) => {
    const { target: focused } = event;
    if (focused instanceof HTMLElement && focused.matches(OPENER)) stopAt(body, focused);
  });
}

/**
 * @param {HTMLElement} body
 * @param {HTMLElement} opener
 */
function stopAt(body, opener) {
  for (const other of body.querySelectorAll(`${OPENER}[tabindex="0"]`)) other.setAttribute("tabindex", "-1");
  opener.setAttribute("tabindex", "0");
}

/**
 * There is always one that the tab key finds.
 * @param {HTMLElement} body
 */
export function keepStop(body) {
  if (body.querySelector(`${OPENER}[tabindex="0"]`)) return;
  const first = body.querySelector(OPENER);
  if (first instanceof HTMLElement) first.setAttribute("tabindex", "0");
}
