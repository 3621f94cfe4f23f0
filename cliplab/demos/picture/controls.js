// @ts-check
// What makes a picture, beside its prompt: method, guidance and seed.

import { h } from "../lib/elements.js";
import { PAINT_SEEDS } from "../lib/painting.js";
import { shortNumber } from "../lib/words.js";
import { METHODS } from "./methods.js";

/** @import { Acts, Method, State } from "./types.js" */

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
