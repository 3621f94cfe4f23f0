// @ts-check
// Station 5: what a weight moves.

import { h } from "../lib/elements.js";
import { percentText } from "../lib/wording.js";
import { shortNumber } from "../lib/words.js";
import { createBars } from "./bars.js";
import { nothingFollowed, spanOf } from "./trip.js";

/** @import { Drawn, Station, Trip } from "./types.js" */

const LEAST_MOVE = 1e-5; // a row that moved less has not moved: that is rounding
const MOST_WEIGHT = 2; // of the slider; the text may have larger ones

/** @type {Station} */
export const weightsStation = {
  name: "weights",
  isByRow: true,
  about:
    "A weight, as in (word:1.3), changes no token. It moves the rows of its words, here away from " +
    "the rows of an empty prompt or toward them, and the U-Net reads them where they then stand.",
  chapter: "04_weighting",
  closeUps: [
    {
      demo: "weights",
      shows: "the same prompt in three tools",
      state: ({ state }) => ({ prompt: state.prompt }),
    },
  ],
  create({ weigh }) {
    const name = h("span", {});
    const slider = h("input", {
      type: "range",
      min: "0",
      max: String(MOST_WEIGHT),
      step: "0.1",
      oninput: () => weigh(Number(slider.value)),
    });
    const bars = createBars();
    return {
      element: h(
        "div",
        { class: "cld-trip-part" },
        h("label", { class: "cld-label" }, name, slider),
        bars.element,
      ),
      async draw(trip, way) {
        const { moved } = await way.contexts(trip);
        const { names, own, read, shown, word } = trip;
        slider.disabled = !own.length;
        slider.value = String(word?.weight ?? 1);
        name.textContent = word
          ? `Weight of “${word.text}”: ${shortNumber(word.weight)}`
          : "Weight of a word";
        bars.draw(
          "How far each row moves, in lengths of the row",
          Array.from({ length: shown }, (_, row) => ({
            name: names[row],
            share: moved.from_empty[row],
            isOwn: own.includes(row),
            note: read.weights[row] === 1 ? undefined : `× ${shortNumber(read.weights[row])}`,
          })),
          movedText,
        );
        return drawnWeights(trip, moved.from_empty);
      },
    };
  },
};

/** @param {number} distance */
const movedText = (distance) => (distance < LEAST_MOVE ? "stays" : percentText(distance));

/**
 * What the rows of a word do: each moves by a distance of its own.
 *
 * @param {number[]} distances
 */
function movesText(distances) {
  const [least, most] = [Math.min(...distances), Math.max(...distances)];
  if (distances.length === 1) {
    return most < LEAST_MOVE ? "stays" : `moves by ${percentText(most)}`;
  }
  return most < LEAST_MOVE ? "stay" : `move by ${percentText(least)} to ${percentText(most)}`;
}

/**
 * @param {Trip} trip
 * @param {Float32Array} moved
 * @returns {Drawn}
 */
function drawnWeights(trip, moved) {
  const { names, own, read, word } = trip;
  const changed = moved.filter((distance) => distance >= LEAST_MOVE).length;
  const said =
    nothingFollowed(trip) ??
    `At weight ${shortNumber(word?.weight ?? 1)}, ${spanOf("row", own)} of “${word?.text}” ` +
      `${movesText(own.map((row) => moved[row]))}.`;
  return {
    sentence: `${said} Of all ${names.length} rows, ${changed} moved.`,
    table: {
      caption: "How far each row moves under its weight, in lengths of the row",
      columns: ["row", "token", "weight", "moved"],
      rows: names.map((name, row) => [
        row,
        name,
        shortNumber(read.weights[row]),
        movedText(moved[row]),
      ]),
    },
  };
}
