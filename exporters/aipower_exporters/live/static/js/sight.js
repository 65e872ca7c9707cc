// Whether a part of the page is in sight, or nearly: what nobody sees needs no figures.

/** Far enough that scrolling does not outrun the answer. */
const MARGIN = "400px";

/**
 * @param {Element} part
 * @param {() => void} [came] called when it comes into sight
 * @returns {() => boolean}
 */
export function watchSight(part, came) {
  let seen = false;
  new IntersectionObserver((entries) => {
    const before = seen;
    seen = entries[entries.length - 1]?.isIntersecting ?? false;
    if (seen && !before) came?.();
  }, { rootMargin: MARGIN }).observe(part);
  return () => seen;
}

/**
 * Draws a part when it has something new to show, and no sooner than it is seen. Paper shows all.
 * @param {Element} part
 * @param {() => void} draw
 * @returns {() => void} to be called when there is something new
 */
export function drawnInSight(part, draw) {
  let due = false;
  const now = () => {
    if (!due) return;
    due = false;
    draw();
  };
  const seen = watchSight(part, now);
  addEventListener("beforeprint", now);
  return () => {
    due = true;
    if (seen()) now();
  };
}
