// @ts-check
// Station 4: which row looked at which on the way through the encoder.

import { fullness, heatmap } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { count, percentText } from "../lib/wording.js";
import { createBars } from "./bars.js";
import { rowField } from "./field.js";
import { nothingFollowed } from "./trip.js";

/** @import { Drawn, Looks, Station, Trip } from "./types.js" */

/** @type {Station} */
export const attentionStation = {
  name: "attention",
  isByRow: true,
  about:
    "In each layer of the encoder, a row looks at itself and at the rows before it, and takes " +
    "something from them. So the row of a noun can hear of the color that stands before it, but " +
    "of nothing that comes after it.",
  chapter: "05_encoder",
  closeUps: [
    {
      demo: "encoder",
      shows: "each layer and head, and the numbers of one row",
      state: ({ plain }) => ({ prompt: plain, other: "" }),
    },
  ],
  create() {
    const field = rowField();
    const bars = createBars();
    return {
      element: h(
        "div",
        { class: "cld-trip-part cld-trip-two" },
        h(
          "div",
          {},
          h("p", { class: "cld-hint" }, "Row (down) looks at row (across): each on its own scale"),
          field.element,
        ),
        bars.element,
      ),
      async draw(trip, way) {
        const looks = await way.looks(trip);
        const { shown, own, names } = trip;
        const most = names.map((_, row) =>
          Math.max(...looks.mean.subarray(row * names.length, (row + 1) * names.length)),
        );
        heatmap(field.canvas, {
          rows: shown,
          columns: shown,
          side: 12,
          value: (row, at) => fullness(lookOf(looks, trip, row, at) / most[row]),
          blocked: (row, at) => at > row,
        });
        field.label(trip);
        field.across.replaceChildren(
          ...names
            .slice(0, shown)
            .map((_, at) => h("span", {}, at % 2 && shown > 12 ? "" : String(at))),
        );
        const from = own.at(-1) ?? 0;
        bars.draw(
          `Where the ${lookingRow(trip)} looks`,
          Array.from({ length: Math.min(from + 1, shown) }, (_, at) => ({
            name: names[at],
            share: lookOf(looks, trip, from, at),
            isOwn: own.includes(at),
          })),
          percentText,
        );
        return drawnLooks(trip, looks);
      },
    };
  },
};

/**
 * @param {Looks} looks
 * @param {Trip} trip
 * @param {number} row   who looks
 * @param {number} at    what is looked at
 */
const lookOf = ({ mean }, { names }, row, at) => mean[row * names.length + at];

/**
 * @param {Trip} trip
 * @param {Looks} looks
 * @returns {Drawn}
 */
function drawnLooks(trip, looks) {
  const { names, shown } = trip;
  const rows = Array.from({ length: shown }, (_, row) => row);
  return {
    sentence: nothingFollowed(trip) ?? looksSentence(trip, looks),
    table: {
      caption: "How much of its attention each row (down) gives to each row (across)",
      columns: ["row", "token", ...rows],
      rows: rows.map((row) => [
        row,
        names[row],
        ...rows.map((at) => (at > row ? "hidden" : percentText(lookOf(looks, trip, row, at)))),
      ]),
    },
  };
}

/**
 * The row of which more is said: the last of the word, which hears all its others.
 *
 * @param {Trip} trip
 */
const lookingRow = ({ own, word }) =>
  `${own.length > 1 ? "last row" : "row"} of ${own.length ? `“${word?.text}”` : "BOS"}`;

/**
 * What this row looks at most, itself aside.
 *
 * @param {Trip} trip
 * @param {Looks} looks
 */
function looksSentence(trip, looks) {
  const { own, names } = trip;
  const from = own[own.length - 1];
  const best = names
    .slice(0, from)
    .reduce(
      (most, _, at) =>
        lookOf(looks, trip, from, at) > lookOf(looks, trip, from, most) ? at : most,
      0,
    );
  const [other, itself] = [best, from].map((at) => percentText(lookOf(looks, trip, from, at)));
  return (
    `The ${lookingRow(trip)} gives ${other} of its attention to “${names[best]}” ` +
    `(row ${best}) and ${itself} to itself: the mean of ${count(looks.layers, "layer")} with ` +
    `${count(looks.heads, "head")} each.`
  );
}
