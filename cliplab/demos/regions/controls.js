// @ts-check
// What the reader chooses: the prompt and its seed; the step, a word to hold, whose shares.

import { h } from "../lib/elements.js";
import { clamp } from "../lib/explore.js";
import { knownList } from "../lib/known_list.js";
import { unknownSentence } from "../lib/known_words.js";
import { PAINT_SEEDS, PAINT_STEPS } from "../lib/painting.js";
import { plainFragments } from "./attention.js";
import { groupName, whenIs } from "./view.js";

/** @import { Painter } from "../lib/pictures.js" */
/** @import { Acts, Look, State, View } from "./types.js" */

/**
 * What is painted.
 *
 * @param {Painter} painter
 * @param {Acts} acts
 */
export function createPromptAndSeed(painter, { set }) {
  const prompt = h("input", {
    type: "text",
    class: "cld-text",
    maxlength: "200",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => set({ prompt: prompt.value }),
  });
  const seed = h("input", {
    type: "number",
    class: "cld-text",
    min: "0",
    max: String(PAINT_SEEDS - 1),
    step: "1",
    onchange: () => set({ seed: clamp(Math.round(Number(seed.value)), PAINT_SEEDS - 1) }),
  });
  const notes = h("div", { class: "cld-notes" });
  return {
    element: h(
      "div",
      { class: "cld-ask" },
      h(
        "div",
        { class: "cld-regions-ask" },
        h("label", { class: "cld-label" }, "Prompt", prompt),
        h("label", { class: "cld-label" }, "Seed", seed),
      ),
      notes,
      knownList(painter.known),
    ),
    /** @param {State} state */
    show(state) {
      if (prompt.value !== state.prompt) prompt.value = state.prompt;
      if (seed.value !== String(state.seed)) seed.value = String(state.seed);
      const unknown = unknownSentence(painter, plainFragments(state.prompt));
      notes.replaceChildren(...(unknown ? [h("p", {}, unknown)] : []));
    },
  };
}

/**
 * What is looked at of it.
 *
 * @param {Look} look
 * @param {Acts} acts
 */
export function createControls(look, { set }) {
  const stepName = h("span", {});
  const step = h("input", {
    type: "range",
    min: "0",
    max: String(PAINT_STEPS),
    oninput: () => set({ step: Number(step.value) }),
  });
  const among = h("input", { type: "checkbox", onchange: () => set({ among: among.checked }) });
  const hold = h("input", {
    type: "checkbox",
    onchange: () => set({ held: hold.checked && look.view ? look.view.word : -1 }),
  });
  const holdName = h("span", {});
  return {
    element: h(
      "div",
      { class: "cld-regions-controls" },
      h("label", { class: "cld-label" }, stepName, step),
      h("label", { class: "cld-regions-check" }, hold, holdName),
      h("label", { class: "cld-regions-check" }, among, "among the words only"),
    ),
    /** @param {State} state */
    show(state) {
      step.value = String(state.step);
      step.setAttribute("aria-valuetext", whenIs(state.step));
      stepName.textContent = `Attention ${whenIs(state.step)}`;
      among.checked = state.among;
    },
    /**
     * Which word is held, or could be.
     *
     * @param {View} view
     * @param {number} word
     */
    mark({ held, groups }, word) {
      hold.checked = held >= 0;
      holdName.textContent = `keep ${groupName(groups[held >= 0 ? held : word])} in view`;
    },
  };
}
