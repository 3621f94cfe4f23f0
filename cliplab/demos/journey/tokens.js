// @ts-check
// Station 1: the prompt in tokens, and the merges that lead to those of the followed word.

import { bareToken } from "../lib/bpe.js";
import { h } from "../lib/elements.js";
import { count } from "../lib/wording.js";

/** @import { Word } from "../lib/pictures.js" */
/** @import { Drawn, Station, Trip } from "./types.js" */

/** @type {Station} */
export const tokensStation = {
  name: "tokens",
  about:
    "Brackets and weights are taken out first. The tokenizer then cuts what is left into pieces " +
    "that it knows, and writes down the number of each, its id.",
  chapter: "03_tokens",
  closeUps: [
    {
      demo: "merges",
      shows: "every merge, in Stable Diffusion's own vocabulary",
      state: ({ plain, index }) => ({ text: plain, word: Math.max(index, 0) }),
    },
  ],
  create() {
    const cards = h("div", { class: "cld-trip-cards" });
    const ladder = h("ol", { class: "cld-trip-ladder cld-mono", start: "0" });
    return {
      element: h("div", { class: "cld-trip-part" }, cards, ladder),
      draw(trip) {
        const { reading, index, word } = trip;
        cards.replaceChildren(...reading.words.map((one, i) => wordCard(trip, one, i === index)));
        ladder.replaceChildren(...(word ? rungsOf(trip, word).map(rungLine) : []));
        return drawnTokens(trip);
      },
    };
  },
};

/**
 * A word: its pieces, each with its id.
 *
 * @param {Trip} trip
 * @param {Word} word
 * @param {boolean} isFollowed
 */
const wordCard = ({ tokenizer }, { symbols }, isFollowed) =>
  h(
    "span",
    { class: "cld-trip-card", "data-own": isFollowed },
    symbols.map((symbol) =>
      h(
        "span",
        { class: "cld-trip-token" },
        bareToken(symbol),
        h("small", {}, String(tokenizer.symbols.indexOf(symbol))),
      ),
    ),
  );

/**
 * From the letters of a word to its tokens, merge by merge. A special token has no letters.
 *
 * @param {Trip} trip
 * @param {Word} word
 */
function rungsOf({ tokenizer }, { symbols }) {
  const { bytes, steps } = tokenizer.ladder(symbols);
  if (!bytes.length) return [symbols];
  return [bytes.map(({ piece }) => piece), ...steps.map(({ pieces }) => pieces)];
}

/** @param {string[]} pieces */
const rungLine = (pieces) =>
  h(
    "li",
    {},
    pieces.map((piece) => h("span", { class: "cld-trip-piece" }, bareToken(piece))),
  );

/**
 * @param {Trip} trip
 * @returns {Drawn}
 */
function drawnTokens(trip) {
  const { reading, tokenizer, word } = trip;
  const merges = (/** @type {Word} */ one) => rungsOf(trip, one).length - 1;
  return {
    sentence: word ? tokenSentence(trip, word) : "An empty prompt has no tokens of its own.",
    table: {
      caption: "The words of the prompt, their tokens, and how many merges lead to them",
      columns: ["word", "tokens", "ids", "merges"],
      rows: reading.words.map((one) => [
        one.text,
        one.symbols.map(bareToken).join(" + "),
        one.symbols.map((symbol) => tokenizer.symbols.indexOf(symbol)).join(" "),
        merges(one),
      ]),
    },
  };
}

/**
 * @param {Trip} trip
 * @param {Word} word
 */
function tokenSentence(trip, word) {
  const { text, symbols } = word;
  const { tokenizer } = trip;
  const merges = count(rungsOf(trip, word).length - 1, "merge");
  const size = `the ${tokenizer.size.toLocaleString("en")} tokens of this vocabulary`;
  if (symbols.length > 1) {
    const pieces = symbols.map(bareToken).join(" + ");
    return `“${text}” is none of ${size}. After ${merges} it is ${symbols.length}: ${pieces}.`;
  }
  const id = tokenizer.symbols.indexOf(symbols[0]);
  return `“${text}” is one of ${size}, with the id ${id}: ${merges} led from its letters to it.`;
}
