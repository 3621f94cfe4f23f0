// @ts-check
// The words of the prompt as radio buttons: the chosen one is followed through all stations.

import { h } from "../lib/elements.js";
import { arrowStep, clamp } from "../lib/explore.js";
import { shortNumber } from "../lib/words.js";

/** @import { Trip } from "./types.js" */

/** @param {(word: number) => void} choose */
export function createFollow(choose) {
  const group = h("div", {
    class: "cld-trip-words",
    role: "radiogroup",
    "aria-label": "The word that is followed",
    onkeydown(event) {
      const step = arrowStep(event);
      if (!step) return;
      const chosen = buttons().findIndex((one) => one.getAttribute("aria-checked") === "true");
      const next = clamp(chosen + step[0] + step[1], buttons().length - 1);
      buttons()[next].focus();
      choose(next);
    },
  });
  const buttons = () => [.../** @type {HTMLCollectionOf<HTMLElement>} */ (group.children)];
  let shown = "";
  return {
    element: h(
      "div",
      { class: "cld-trip-follow" },
      h("span", { class: "cld-hint" }, "Follow"),
      group,
    ),
    /**
     * The buttons stay while their words do, so that no focus is lost.
     *
     * @param {Trip} trip
     */
    show({ reading: { words }, index }) {
      const labels = words.map(({ text, weight }) => [text, shortNumber(weight)]);
      if (String(labels) !== shown) {
        shown = String(labels);
        const focused = buttons().findIndex((one) => one === document.activeElement);
        group.replaceChildren(...labels.map(([text, w], i) => wordButton(text, w, i, choose)));
        buttons()[focused]?.focus({ preventScroll: true });
      }
      buttons().forEach((button, i) => {
        button.setAttribute("aria-checked", String(i === index));
        button.tabIndex = i === index ? 0 : -1;
      });
    },
  };
}

/**
 * @param {string} text
 * @param {string} weight
 * @param {number} index
 * @param {(word: number) => void} choose
 */
const wordButton = (text, weight, index, choose) =>
  h(
    "button",
    { type: "button", role: "radio", class: "cld-trip-word", onclick: () => choose(index) },
    text,
    weight !== "1" && h("small", {}, ` × ${weight}`),
  );
