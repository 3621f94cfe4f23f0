// @ts-check
// CLIP's tokenizer as cliplab/tokenizer has it under clean="hf": clean the text, cut it into words,
// write each word as bytes, merge the bytes. Golden vectors hold the two together; letters that are
// newer than a browser's or Python's Unicode tables are cut as each one's tables say.
//
// Places are UTF-16 offsets into what was typed, as JavaScript's strings count: text.slice(start,
// end) is what stands there. Half of a surrogate pair, which Python refuses, is read as U+FFFD.

import { bpeClean } from "./cleaning.js";
import { bytePlaces, letterIds, mergeIds, wordIds } from "./merging.js";
import { pyRepr } from "./prompt_text.js";
import { createVocabulary } from "./vocabulary.js";

/** @import { MergeStep, Token, Tokenizer } from "./types.js" */
/** @import { Vocabulary } from "./vocabulary.js" */

const BPE_SPECIAL = /(<\|startoftext\|>|<\|endoftext\|>)/;
const BPE_WORD = new RegExp(
  `${BPE_SPECIAL.source}|'s|'t|'re|'ve|'m|'ll|'d` +
    String.raw`|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+`,
  "gu",
);

/**
 * A tokenizer from its merges: {merges: [left, right, left, right, …]}, ids, in rank order.
 *
 * @param {{ merges: number[] }} given
 * @returns {Tokenizer}
 */
export function createTokenizer({ merges }) {
  const vocabulary = createVocabulary(merges);
  const { symbols, bos, eos } = vocabulary;
  const tokenize = (/** @type {string} */ text) => bpeTokens(vocabulary, text);
  return {
    tokenize,
    encode: (text) => [bos, ...tokenize(text).map((token) => token.id), eos],
    lengthNormalize,
    mergeSteps: (word) => bpeMergeSteps(vocabulary, word),
    ladder: (tokens) => bpeLadder(vocabulary, tokens),
    symbols,
    bos,
    eos,
    size: symbols.length,
  };
}

/**
 * A token as a reader knows it, without the mark of a word's end.
 *
 * @param {string} symbol
 */
export const bareToken = (symbol) => symbol.replace(/<\/w>$/, "");

/**
 * @param {Vocabulary} vocabulary
 * @param {string} text
 */
function bpeTokens(vocabulary, text) {
  const { symbols, bos, eos } = vocabulary;
  /** @type {Token[]} */
  const tokens = [];
  let word = 0;
  let first = 0; // where the part between specials begins
  for (const part of text.split(BPE_SPECIAL)) {
    if (BPE_SPECIAL.test(part)) {
      const id = part === symbols[bos] ? bos : eos;
      tokens.push({ id, text: part, start: first, end: first + part.length, word: word++ });
    } else {
      const { cleaned, starts, ends } = bpeClean(part);
      for (const { 0: found, index } of cleaned.matchAll(BPE_WORD)) {
        for (const { id, from, last } of wordTokens(vocabulary, found)) {
          const start = first + starts[index + from];
          const end = first + ends[index + last];
          tokens.push({ id, text: symbols[id], start, end, word });
        }
        word++;
      }
    }
    first += part.length;
  }
  return tokens;
}

/**
 * A word's ids, each with the places in the word of the characters that it begins and ends in.
 *
 * @param {Vocabulary} vocabulary
 * @param {string} word
 */
function wordTokens(vocabulary, word) {
  const at = bytePlaces(word);
  // Specials that only lower-casing has made are "<|", a word, "|>", as in transformers.
  const parts = BPE_SPECIAL.test(word) ? ["<|", word.slice(2, -2), "|>"] : [word];
  let byte = 0;
  return parts
    .flatMap((part) => [...mergeIds(vocabulary, wordIds(vocabulary, part))])
    .map((id) => {
      const from = at[byte];
      byte += vocabulary.bytesOf[id];
      return { id, from, last: at[byte - 1] };
    });
}

/**
 * Ids cut or padded to one length; and those that are lost.
 *
 * @param {number[]} sequence
 */
function lengthNormalize(sequence, length = 77, pad = sequence[sequence.length - 1]) {
  const end = sequence[sequence.length - 1];
  const kept = [...sequence.slice(0, -1).slice(0, length - 1), end];
  let used = sequence.length; // padding that is there already is not lost when it is cut
  while (used > 1 && sequence[used - 2] === end) used--;
  const padding = new Array(length - kept.length).fill(pad);
  return { ids: [...kept, ...padding], lost: sequence.slice(length - 1, Math.max(used - 1, 0)) };
}

/**
 * @param {Vocabulary} vocabulary
 * @param {string} typed
 */
function bpeMergeSteps(vocabulary, typed) {
  const words = Array.from(bpeClean(typed).cleaned.matchAll(BPE_WORD), (match) => match[0]);
  if (words.length !== 1) {
    const shown = words.slice(0, 8).map((one) => pyRepr(one));
    throw new Error(
      `merge_steps takes one word; ${pyRepr(typed, 60)} is cut into ${words.length}: ` +
        `[${shown.join(", ")}].`,
    );
  }
  if (BPE_SPECIAL.test(words[0])) {
    throw new Error(`merge_steps takes one word; ${pyRepr(typed)} is a special token.`);
  }
  return bpeSteps(vocabulary, wordIds(vocabulary, words[0]));
}

/**
 * From the tokens of a word, since what was typed may be part of two words: a letter such as İ, for
 * one. To a special token nothing is merged; one that lower-casing has made has three ends.
 *
 * @param {Vocabulary} vocabulary
 * @param {string[]} tokens
 */
function bpeLadder(vocabulary, tokens) {
  if (tokens.filter((token) => token.endsWith("</w>")).length !== 1)
    return { bytes: [], steps: [] };
  const ids = letterIds(vocabulary, tokens);
  const bytes = Array.from(ids, (id) => ({
    byte: vocabulary.idOfByte.indexOf(id % 256),
    piece: vocabulary.symbols[id],
  }));
  return { bytes, steps: bpeSteps(vocabulary, ids) };
}

/**
 * @param {Vocabulary} vocabulary
 * @param {Int32Array} bytes   of a word, as ids
 */
function bpeSteps(vocabulary, bytes) {
  const { merges, symbols } = vocabulary;
  /** @type {MergeStep[]} */
  const steps = [];
  const write = (/** @type {Iterable<number>} */ ids) => Array.from(ids, (id) => symbols[id]);
  mergeIds(vocabulary, bytes, (rank, ids) => {
    const pair = write(merges.slice(2 * rank, 2 * rank + 2));
    steps.push({ pair, rank, pieces: write(ids) });
  });
  return steps;
}
