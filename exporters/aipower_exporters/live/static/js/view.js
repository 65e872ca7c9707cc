// What the reader looks at. It stands in the address, so that a view can be shared.

/** @typedef {{key: string, descending: boolean}} Sort */
/**
 * @typedef {object} View
 * @property {number} range_s how far back the chart goes
 * @property {"device" | "component" | "process"} by what the chart is stacked by
 * @property {string[]} devices ids of those that the chart shows; empty for the whole node
 * @property {boolean} paused
 * @property {[number, number] | null} zoom from and to, unix seconds
 * @property {string[]} hidden keys of the layers that are not drawn
 * @property {string} processFilter
 * @property {Sort} processSort
 * @property {Sort} jobSort
 */

export const RANGES_S = [300, 900, 3600, 21600];
export const STACKS = /** @type {const} */ (["component", "device", "process"]);

/** @returns {View} */
export function plainView() {
  return {
    range_s: 300,
    by: "component",
    devices: [],
    paused: false,
    zoom: null,
    hidden: [],
    processFilter: "",
    processSort: { key: "power_w", descending: true },
    jobSort: { key: "power_w", descending: true },
  };
}

/** @param {Sort} sort */
const sortText = (sort) => (sort.descending ? `-${sort.key}` : sort.key);

/**
 * @param {string | null} text
 * @param {Sort} plain
 * @returns {Sort}
 */
function sortOf(text, plain) {
  if (!text) return plain;
  const descending = text.startsWith("-");
  return { key: descending ? text.slice(1) : text, descending };
}

/** @param {View} view what differs from the plain view, as the part of the address after `#` */
export function hashOf(view) {
  const plain = plainView();
  const found = new URLSearchParams();
  if (view.range_s !== plain.range_s) found.set("range", String(view.range_s));
  if (view.by !== plain.by) found.set("by", view.by);
  for (const id of view.devices) found.append("device", id);
  for (const key of view.hidden) found.append("hide", key);
  if (view.zoom) found.set("zoom", view.zoom.map((at_s) => at_s.toFixed(1)).join("_"));
  if (view.processFilter) found.set("filter", view.processFilter);
  if (sortText(view.processSort) !== sortText(plain.processSort)) found.set("sort", sortText(view.processSort));
  if (sortText(view.jobSort) !== sortText(plain.jobSort)) found.set("jobs", sortText(view.jobSort));
  return found.toString();
}

/**
 * @param {string | null} text
 * @returns {[number, number] | null}
 */
function zoomOf(text) {
  const [from, to] = (text ?? "").split("_").map(Number);
  return from !== undefined && to !== undefined && from > 0 && to > from ? [from, to] : null;
}

/**
 * The view that an address asks for; what it does not say, or says wrongly, is as in the plain view.
 * @param {string} hash
 * @returns {View}
 */
export function viewOf(hash) {
  const plain = plainView();
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const range_s = Number(asked.get("range"));
  return {
    ...plain,
    range_s: RANGES_S.includes(range_s) ? range_s : plain.range_s,
    by: STACKS.find((by) => by === asked.get("by")) ?? plain.by,
    devices: asked.getAll("device"),
    hidden: asked.getAll("hide"),
    zoom: zoomOf(asked.get("zoom")),
    processFilter: asked.get("filter") ?? "",
    processSort: sortOf(asked.get("sort"), plain.processSort),
    jobSort: sortOf(asked.get("jobs"), plain.jobSort),
  };
}
