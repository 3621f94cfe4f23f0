// @ts-check
// How words, their tokens and the ladder of one of them are drawn.

import { bareToken } from "../lib/bpe.js";
import { h } from "../lib/elements.js";
import { count } from "../lib/wording.js";
import { PLACES, roomSentence } from "./ladder.js";

/** @import { Token } from "../lib/types.js" */
/** @import { Ladder } from "./ladder.js" */
/** @typedef {ReturnType<typeof mergesView>} MergesView */

/**
 * The elements of the demo.
 *
 * @param {object} on
 * @param {(text: string) => void} on.text  the reader has typed
 * @param {(step: number) => void} on.step  the reader has moved along the ladder
 */
export function mergesView({ text, step }) {
  const input = h("textarea", {
    class: "cld-text",
    rows: "2",
    maxlength: "400",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => text(input.value),
  });
  const counted = h("p", { class: "cld-number" });
  const filled = h("span", {});
  const words = h("div", {
    class: "cld-tokens",
    role: "group",
    "aria-label": "Words and their tokens",
  });
  const slider = h("input", {
    type: "range",
    min: "0",
    oninput: () => step(Number(slider.value)),
  });
  const ladderName = h("span", {});
  const ladder = h("ol", { class: "cld-ladder cld-mono", start: "0" });
  const elements = [
    h("label", { class: "cld-label" }, "Your text", input),
    h(
      "div",
      { class: "cld-row" },
      counted,
      h("span", { class: "cld-filled", "aria-hidden": "true" }, filled),
    ),
    words,
    h("label", { class: "cld-label" }, ladderName, slider),
    ladder,
  ];
  return { elements, input, counted, filled, words, slider, ladderName, ladder };
}

/**
 * The words as buttons, and how much of a prompt they fill. The focus stays on the word that has it.
 *
 * @param {MergesView} view
 * @param {Token[][]} words
 * @param {number} chosen  the word whose ladder is shown
 * @param {(index: number) => void} choose
 */
export function drawWords(view, words, chosen, choose) {
  view.counted.textContent = roomSentence(words);
  view.filled.style.width = `${Math.min(words.flat().length / PLACES, 1) * 100}%`;
  const buttons = words.map((tokens, index) =>
    wordButton(tokens, index === chosen, () => choose(index)),
  );
  const focused = [...view.words.children].findIndex((one) => one === document.activeElement);
  view.words.replaceChildren(...buttons);
  buttons[focused]?.focus({ preventScroll: true });
}

/**
 * A word as a button that holds its tokens; a dashed edge says "goes on from the last one".
 *
 * @param {Token[]} tokens
 * @param {boolean} pressed
 * @param {() => void} onclick
 */
function wordButton(tokens, pressed, onclick) {
  return h(
    "button",
    { type: "button", class: "cld-word", "aria-pressed": String(pressed), onclick },
    tokens.map((token, i) =>
      h(
        "span",
        { class: i ? "cld-token cld-inner" : "cld-token" },
        h("span", {}, bareToken(token.text)),
        h("small", {}, String(token.id)),
      ),
    ),
  );
}

/**
 * The rungs of the ladder that are climbed so far, and the slider that climbs it; nothing where
 * there is no word.
 *
 * @param {MergesView} view
 * @param {Ladder | undefined} shown
 */
export function drawLadder({ slider, ladderName, ladder }, shown) {
  slider.disabled = !shown;
  if (!shown) {
    ladderName.textContent = "Merges";
    ladder.replaceChildren();
    return;
  }
  const { word, bytes, steps, done } = shown;
  slider.max = String(steps.length);
  slider.value = String(done);
  slider.setAttribute("aria-valuetext", `after ${count(done, "merge")} of ${steps.length}`);
  ladderName.textContent = `Merges of “${word}”: ${done} of ${steps.length} done`;
  ladder.replaceChildren(
    firstRung(bytes),
    ...steps
      .slice(0, done)
      .map(({ pair, rank, pieces }) =>
        rung(pieces, `rank ${rank.toLocaleString("en")}`, pair.join("")),
      ),
  );
}

/**
 * The letters of a word, or the bytes of those that have no letter of their own.
 *
 * @param {Ladder["bytes"]} bytes
 */
function firstRung(bytes) {
  const plain = bytes.every(({ byte }) => byte < 128);
  const hex = bytes.map(({ byte }) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
  return rung(
    bytes.map(({ piece }) => piece),
    plain ? "letters" : `bytes ${hex}`,
  );
}

/**
 * One state of the word; the piece that the last merge has made is framed.
 *
 * @param {string[]} pieces
 * @param {string} note
 * @param {string} [made]
 */
function rung(pieces, note, made) {
  return h(
    "li",
    {},
    pieces.map((piece) =>
      h(
        "span",
        { class: piece === made ? "cld-piece cld-new" : "cld-piece" },
        bareToken(piece),
        piece.endsWith("</w>") && h("small", {}, "</w>"),
      ),
    ),
    h("small", {}, note),
  );
}
