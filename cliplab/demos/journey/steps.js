// @ts-check
// Station 6: from noise to a picture, step by step.

import { h } from "../lib/elements.js";
import { PAINT_SEEDS, PAINT_STEPS } from "../lib/painting.js";
import { changedPercent } from "../lib/pixels.js";
import { createEasel, progressSentence } from "./easel.js";

/** @import { Regions } from "../lib/pictures.js" */
/** @import { Drawn, Painting, Station, Trip } from "./types.js" */

/** @type {Station} */
export const stepsStation = {
  name: "steps",
  about:
    "The U-Net starts from noise and takes a part of it away in every step. Each time it reads " +
    "the rows anew, and so the words decide what the noise turns into.",
  chapter: "11_picture",
  closeUps: [
    {
      demo: "picture",
      shows: "with and without the weights, side by side",
      state: ({ state: { prompt, seed } }) => ({ prompt, seed }),
    },
  ],
  create(acts) {
    const easel = createEasel(acts);
    let step = PAINT_STEPS;
    const name = h("span", {});
    const slider = h("input", {
      type: "range",
      min: "0",
      max: String(PAINT_STEPS),
      step: "1",
      oninput() {
        step = Number(slider.value);
        acts.redraw();
      },
    });
    const seed = h("button", {
      type: "button",
      class: "cld-button",
      onclick: () => acts.set({ seed: (acts.state().seed + 1) % PAINT_SEEDS }),
    });
    return {
      element: h(
        "div",
        { class: "cld-trip-part cld-trip-half" },
        easel.element,
        h(
          "div",
          { class: "cld-trip-part" },
          h("label", { class: "cld-label" }, name, slider),
          h("div", { class: "cld-row" }, seed),
        ),
      ),
      draw(trip, way) {
        const painting = way.painting(trip);
        const { made } = painting ?? {};
        if (!made) step = PAINT_STEPS; // of the next one, to begin with
        seed.textContent = `Other noise (seed ${trip.state.seed})`;
        slider.disabled = !made;
        const at = made ? step : (painting?.done ?? 0);
        slider.value = String(at);
        name.textContent = `Step ${at} of ${PAINT_STEPS}`;
        easel.show(painting, step);
        return drawnSteps(trip, painting, step);
      },
    };
  },
};

/**
 * @param {Trip} trip
 * @param {Painting | undefined} painting
 * @param {number} step
 * @returns {Drawn}
 */
function drawnSteps({ state }, painting, step) {
  const made = painting?.made;
  return {
    sentence: made
      ? stepSentence(made, step)
      : painting
        ? progressSentence(painting)
        : `The noise of seed ${state.seed} is drawn, and nothing is painted yet.`,
    table: {
      caption: "After each step: how many pixels still differ visibly from the finished picture",
      columns: ["step", "pixels that differ, %"],
      rows: made ? made.pictures.map((_, at) => [at, differing(made, at)]) : [],
    },
  };
}

/**
 * @param {Regions} made
 * @param {number} step
 */
const differing = ({ pictures }, step) => changedPercent(pictures[step], pictures[PAINT_STEPS]);

/**
 * @param {Regions} made
 * @param {number} step
 */
function stepSentence(made, step) {
  if (step === PAINT_STEPS) {
    const last = made.pictures.findLastIndex((_, at) => differing(made, at) > 10);
    return `Done. From step ${last + 1} on, at most a tenth of the pixels still changed visibly.`;
  }
  const share = differing(made, step);
  return `After step ${step}, ${share} % of the pixels still differ from the finished picture.`;
}
