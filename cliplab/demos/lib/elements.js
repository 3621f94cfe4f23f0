// @ts-check
// Elements of a page. What a reader types only ever becomes text nodes.

/** @import { Child, ElementOf, Props, Tag } from "./types.js" */

const SVG = ["svg", "path", "rect", "line", "circle", "g", "text", "polyline"];

/**
 * An element with attributes (true: one without a value), listeners (`onclick`) and children.
 *
 * @template {Tag} T
 * @param {T} tag
 * @param {Props} props
 * @param {...Child} children
 * @returns {ElementOf<T>}
 */
export function h(tag, props = {}, ...children) {
  const element = SVG.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...shownChildren(children));
  return /** @type {ElementOf<T>} */ (element);
}

/**
 * Lists of children as one list, without what is left out.
 *
 * @param {Child[]} children
 * @returns {(string | Node)[]}
 */
function shownChildren(children) {
  return children.flatMap((child) => {
    if (Array.isArray(child)) return shownChildren(child);
    return child === undefined || child === false ? [] : [child];
  });
}

/**
 * A prompt with the character marked at which it cannot be read.
 *
 * @param {string} prompt
 * @param {number} position
 */
export function markedPrompt(prompt, position) {
  const rest = prompt.slice(position);
  const char = [...rest][0] ?? "";
  return h(
    "p",
    { class: "cld-mono cld-marked" },
    prompt.slice(0, position),
    h("mark", {}, char || " "),
    rest.slice(char.length),
  );
}
