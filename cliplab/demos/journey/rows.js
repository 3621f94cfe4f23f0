// @ts-check
// Station 3: the context, a row of numbers for each slot.

import { heatmap } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { signed } from "../lib/wording.js";
import { rowField } from "./field.js";
import { nothingFollowed, spanOf } from "./trip.js";

/** @import { Drawn, Station, Trip } from "./types.js" */

const WRITTEN = 4; // numbers of a row
const FULL = 1; // what is farther from 0 is drawn as this is

/** @type {Station} */
export const rowsStation = {
  name: "rows",
  isByRow: true,
  about:
    "The text encoder makes a row of numbers of each slot. These rows, the context, are all that " +
    "the picture will ever hear of the prompt.",
  chapter: "05_encoder",
  closeUps: [
    {
      demo: "similarity",
      shows: "a CLIP, whose vectors for prompts and pictures can be compared",
      state: ({ plain }) => ({ captions: [[...plain].slice(0, 80).join("")] }),
    },
  ],
  create() {
    const field = rowField();
    const numbers = h("p", { class: "cld-mono cld-trip-numbers" });
    const legend = h(
      "p",
      { class: "cld-hint" },
      "Each line is a row, each stripe in it a number: blue above 0, orange below, the fuller the " +
        `farther from 0, and full at ${FULL}.`,
    );
    return {
      element: h("div", { class: "cld-trip-part" }, field.element, numbers, legend),
      async draw(trip, way) {
        const { plain } = await way.contexts(trip);
        const width = plain.length / trip.names.length;
        const rowOf = (/** @type {number} */ row) => plain.subarray(row * width, (row + 1) * width);
        heatmap(field.canvas, {
          rows: trip.shown,
          columns: width,
          side: 3,
          value: (row, column) => rowOf(row)[column] / FULL,
        });
        field.label(trip);
        const [first] = trip.own;
        numbers.textContent =
          first === undefined ? "" : `row ${first}:  ${firstNumbers(rowOf(first))}`;
        return drawnRows(trip, width, rowOf);
      },
    };
  },
};

/** @param {Float32Array} row */
const firstNumbers = (row) => `${[...row.slice(0, WRITTEN)].map((x) => signed(x)).join("  ")} …`;

/**
 * @param {Trip} trip
 * @param {number} width
 * @param {(row: number) => Float32Array} rowOf
 * @returns {Drawn}
 */
function drawnRows(trip, width, rowOf) {
  const { names, own, shown } = trip;
  return {
    sentence: nothingFollowed(trip) ?? rowsSentence(trip, width, rowOf(own[0])),
    table: {
      caption: `The first ${WRITTEN} of ${width} numbers of each row`,
      columns: ["row", "token", ...Array.from({ length: WRITTEN }, (_, i) => i)],
      rows: Array.from({ length: shown }, (_, row) => [
        row,
        names[row],
        ...[...rowOf(row).slice(0, WRITTEN)].map((x) => signed(x)),
      ]),
    },
  };
}

/**
 * How far the numbers of a word's first row reach; and where its token stands once more.
 *
 * @param {Trip} trip
 * @param {number} width
 * @param {Float32Array} row
 */
function rowsSentence({ own, word, read: { ids }, names }, width, row) {
  const again = ids.findIndex((id, at) => id === ids[own[0]] && !own.includes(at));
  const twin =
    again < 0
      ? ""
      : ` Slot ${again} holds the same id, but its row is another: it has heard other words.`;
  const most = `${width} numbers, from ${signed(Math.min(...row))} to ${signed(Math.max(...row))}`;
  const whose = own.length > 1 ? `the first of its rows has ${most}` : most;
  return `“${word?.text}” has become ${spanOf("row", own)} of ${names.length}: ${whose}.${twin}`;
}
