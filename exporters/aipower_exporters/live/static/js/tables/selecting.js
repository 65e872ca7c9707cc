/* Whether somebody has selected text in a part of the page: then nothing there may move. */

/**
 * To ask for the selection makes the browser lay out the page, so it is asked only once one has begun there.
 * @param {HTMLElement} part
 * @returns {() => boolean}
 */
export function watchSelection(part) {
  let begun = false;
  part.addEventListener("selectstart", () => {
    begun = true;
  });
  return () => {
    begun = begun && holds(part, document.getSelection());
    return begun;
  };
}

/**
 * @param {HTMLElement} part
 * @param {Selection | null} selection
 */
function holds(part, selection) {
  return Boolean(selection && !selection.isCollapsed && part.contains(selection.anchorNode));
}
