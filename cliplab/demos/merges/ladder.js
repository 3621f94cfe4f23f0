// @ts-check
// The ladder of a word: from its letters, merge by merge, to its tokens. No drawing.

import { bareToken } from "../lib/bpe.js";
import { count } from "../lib/wording.js";

/** @import { MergeStep, Token, Tokenizer } from "../lib/types.js" */

/**
 * @typedef {object} Ladder
 * @property {string} word  as it was typed
 * @property {Token[]} tokens  what it becomes
 * @property {{ byte: number, piece: string }[]} bytes  before any merge
 * @property {MergeStep[]} steps  all of them
 * @property {number} done  how many of the steps are done
 */

export const PLACES = 75; // of the 77 of a prompt, those between BOS and EOS

/**
 * The tokens of a text, word by word.
 *
 * @param {Tokenizer} tokenizer
 * @param {string} text
 */
export function tokensByWord(tokenizer, text) {
  /** @type {Token[][]} */
  const words = [];
  for (const token of tokenizer.tokenize(text)) (words[token.word] ??= []).push(token);
  return words;
}

/**
 * The ladder of a word of the text, after `step` merges or all that there are. A special token has
 * no rungs: nothing is merged to it.
 *
 * @param {Tokenizer} tokenizer
 * @param {string} text
 * @param {Token[]} tokens  those of the word
 * @param {number} step
 * @returns {Ladder}
 */
export function ladderOf(tokenizer, text, tokens, step) {
  const word = text.slice(tokens[0].start, tokens[tokens.length - 1].end);
  const { bytes, steps } = tokenizer.ladder(tokens.map((token) => token.text));
  return { word, tokens, bytes, steps, done: Math.min(step, steps.length) };
}

/**
 * How many tokens there are, and whether a prompt has room for them.
 *
 * @param {Token[][]} words
 */
export function roomSentence(words) {
  const total = words.flat().length;
  const cut = total > PLACES ? `; the last ${total - PLACES} would be cut off` : "";
  return `${count(total, "token")} of ${PLACES}${cut}`;
}

/**
 * Where on its ladder the word is.
 *
 * @param {Ladder} ladder
 */
export function ladderSentence({ word, tokens, bytes, steps, done }) {
  const join = (/** @type {string[]} */ pieces) => pieces.map(bareToken).join(" + ");
  if (done === steps.length) {
    const led = steps.length
      ? `${count(steps.length, "merge")} led there.`
      : "No merge was needed.";
    const names = join(tokens.map((token) => token.text));
    return `“${word}” becomes ${count(tokens.length, "token")}: ${names}. ${led}`;
  }
  const pieces = done ? steps[done - 1].pieces : bytes.map(({ piece }) => piece);
  return (
    `After ${count(done, "merge")} “${word}” is ${count(pieces.length, "piece")}: ` +
    `${join(pieces)}. Next: ${steps[done].pair.map(bareToken).join(" with ")}.`
  );
}
