// @ts-check
// The picture with a sign at each place, as large as a word's share there; what the signs stand
// for; and the picture without any marks.

import { penOf, showPixels } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { cellUnder, clamp, explore } from "../lib/explore.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { SIGN_CELL, drawDisc, drawEdge, drawSigns, drawSquare } from "../lib/signs.js";
import { percentText } from "../lib/wording.js";
import { SIDE } from "./attention.js";
import { groupName, mapOf, partOf, PLACES } from "./view.js";

/** @import { Sign } from "../lib/signs.js" */
/** @import { Acts, GroupMap, View } from "./types.js" */

/** @param {Acts} acts */
export function createPicture(acts) {
  const canvas = h("canvas", { class: "cld-regions-canvas" });
  explorePlaces(canvas, acts);
  const plain = h("canvas", { class: "cld-regions-small" });
  const plainName = h("span", {});
  const legend = h("p", { class: "cld-regions-legend cld-number" });
  const progress = h("progress", {
    class: "cld-regions-progress",
    max: String(PAINT_STEPS),
    "aria-label": "Painting",
    hidden: true,
  });
  const element = h(
    "div",
    { class: "cld-regions-picture" },
    canvas,
    progress,
    h(
      "div",
      { class: "cld-regions-below" },
      legend,
      h("div", { class: "cld-regions-plain", "aria-hidden": "true" }, plain, plainName),
    ),
  );
  return {
    element,
    /**
     * Shows that it is being painted, as long as that takes.
     *
     * @template Made
     * @param {HTMLElement} body   which is dimmed
     * @param {(onStep: (step: number) => void) => Promise<Made>} paint
     */
    async whilePainting(body, paint) {
      body.toggleAttribute("data-painting", true);
      progress.value = 0;
      progress.hidden = false;
      try {
        return await paint((step) => {
          progress.value = step;
        });
      } finally {
        progress.hidden = true;
        body.toggleAttribute("data-painting", false);
      }
    },
    /**
     * The picture as the U-Net saw it in this step, or as it became, without any marks.
     *
     * @param {View} view
     */
    drawPlain({ pictures, step }) {
      showPixels(plain, pictures[step]);
      plainName.textContent = step < PAINT_STEPS ? "what it saw" : "the picture";
    },
    /**
     * @param {View} view
     * @param {number} word
     * @param {number} spot
     */
    draw(view, word, spot) {
      drawWords(canvas, plain, view, word);
      markSpot(canvas, spot);
      legend.replaceChildren(
        ...signsOf(view, word).map(({ group, sign }) => legendLine(view, group, sign)),
      );
    },
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Acts} acts
 */
function explorePlaces(canvas, { set, state, spotAt }) {
  explore(canvas, {
    label: "The picture, 8 by 8 places",
    where: (event) => cellUnder(canvas, event, SIDE),
    from: () => [PLACES[state().spot].row, PLACES[state().spot].column],
    to(place) {
      const [row, column] = place.map((one) => clamp(one, SIDE - 1));
      set({ spot: row * SIDE + column });
    },
    over: (on, place) => spotAt(on, place ? place[0] * SIDE + place[1] : null),
  });
}

/**
 * What is looked at, and with which sign: a word, and perhaps one that is held beside it.
 *
 * @param {View} view
 * @param {number} word
 * @returns {{ group: number, sign: Sign }[]}
 */
function signsOf({ held }, word) {
  const main = { group: word, sign: drawDisc };
  return held >= 0 && held !== word ? [main, { group: held, sign: drawSquare }] : [main];
}

/**
 * A sign for each place, as large as the word's share there; none of a word that is left out.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} plain   the picture itself
 * @param {View} view
 * @param {number} word
 */
function drawWords(canvas, plain, view, word) {
  const layers = signsOf(view, word)
    .map(({ group, sign }) => ({ map: mapOf(view, group), sign }))
    .filter(({ map }) => !map.isLeftOut)
    .map(({ map, sign }) => ({ sign, part: (/** @type {number} */ at) => partOf(map, at) }));
  drawSigns(canvas, plain, SIDE, layers);
}

/**
 * A frame around the place that is looked at.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} spot
 */
function markSpot(canvas, spot) {
  const pen = penOf(canvas);
  const { row, column } = PLACES[spot];
  drawEdge(pen, ["#fff", 5], ["#111", 2.5], () =>
    pen.strokeRect(column * SIGN_CELL + 1.5, row * SIGN_CELL + 1.5, SIGN_CELL - 3, SIGN_CELL - 3),
  );
}

/**
 * What the least and the greatest sign of a map stand for.
 *
 * @param {View} view
 * @param {number} group
 * @param {Sign} sign
 */
function legendLine(view, group, sign) {
  const map = mapOf(view, group);
  const name = h("span", {}, groupName(view.groups[group]));
  if (map.isLeftOut) return h("span", {}, name, h("span", {}, "left out"));
  return h(
    "span",
    {},
    name,
    legendEnds(map).map(({ size, share }) =>
      h("span", {}, legendKey(sign, size), percentText(share)),
    ),
  );
}

/** @param {GroupMap} map */
const legendEnds = ({ isFlat, low, high }) =>
  isFlat
    ? [{ size: 12, share: high }]
    : [
        { size: 5, share: low },
        { size: 18, share: high },
      ];

/**
 * @param {Sign} sign
 * @param {number} size
 */
function legendKey(sign, size) {
  const key = h("canvas", {
    class: "cld-regions-key",
    width: "44",
    height: "44",
    "aria-hidden": "true",
  });
  const pen = penOf(key);
  pen.scale(2, 2);
  sign(pen, 11, 11, size);
  return key;
}
