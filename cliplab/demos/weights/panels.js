// @ts-check
// A panel for each tool: the fragments of its reading in their brackets, and their tokens as cards.

import { h, markedPrompt } from "../lib/elements.js";
import { ROWS, bracketsAround, rowsByFragment } from "./reading.js";
import { distanceText, hasMoved, weightText } from "./wording.js";

/** @import { Child } from "../lib/types.js" */
/** @import { Refusal } from "./reading.js" */
/** @import { MovedReading } from "./movement.js" */

/**
 * A panel for each tool. A card's `data-at` says where it is: its tool and its row.
 *
 * @param {HTMLElement} element
 * @param {(MovedReading | Refusal)[]} readings
 */
export function drawPanels(element, readings) {
  const distances = readings.flatMap((reading) => (reading.error ? [] : [...reading.moved]));
  const most = Math.max(0.05, ...distances.filter(Number.isFinite)); // what fills a bar
  element.replaceChildren(
    ...readings.map((reading, index) => {
      const content = reading.error ? complaint(reading) : readingTree(reading, index, most);
      const { name, does } = reading.tool;
      const head = h("p", {}, h("b", {}, name), h("span", { class: "cld-hint" }, ` ${does}`));
      return h("div", { class: "cld-tool" }, head, content);
    }),
  );
}

/**
 * Marks the card of a place, [tool, row].
 *
 * @param {HTMLElement} element
 * @param {[number, number]} place
 */
export function markCard(element, place) {
  for (const card of element.querySelectorAll(".cld-card")) {
    card.classList.toggle("cld-here", card.getAttribute("data-at") === place.join(" "));
  }
}

/**
 * What a tool says of a prompt that it cannot read, and where.
 *
 * @param {Refusal} refusal
 * @returns {Child}
 */
function complaint({ error, prompt }) {
  const said = h("p", {}, error.message.split("\n")[0]);
  return error.position === undefined ? said : [said, markedPrompt(prompt, error.position)];
}

/**
 * Fragments in their brackets, in each fragment its tokens; and what the tool would warn of.
 *
 * @param {MovedReading} reading
 * @param {number} index
 * @param {number} most
 * @returns {Child}
 */
function readingTree(reading, index, most) {
  const { end, fragments, warnings, chunks } = reading;
  const cards = (/** @type {number[]} */ rows) =>
    rows.map((row) => rowCard(reading, index, row, most));
  const last = end < ROWS - 1 ? [end, end + 1] : [end]; // one card for all of the padding
  const notes = warnings.map(({ message }) => message.split("\n")[0]);
  if (chunks > 1) notes.push(`The first of ${chunks} chunks of 77 rows is shown.`);
  return [
    h(
      "div",
      { class: "cld-tree" },
      h("span", { class: "cld-fragment cld-mark" }, cards([0])),
      rowsByFragment(reading).map(({ fragment, rows }) => {
        const plain = fragments[fragment].weight === 1;
        const style = plain ? "cld-fragment" : "cld-fragment cld-weighted";
        return nested(h("span", { class: style }, cards(rows)), bracketsAround(reading, fragment));
      }),
      h("span", { class: "cld-fragment cld-mark" }, cards(last)),
    ),
    notes.map((note) => h("p", { class: "cld-hint" }, note)),
  ];
}

/**
 * A fragment inside as many frames as brackets stand around it in the prompt; its own is the first.
 *
 * @param {HTMLElement} element
 * @param {number} levels
 * @returns {HTMLElement}
 */
function nested(element, levels) {
  return levels > 1 ? h("span", { class: "cld-nest" }, nested(element, levels - 1)) : element;
}

/**
 * A token: its weight if it has one, and how far its row moves. Padding is one card, with the
 * distance of the row that moves farthest.
 *
 * @param {MovedReading} reading
 * @param {number} index
 * @param {number} row
 * @param {number} most
 */
function rowCard({ names, weights, moved, end }, index, row, most) {
  const padding = row > end;
  const distance = padding ? Math.max(...moved.slice(row)) : moved[row];
  const filled = h("span", {});
  filled.style.width = hasMoved(distance)
    ? `${Math.max(4, 100 * Math.min(distance / most, 1))}%`
    : "0";
  return h(
    "span",
    {
      class: row === 0 || row >= end ? "cld-card cld-mark" : "cld-card",
      "data-at": `${index} ${row}`,
    },
    h("span", { class: "cld-mono" }, padding ? `${ROWS - row} × padding` : names[row]),
    weights[row] !== 1 && h("b", {}, `× ${weightText(weights[row])}`),
    h("span", { class: "cld-moved", "aria-hidden": "true" }, filled),
    h("small", {}, hasMoved(distance) ? distanceText(distance) : "stays"),
  );
}
