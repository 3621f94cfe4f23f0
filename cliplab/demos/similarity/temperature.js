// @ts-check
// The slider of the temperature: it is s = ln(1/τ), as the model's parameter is.

import { h } from "../lib/elements.js";
import { clamp } from "../lib/explore.js";

/** @typedef {ReturnType<typeof temperatureView>} TemperatureView */

const TRAINED = 0.0194; // the miniature's own τ
const COLDEST = Math.log(100);
/** @type {Record<string, number>} */
const KEY_STEPS = {
  ArrowRight: 0.1,
  ArrowUp: 0.1,
  ArrowLeft: -0.1,
  ArrowDown: -0.1,
  PageUp: 0.5,
  PageDown: -0.5,
};

const rounded = (/** @type {number} */ s) => Number(Math.exp(-s).toPrecision(3));

/**
 * The slider, what it is called, and below it a mark where training ended.
 *
 * @param {(temperature: number) => void} choose
 */
export function temperatureView(choose) {
  const slider = h("input", {
    type: "range",
    min: "0",
    max: String(COLDEST),
    step: "any",
    oninput: () => choose(rounded(Number(slider.value))),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const by = KEY_STEPS[event.key]; // `any` gives a key no step of its own
      if (!by) return;
      event.preventDefault();
      choose(rounded(clamp(Number(slider.value) + by, COLDEST)));
    },
  });
  const called = h("span", { class: "cld-number" });
  const trained = h(
    "button",
    {
      type: "button",
      class: "cld-button cld-trained",
      onclick: () => choose(TRAINED),
    },
    "as trained ▲",
  );
  trained.style.left = `${(100 * -Math.log(TRAINED)) / COLDEST}%`;
  const element = h(
    "div",
    {},
    h("label", { class: "cld-label" }, called, slider),
    h("div", { class: "cld-scale" }, h("span", {}, "unsure"), trained, h("span", {}, "sure")),
  );
  return { element, slider, called, trained };
}

/**
 * @param {TemperatureView} view
 * @param {number} temperature
 */
export function drawTemperature({ slider, called, trained }, temperature) {
  const inverse = Number((1 / temperature).toPrecision(2));
  slider.value = String(-Math.log(temperature));
  slider.setAttribute("aria-valuetext", `τ = ${temperature}, 1 over τ = ${inverse}`);
  called.textContent = `Temperature τ = ${temperature} (1/τ = ${inverse})`;
  trained.setAttribute("aria-pressed", String(temperature === TRAINED));
}
