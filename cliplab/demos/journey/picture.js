// @ts-check
// Station 7: the picture, and where in it the followed word was read.

import { h } from "../lib/elements.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { drawDisc, drawSigns } from "../lib/signs.js";
import { percentText } from "../lib/wording.js";
import { createBars } from "./bars.js";
import { createEasel, progressSentence } from "./easel.js";
import { nothingFollowed } from "./trip.js";

/** @import { Regions } from "../lib/pictures.js" */
/** @import { Drawn, Painting, Station, Trip } from "./types.js" */

/** @type {Station} */
export const pictureStation = {
  name: "picture",
  about:
    "The last step leaves a small field of numbers, which the decoder turns into pixels. The " +
    "discs show where in the picture the U-Net read the word that you follow: the larger, the " +
    "more.",
  chapter: "10_cross_attention",
  closeUps: [
    {
      demo: "regions",
      shows: "each word in each step",
      state: ({ plain, state: { seed }, index }) => ({ prompt: plain, seed, word: index + 1 }),
    },
    {
      demo: "zero_shot",
      shows: "draw it, and ask a CLIP what it is",
      state: ({ plain }) => ({
        picture: -1,
        labels: [plain.replaceAll(",", " "), "dog", "apple"].join(", "),
      }),
    },
  ],
  create(acts) {
    const easel = createEasel(acts);
    const map = h("canvas", { class: "cld-trip-picture", "aria-hidden": "true", hidden: true });
    const bars = createBars();
    return {
      element: h(
        "div",
        { class: "cld-trip-part" },
        h("div", { class: "cld-trip-pair" }, easel.element, map),
        bars.element,
      ),
      draw(trip, way) {
        const painting = way.painting(trip);
        const { made } = painting ?? {};
        easel.show(painting, PAINT_STEPS);
        const followed = trip.own.length ? trip.index + 1 : undefined;
        map.hidden = !made || followed === undefined;
        if (made && followed !== undefined) drawWordMap(map, easel.canvas, made, followed);
        bars.element.hidden = !made;
        if (made) drawShares(bars, made, followed);
        return drawnPicture(trip, painting);
      },
    };
  },
};

/**
 * The shares of a group at each place, over all steps.
 *
 * @param {Regions} made
 * @param {number} group
 */
function sharesOf({ regions, groups, side }, group) {
  const places = side ** 2;
  const first = (PAINT_STEPS * groups.length + group) * places;
  return regions.subarray(first, first + places);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} plain
 * @param {Regions} made
 * @param {number} group
 */
function drawWordMap(canvas, plain, made, group) {
  const shares = sharesOf(made, group);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const part = (/** @type {number} */ place) => (shares[place] - low) / (high - low || 1);
  drawSigns(canvas, plain, made.side, [{ sign: drawDisc, part }]);
}

/**
 * The share that a group got over all steps and places.
 *
 * @param {Regions} made
 * @param {number} group
 */
const meanOf = ({ means, groups }, group) => means[PAINT_STEPS * groups.length + group];

/**
 * @param {ReturnType<typeof createBars>} bars
 * @param {Regions} made
 * @param {number} [followed]   the group of the word, if it has rows
 */
const drawShares = (bars, made, followed) =>
  bars.draw(
    "What the picture read",
    made.groups.map(({ name }, group) => ({
      name,
      share: meanOf(made, group),
      isOwn: group === followed,
    })),
    percentText,
  );

/**
 * @param {Trip} trip
 * @param {Painting | undefined} painting
 * @returns {Drawn}
 */
function drawnPicture(trip, painting) {
  const made = painting?.made;
  const about = (/** @type {Regions} */ of, /** @type {number} */ group) => {
    const shares = sharesOf(of, group);
    return [meanOf(of, group), Math.min(...shares), Math.max(...shares)].map(percentText);
  };
  const nothing = nothingFollowed(trip);
  const waiting = painting ? progressSentence(painting) : "Nothing is painted yet: press Paint.";
  const sentence = !made
    ? waiting
    : (nothing ?? pictureSentence(trip, made, about(made, trip.index + 1)));
  return {
    sentence,
    table: {
      caption: "How much of the attention each word got, over all steps",
      columns: ["word", "mean", "least", "most"],
      rows: made ? made.groups.map(({ name }, group) => [name, ...about(made, group)]) : [],
    },
  };
}

/**
 * @param {Trip} trip
 * @param {Regions} made
 * @param {string[]} about   mean, least and most
 */
function pictureSentence({ word, index }, made, [mean, least, most]) {
  const shares = sharesOf(made, index + 1);
  const place = shares.indexOf(Math.max(...shares));
  const [row, column] = [Math.floor(place / made.side) + 1, (place % made.side) + 1];
  return (
    `“${word?.text}” got ${mean} of the attention over all ${PAINT_STEPS} steps: most, ${most}, ` +
    `in row ${row} and column ${column} of ${made.side} × ${made.side} places, and ${least} where ` +
    "it got least."
  );
}
