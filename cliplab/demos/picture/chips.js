// @ts-check
// The prompt's words as chips, each with a slider for its weight and a button on either side.

import { h } from "../lib/elements.js";
import { clamp, watched } from "../lib/explore.js";
import { count } from "../lib/wording.js";
import { shortNumber } from "../lib/words.js";

/** @import { Word } from "../lib/pictures.js" */
/** @import { Acts, Look } from "./types.js" */

const STEP_OF_WEIGHT = 0.1;
const LARGEST_WEIGHT = 2; // of the slider; the text may have larger ones

/** @type {Record<string, number>} */
const KEYS_OF_WEIGHT = {
  ArrowRight: STEP_OF_WEIGHT,
  ArrowUp: STEP_OF_WEIGHT,
  ArrowLeft: -STEP_OF_WEIGHT,
  ArrowDown: -STEP_OF_WEIGHT,
};

/**
 * @param {Look} look
 * @param {Acts} acts
 */
export function createChips(look, acts) {
  /** @type {ReturnType<typeof wordChip>[]} */
  let chips = [];
  const element = h("div", {
    class: "cld-pic-words",
    role: "group",
    "aria-label": "Words and weights",
  });
  const texts = (/** @type {{ text: string }[]} */ all) => all.map(({ text }) => text).join(" ");
  /** While only weights change chips stay: no slider is taken out of the reader's hand. */
  function show() {
    const { words } = look.reading;
    if (texts(chips) !== texts(words)) {
      look.near = undefined;
      chips = words.map(({ text }, index) => wordChip(text, index, look, acts));
      element.replaceChildren(...chips.map((chip) => chip.element));
    }
    chips.forEach((chip, i) => chip.show(words[i]));
  }
  return { element, show };
}

/**
 * @param {string} text
 * @param {number} index   of the word
 * @param {Look} look
 * @param {Acts} acts
 */
function wordChip(text, index, look, { weigh, lookAt }) {
  const turn = (/** @type {number} */ by) => {
    const { weight } = look.reading.words[index];
    if (by < 0 ? weight <= 0 : weight >= LARGEST_WEIGHT) return;
    weigh(index, clamp(Number((weight + by).toFixed(3)), LARGEST_WEIGHT));
  };
  const less = turnButton("−", `Less weight for ${text}`, () => turn(-STEP_OF_WEIGHT));
  const more = turnButton("+", `More weight for ${text}`, () => turn(STEP_OF_WEIGHT));
  const slider = h("input", {
    type: "range",
    min: "0",
    max: String(LARGEST_WEIGHT),
    step: "any",
    "aria-label": `Weight of ${text}`,
    oninput: () => weigh(index, Math.round(Number(slider.value) * 20) / 20),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (!(event.key in KEYS_OF_WEIGHT)) return;
      event.preventDefault();
      turn(KEYS_OF_WEIGHT[event.key]);
    },
  });
  const [number, parts] = [h("span", { class: "cld-number" }), h("small", {})];
  const element = h(
    "div",
    { class: "cld-pic-word", ...watched((on) => lookAt(on ? index : undefined)) },
    h("p", { class: "cld-pic-name" }, h("span", {}, text, " ", parts), number),
    h("div", { class: "cld-pic-turns" }, less, slider, more),
  );
  /** @param {Word} word */
  function show({ weight, symbols, row }) {
    element.classList.toggle("cld-pic-heavy", weight !== 1);
    number.textContent = shortNumber(weight);
    parts.textContent =
      row === undefined ? "left out" : symbols.length > 1 ? count(symbols.length, "piece") : "";
    slider.value = String(weight);
    slider.setAttribute("aria-valuetext", shortNumber(weight));
    less.setAttribute("aria-disabled", String(weight <= 0));
    more.setAttribute("aria-disabled", String(weight >= LARGEST_WEIGHT));
  }
  return { text, element, show };
}

/**
 * @param {string} sign
 * @param {string} name
 * @param {() => void} turn
 */
const turnButton = (sign, name, turn) =>
  h(
    "button",
    { type: "button", class: "cld-button cld-pic-turn", "aria-label": name, onclick: turn },
    sign,
  );
