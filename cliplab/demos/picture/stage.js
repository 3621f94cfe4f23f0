// @ts-check
// The two pictures, and the slider through their steps.

import { showPixels } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { meanColor } from "../lib/pixels.js";
import { pictureOf } from "./films.js";

/** @import { Painter } from "../lib/pictures.js" */
/** @import { Acts, Film } from "./types.js" */

const WHILE_PAINTING = 4; // every so many steps are shown

/** @typedef {ReturnType<typeof createPanel>} Panel */

/**
 * @param {Painter} painter
 * @param {Acts} acts
 */
export function createStage(painter, acts) {
  const panels = ["As written", "Weighted"].map(createPanel);
  const stepName = h("span", {}, "Step");
  const slider = h("input", {
    type: "range",
    min: "0",
    max: String(PAINT_STEPS),
    step: "1",
    oninput: () => acts.showStep(Number(slider.value)),
  });
  return {
    element: h(
      "div",
      { class: "cld-pic-stage" },
      panels.map(({ figure }) => figure),
      h("label", { class: "cld-label" }, stepName, slider),
    ),
    panels,
    slider,
    /**
     * Says what belongs in the panels, and dims what no longer does.
     *
     * @param {string[]} keys   of the films that do; none where the prompt cannot be read
     * @param {string} methodName
     */
    label(keys, methodName) {
      panels[0].under.textContent = "every weight 1";
      panels[1].under.textContent = methodName;
      panels.forEach(({ figure, key }, i) =>
        figure.classList.toggle("cld-pic-old", key !== keys[i]),
      );
    },
    /**
     * Gives the panels these films; those that are `whole` are shown.
     *
     * @param {Film[]} films
     * @param {(film: Film) => boolean} isWhole
     */
    setFilms(films, isWhole) {
      panels.forEach((panel, i) => {
        if (panel.film !== films[i]) [panel.film, panel.wanted] = [films[i], undefined];
        if (isWhole(films[i])) showPicture(painter, panel, PAINT_STEPS);
      });
    },
    /**
     * How far the painting has come, and now and then the picture.
     *
     * @param {Film} film
     * @param {number} step   of that film
     * @param {number} done   steps of all films that are painted at the same time
     * @param {boolean} isShown
     */
    showProgress(film, step, done, isShown) {
      stepName.textContent = `Painting, step ${done} of ${PAINT_STEPS}`;
      slider.value = String(done);
      if (!isShown || step % WHILE_PAINTING) return;
      panels
        .filter((panel) => panel.film === film)
        .forEach((panel) => showPicture(painter, panel, step));
    },
    /** @param {number} step */
    async showStep(step) {
      stepName.textContent = `Step ${step} of ${PAINT_STEPS}`;
      slider.value = String(step);
      await Promise.all(panels.map((panel) => showPicture(painter, panel, step)));
    },
  };
}

/** @param {string} name */
function createPanel(name) {
  const canvas = h("canvas", { width: "32", height: "32", role: "img", "aria-label": name });
  const under = h("small", {});
  const caption = h("figcaption", {}, h("b", {}, name), " ", under);
  return {
    name,
    canvas,
    under,
    figure: h("figure", { class: "cld-pic-figure" }, canvas, caption),
    /** @type {Film | undefined} */
    film: undefined,
    /** @type {Promise<Uint8Array> | undefined} what is to be shown next */
    wanted: undefined,
    /** @type {Uint8Array | undefined} */
    shown: undefined,
    /** @type {string | undefined} of the film that is shown */
    key: undefined,
  };
}

/**
 * Shows a step of a panel's film, unless another is wanted before it is decoded.
 *
 * @param {Painter} painter
 * @param {Panel} panel
 * @param {number} step
 */
async function showPicture(painter, panel, step) {
  const { film } = panel;
  if (!film) return;
  const wanted = pictureOf(painter, film, step);
  panel.wanted = wanted;
  const pixels = await wanted;
  if (panel.wanted !== wanted) return;
  showPixels(panel.canvas, pixels);
  [panel.shown, panel.key] = [pixels, film.key];
  panel.figure.classList.remove("cld-pic-old");
  const [red, green, blue] = meanColor(pixels);
  panel.canvas.setAttribute(
    "aria-label",
    `${panel.name}, after step ${step} of ${PAINT_STEPS}. Mean ` +
      `color: red ${red}, green ${green}, blue ${blue} of 255.`,
  );
}
