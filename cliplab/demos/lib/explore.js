// @ts-check
// Pointer and arrow keys on what has places in it: a field of numbers, a grid, a strip.

/** @import { Place } from "./types.js" */

/** @type {Record<string, Place>} */
const ARROWS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/**
 * Where a key leads, [rows, columns], which is then done; undefined for a key that leads nowhere.
 *
 * @param {KeyboardEvent} event
 * @returns {Place | undefined}
 */
export function arrowStep(event) {
  if (!(event.key in ARROWS) || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  event.preventDefault();
  return ARROWS[event.key];
}

/**
 * Makes an element a field with places in it, [row, column], for pointer and arrow keys.
 *
 * where(event)      the place under the pointer, if there is one
 * from()            the place that is chosen
 * to(place)         a click or a key chooses this one; it may lie outside: clamp it
 * over(on, place)   pointer or focus has come or gone; no place means the one that is chosen
 *
 * @param {HTMLElement} element
 * @param {{
 *   label: string,
 *   where: (event: MouseEvent) => Place | undefined | false | null,
 *   from: () => Place,
 *   to: (place: Place) => void,
 *   over: (on: boolean, place?: Place) => void,
 * }} how
 */
export function explore(element, { label, where, from, to, over }) {
  element.tabIndex = 0;
  element.setAttribute("role", "application");
  element.setAttribute("aria-label", `${label}. Use the arrow keys.`);
  element.addEventListener("keydown", (event) => {
    const step = arrowStep(event);
    if (!step) return;
    over(true);
    const [row, column] = from();
    to([row + step[0], column + step[1]]);
  });
  element.addEventListener("click", (event) => {
    const place = where(event);
    if (place) to(place);
  });
  element.addEventListener("pointermove", (event) => {
    const place = event.pointerType === "mouse" && where(event);
    if (place) over(true, place);
  });
  element.addEventListener("pointerleave", () => over(false));
  element.addEventListener("focus", () => over(true));
  element.addEventListener("blur", () => over(false));
}

/**
 * Handlers for something that is spoken of while a pointer or the keyboard is on it: see(true),
 * and see(false) when it is left.
 *
 * @param {(on: boolean) => void} see
 */
export const watched = (see) => ({
  onpointerenter: () => see(true),
  onpointerleave: () => see(false),
  onfocusin: () => see(true),
  onfocusout: () => see(false),
});

/**
 * A number no smaller than 0 and no larger than `most`.
 *
 * @param {number} value
 * @param {number} most
 */
export const clamp = (value, most) => Math.min(Math.max(value, 0), most);

/**
 * In which of so many equal rows and columns of an element the pointer is.
 *
 * @param {Element} element
 * @param {{ clientX: number, clientY: number }} pointer
 * @param {number} rows
 * @returns {Place}
 */
export function cellUnder(element, { clientX, clientY }, rows, columns = rows) {
  const box = element.getBoundingClientRect();
  return [
    clamp(Math.floor(((clientY - box.top) / box.height) * rows), rows - 1),
    clamp(Math.floor(((clientX - box.left) / box.width) * columns), columns - 1),
  ];
}
