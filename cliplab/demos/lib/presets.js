// @ts-check
// Examples: a reader predicts first, and then sees.

import { h } from "./elements.js";

/** @import { Preset } from "./types.js" */

/**
 * A chip for each example, and the place where one asks and then answers.
 *
 * @template State
 * @param {Preset<State>[]} presets
 * @param {(state: Partial<State>) => void} show  shows an example's state
 */
export function presetChips(presets, show) {
  const predict = h("div", { class: "cld-predict", hidden: true });
  const chips = presets.map((preset) =>
    h(
      "button",
      {
        type: "button",
        class: "cld-chip",
        "aria-pressed": "false",
        onclick: (event) => guess(preset, event.currentTarget),
      },
      preset.label,
    ),
  );

  /** @param {HTMLElement | null} chip */
  const press = (chip) =>
    chips.forEach((one) => one.setAttribute("aria-pressed", String(one === chip)));

  /**
   * Ask first; the state changes when the reader wants to see.
   *
   * @param {Preset<State>} preset
   * @param {HTMLElement} chip
   */
  function guess({ state, question, answer }, chip) {
    press(chip);
    const reveal = h("button", { type: "button", class: "cld-button" }, "Reveal");
    reveal.addEventListener("click", () => {
      show(state);
      const shown = h("p", { class: "cld-answer", tabindex: "-1" }, answer);
      reveal.replaceWith(shown);
      shown.focus({ preventScroll: true });
    });
    predict.replaceChildren(h("p", {}, h("b", {}, "Predict: "), question), reveal);
    predict.hidden = false;
    reveal.focus({ preventScroll: true });
  }

  function clear() {
    press(null);
    predict.hidden = true;
  }

  return { chips, predict, clear };
}
