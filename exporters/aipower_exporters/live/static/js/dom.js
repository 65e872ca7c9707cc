/* Elements made and changed without markup: foreign text can only become text. */

import { harmless } from "./format.js";

/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Value */
/** @typedef {Node | string | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An attribute of an element: true is one without a value, null, undefined and false are none; a function is called
 * on the event that the name tells after "on".
 * @param {Element} node
 * @param {string} name
 * @param {Value} value
 */
export function set(node, name, value) {
  if (typeof value === "function") {
    node.addEventListener(name.slice(2), value);
    return;
  }
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const written = value === true ? "" : String(value);
  if (node.getAttribute(name) !== written) node.setAttribute(name, written);
}

/**
 * @param {Element} node
 * @param {Record<string, Value> | null} attributes
 * @param {Child[]} children
 */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) set(node, name, value);
  for (const child of children) if (child !== null && child !== undefined && child !== false) node.append(child);
}

/**
 * An element of HTML; strings become text nodes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Value> | null} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = null, ...children) {
  const node = document.createElement(tag);
  fill(node, attributes, children);
  return node;
}

/**
 * An element of SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Value> | null} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = null, ...children) {
  const node = document.createElementNS(SVG, tag);
  fill(node, attributes, children);
  return node;
}

/**
 * Somebody else's text: without what cannot be printed, and kept from turning the direction of its neighbours.
 * @param {string} foreign
 * @returns {HTMLElement}
 */
export function name(foreign) {
  return el("bdi", null, harmless(foreign));
}

/**
 * The text of a node, written only where it changes: selections and screen readers are left alone.
 * @param {Node} node
 * @param {string} shown
 */
export function text(node, shown) {
  const first = node.firstChild;
  if (first !== null && first === node.lastChild && first.nodeType === Node.TEXT_NODE) {
    if (first.nodeValue !== shown) first.nodeValue = shown;
  } else if (node.textContent !== shown || first !== null) {
    node.textContent = shown;
  }
}

/**
 * A class of an element, on or off.
 * @param {Element} node
 * @param {string} word
 * @param {boolean} on
 */
export function mark(node, word, on) {
  if (node.classList.contains(word) !== on) node.classList.toggle(word, on);
}

/**
 * @param {HTMLElement} node
 * @param {boolean} shown
 */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/** @param {Node} node */
export function clear(node) {
  while (node.lastChild) node.removeChild(node.lastChild);
}
