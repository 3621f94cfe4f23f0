// @ts-check
// A canvas with the picture, the button that has it painted, and how far the painting is.

import { showPixels } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { meanColor } from "../lib/pixels.js";

/** @import { Acts, Painting } from "./types.js" */

/**
 * How far a painting is.
 *
 * @param {Painting} painting
 */
export const progressSentence = ({ done }) => `Painting: ${done} of ${PAINT_STEPS} steps are done.`;

/** @param {Acts} acts */
export function createEasel({ paint }) {
  const canvas = h("canvas", { class: "cld-trip-picture", role: "img", hidden: true });
  const button = h(
    "button",
    { type: "button", class: "cld-button cld-trip-paint", onclick: paint },
    "Paint",
  );
  const progress = h("progress", { max: String(PAINT_STEPS), "aria-label": "Painting" });
  const element = h("div", { class: "cld-trip-easel" }, canvas, button, progress);
  return {
    element,
    canvas,
    /**
     * A step of the painting once it is done, and before that what there is of it. A picture of
     * another prompt stays, dimmed.
     *
     * @param {Painting | undefined} painting
     * @param {number} step
     */
    show(painting, step) {
      const { made, glimpse, done } = painting ?? {};
      const pixels = made ? made.pictures[step] : glimpse;
      element.toggleAttribute("data-old", !pixels);
      if (pixels) {
        const [red, green, blue] = meanColor(pixels);
        const when = made ? `after step ${step} of ${PAINT_STEPS}` : "while it is painted";
        const color = `Mean color: red ${red}, green ${green}, blue ${blue} of 255.`;
        canvas.setAttribute("aria-label", `The picture ${when}. ${color}`);
        canvas.hidden = false;
        showPixels(canvas, pixels);
      }
      button.hidden = Boolean(painting);
      progress.hidden = !painting || Boolean(made);
      progress.value = done ?? 0;
    },
  };
}
