// @ts-check
// What makes a picture: the prompt as text, and beside it method, guidance and seed.

import { h, markedPrompt } from "../lib/elements.js";
import { PAINT_SEEDS } from "../lib/painting.js";
import { shortNumber } from "../lib/words.js";
import { METHODS } from "./methods.js";

/** @import { Reading } from "../lib/pictures.js" */
/** @import { Acts, Method, State } from "./types.js" */

export const PROMPT_LIMIT = 300; // characters

/** @param {Acts} acts */
export function createPromptText({ change }) {
  const input = h("textarea", {
    class: "cld-text",
    rows: "1",
    maxlength: String(PROMPT_LIMIT),
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => change({ prompt: input.value }),
  });
  const label = h("label", { class: "cld-label" }, "Your prompt, in Automatic1111's syntax", input);
  const notes = h("div", { class: "cld-pic-notes" });
  return {
    label,
    notes,
    /**
     * The text, and what is to be said of it; where it cannot be read, a copy with the place
     * marked.
     *
     * @param {string} prompt
     * @param {Reading} reading
     */
    show(prompt, { error, notes: sentences }) {
      if (input.value !== prompt) input.value = prompt;
      input.setAttribute("aria-invalid", String(Boolean(error)));
      if (error) notes.replaceChildren(markedPrompt(prompt, error.position));
      else notes.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    },
  };
}

/** @param {Acts} acts */
export function createControls(acts) {
  const method = h(
    "select",
    {
      class: "cld-text",
      onchange: () => acts.change({ method: /** @type {Method} */ (method.value) }),
    },
    Object.keys(METHODS).map((value) => h("option", { value }, value)),
  );
  const guidanceName = h("span", {});
  const guidance = h("input", {
    type: "range",
    min: "1",
    max: "8",
    step: "0.5",
    oninput: () => acts.change({ guidance: Number(guidance.value) }),
  });
  const seed = createSeed(acts);
  return {
    element: h(
      "div",
      { class: "cld-pic-controls" },
      h("label", { class: "cld-label" }, "Method", method),
      h("label", { class: "cld-label" }, guidanceName, guidance),
      seed.element,
    ),
    /** @param {State} state */
    show(state) {
      method.value = state.method;
      guidance.value = String(state.guidance);
      guidanceName.textContent = `Guidance ${shortNumber(state.guidance)}`;
      seed.show(state);
    },
  };
}

/** @param {Acts} acts */
function createSeed({ change, state }) {
  const seed = h("input", {
    class: "cld-text",
    type: "number",
    min: "0",
    max: String(PAINT_SEEDS - 1),
    step: "1",
    oninput: () => {
      if (seed.value && seed.validity.valid) change({ seed: seed.valueAsNumber });
    },
    onblur: () => {
      seed.value = String(state().seed);
    },
  });
  const another = h(
    "button",
    {
      type: "button",
      class: "cld-button",
      onclick: () => change({ seed: (state().seed + 1) % PAINT_SEEDS }),
    },
    "Another seed",
  );
  const label = h("label", { class: "cld-label" }, `Seed, 0 to ${PAINT_SEEDS - 1}`, seed);
  return {
    element: h("div", { class: "cld-row cld-pic-seed" }, label, another),
    /** @param {State} now */
    show(now) {
      if (document.activeElement !== seed) seed.value = String(now.seed);
    },
  };
}
