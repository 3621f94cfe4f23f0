// @ts-check
// A prompt on its way, as plain data: how it was read, and where the word stands that is followed.

import { bareToken } from "../lib/bpe.js";

/** @import { Reading, ReadPrompt, Word } from "../lib/pictures.js" */
/** @import { Tokenizer } from "../lib/types.js" */
/** @import { State, Trip } from "./types.js" */

const ROWS_SHOWN = 16; // at most, so that they fit on a telephone

/**
 * The trip of a prompt; undefined where it cannot be read.
 *
 * @param {Tokenizer} tokenizer
 * @param {Reading} reading
 * @param {State} state
 * @returns {Trip | undefined}
 */
export function tripOf(tokenizer, reading, state) {
  const { read, words, pieces } = reading;
  if (!read) return undefined;
  const index = Math.min(state.word, words.length - 1);
  const end = read.tokens.length + 1;
  return {
    state,
    reading,
    read,
    tokenizer,
    plain: pieces.map(({ text }) => text).join(""),
    index,
    word: words[index],
    names: namesOf(read),
    own: ownRows(words[index], end),
    shown: Math.min(end + 2, read.ids.length, ROWS_SHOWN),
  };
}

/**
 * What stands in the slots.
 *
 * @param {ReadPrompt} read
 */
function namesOf({ ids, tokens }) {
  const words = ["BOS", ...tokens.map(({ text }) => bareToken(text)), "EOS"];
  return ids.map((_, slot) => words[slot] ?? "padding");
}

/**
 * The rows of a word's tokens, of which the last may have found no slot.
 *
 * @param {Word | undefined} word
 * @param {number} end   the row of EOS
 */
function ownRows(word, end) {
  const { row } = word ?? {};
  if (!word || row === undefined) return [];
  return word.symbols.map((_, i) => row + i).filter((one) => one < end);
}

/**
 * "row 2", "rows 2 to 4".
 *
 * @param {string} one
 * @param {number[]} own
 */
export const spanOf = (one, own) =>
  own.length === 1 ? `${one} ${own[0]}` : `${one}s ${own[0]} to ${own[own.length - 1]}`;

/**
 * Why there is nothing to say of the followed word; undefined where there is.
 *
 * @param {Trip} trip
 */
export function nothingFollowed({ word, own }) {
  if (!word) return "An empty prompt has no word to follow.";
  return own.length ? undefined : `“${word.text}” found no slot, and is lost.`;
}
