// @ts-check
// The words of the prompt as radio buttons: each with its map in small and its share.

import { heatmap } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { clamp } from "../lib/explore.js";
import { bringIntoSight } from "../lib/strip.js";
import { percentText } from "../lib/wording.js";
import { SIDE } from "./attention.js";
import { knownGroup, mapOf, meanShare, partOf } from "./view.js";

/** @import { Acts, Look, View } from "./types.js" */

/**
 * @param {Look} look
 * @param {Acts} acts
 */
export function createWordList(look, acts) {
  const hint = h("span", { class: "cld-hint" });
  const words = h("div", {
    class: "cld-regions-words",
    role: "radiogroup",
    "aria-label": "Words of the prompt: where each was read",
    onkeydown: (/** @type {KeyboardEvent} */ event) =>
      look.view && walkWords(event, buttonsOf(words), look.view, acts),
  });
  const title = h("p", { class: "cld-regions-title" }, "Where each word was read ", hint);
  return {
    element: h("div", { class: "cld-regions-read" }, title, words),
    /** @param {View} view */
    draw(view) {
      const whose = view.among ? "among the words" : "of all attention";
      hint.textContent = `each on its own scale, with its share ${whose}`;
      const focused = buttonsOf(words).findIndex((button) => button === document.activeElement);
      words.replaceChildren(...view.groups.map((_, group) => wordButton(view, group, acts)));
      if (focused >= 0) buttonsOf(words)[knownGroup(view, focused)].focus({ preventScroll: true });
    },
    /**
     * Which word is chosen, and which is held.
     *
     * @param {View} view
     */
    mark(view) {
      buttonsOf(words).forEach((button, group) => {
        const isNew = group === view.word && button.getAttribute("aria-checked") !== "true";
        button.setAttribute("aria-checked", String(group === view.word));
        button.tabIndex = group === view.word ? 0 : -1;
        button.toggleAttribute("data-held", group === view.held);
        if (isNew) bringIntoSight(button);
      });
    },
  };
}

/** @param {HTMLElement} words */
const buttonsOf = (words) => [.../** @type {HTMLCollectionOf<HTMLElement>} */ (words.children)];

/**
 * Its map in small, its name, its share of all attention.
 *
 * @param {View} view
 * @param {number} group
 * @param {Acts} acts
 */
function wordButton(view, group, { set, peekAt }) {
  const { name, said, isWord } = view.groups[group];
  const map = mapOf(view, group);
  const small = h("canvas", { class: "cld-regions-small", "aria-hidden": "true" });
  heatmap(small, {
    rows: SIDE,
    columns: SIDE,
    side: 12,
    value: (row, column) => partOf(map, row * SIDE + column),
    blocked: () => map.isLeftOut,
  });
  const byMouse = (/** @type {PointerEvent} */ event, /** @type {number} */ peeked) =>
    event.pointerType === "mouse" && peekAt(peeked);
  return h(
    "button",
    {
      type: "button",
      role: "radio",
      class: isWord ? "cld-regions-word" : "cld-regions-word cld-regions-sink",
      onclick: () => set({ word: group }),
      onpointerenter: (event) => byMouse(event, group),
      onpointerleave: (event) => byMouse(event, -1),
    },
    small,
    h("span", {}, said ?? name),
    h(
      "small",
      { class: "cld-number" },
      map.isLeftOut ? "left out" : percentText(meanShare(view, group)),
    ),
  );
}

/**
 * Arrow keys walk through the words, as through radio buttons.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} buttons
 * @param {View} view
 * @param {Acts} acts
 */
function walkWords(event, buttons, view, { set, state }) {
  const last = view.groups.length - 1;
  /** @type {Record<string, number>} */
  const ways = {
    ArrowRight: view.word + 1,
    ArrowDown: view.word + 1,
    ArrowLeft: view.word - 1,
    ArrowUp: view.word - 1,
    Home: 0,
    End: last,
  };
  if (!(event.key in ways) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  set({ word: clamp(ways[event.key], last) });
  buttons[knownGroup(view, state().word)].focus();
}
