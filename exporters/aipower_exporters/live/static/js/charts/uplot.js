// uPlot is a classic script that the page loads before its modules; this gives it a type.

/** @typedef {{min: number, max: number}} Range */
/**
 * @typedef {object} Plot
 * @property {CanvasRenderingContext2D} ctx
 * @property {HTMLElement} over
 * @property {{left: number, top: number, width: number, height: number}} bbox in pixels of the canvas
 * @property {{left: number, top: number, width: number, height: number}} select
 * @property {{left: number, top: number}} cursor
 * @property {{x: Range, y: Range}} scales
 * @property {(data: unknown[], resetScales?: boolean) => void} setData
 * @property {(key: "x" | "y", range: Range) => void} setScale
 * @property {(size: {width: number, height: number}) => void} setSize
 * @property {(place: {left: number, top: number}, fire?: boolean) => void} setCursor
 * @property {(box: {left: number, top: number, width: number, height: number}, fire?: boolean) => void} setSelect
 * @property {(value: number, key: "x" | "y", canvas?: boolean) => number} valToPos
 * @property {(position: number, key: "x" | "y") => number} posToVal
 * @property {(run: () => void) => void} batch
 */
/** @typedef {new (options: object, data: unknown[], root: HTMLElement) => Plot} PlotClass */

/** @returns {PlotClass} */
export function plotClass() {
  return /** @type {any} */ (globalThis).uPlot;
}
