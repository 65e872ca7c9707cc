/* Which rows of a long table are in the page: those in sight, and some above and below. */

/** Rows beyond those in sight, so that scrolling does not outrun the drawing. */
const MARGIN = 8;
/** As far as nothing has been laid out. */
const ROW_PX = 30;
const BOX_PX = 800;

/**
 * Reads the place of the box when it scrolls, and not when rows are written: that would make the browser lay out the
 * page in between.
 */
export class RowWindow {
  /**
   * @param {HTMLElement} box that scrolls
   * @param {() => void} onMove other rows are in sight
   */
  constructor(box, onMove) {
    this.box = box;
    this.row_px = ROW_PX;
    this.top_px = 0;
    this.box_px = BOX_PX;
    this.waiting = false;
    box.addEventListener("scroll", () => this.scrolled(onMove), { passive: true });
  }

  /** @param {() => void} onMove */
  scrolled(onMove) {
    const before = this.first();
    this.look();
    if (this.waiting || this.first() === before) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      onMove();
    });
  }

  /** Measures anew. */
  look() {
    this.top_px = this.box.scrollTop;
    this.box_px = this.box.clientHeight || BOX_PX;
    const row = this.box.querySelector("tbody > tr:not(.gap, .detail)");
    this.row_px = row?.getBoundingClientRect().height || this.row_px;
  }

  /** Changes in steps, so that not every pixel draws anew. */
  first() {
    const row = Math.floor(this.top_px / this.row_px) - MARGIN;
    return Math.max(0, row - (row % (MARGIN / 2)));
  }

  /**
   * @param {number} count of all rows
   * @returns {[number, number]} the first that is drawn, and the first that is not any more
   */
  range(count) {
    const sight = Math.ceil(this.box_px / this.row_px) + Math.round(2.5 * MARGIN);
    const from = Math.min(this.first(), Math.max(0, count - sight));
    return [from, Math.min(count, from + sight)];
  }
}
