// @ts-check
// Which words of a prompt the miniature has learned, as cliplab/pipeline/beside.py decides it; and
// what is said of those that it has not.

import { quoted } from "./wording.js";
import { isBreak } from "./words.js";

/** @import { KnownWords, Painter } from "./pictures.js" */
/** @import { Fragment } from "./types.js" */

const KNOWN_WORD = /[\p{L}\p{N}]+/gu; // Python's [^\W_]+
const KNOWN_QUIET = ["relation", "other"]; // kinds of words that show nothing by themselves
const KNOWN_NAMED = 3; // known words beside unknown ones: more would bury these

/**
 * The words of a prompt that are known and those that are not, in small letters, each once, in
 * their order.
 *
 * @param {Pick<Painter, "known" | "tokenizer">} painter
 * @param {Fragment[]} fragments
 */
export function sortedWords({ known, tokenizer: { symbols, bos, eos } }, fragments) {
  const all = new Set(wordsOfKinds(Object.keys(known), known));
  const words = fragments
    .filter((fragment) => !isBreak(fragment))
    .map(({ text }) => text.replaceAll(symbols[bos], " ").replaceAll(symbols[eos], " "))
    .flatMap(wordsOfText);
  const different = [...new Set(words)];
  return {
    known: different.filter((word) => all.has(word)),
    unknown: different.filter((word) => !all.has(word)),
  };
}

/**
 * That some words of a prompt are unknown; undefined where all are known.
 *
 * @param {Painter} painter
 * @param {Fragment[]} fragments
 */
export function unknownSentence(painter, fragments) {
  const { known, unknown } = sortedWords(painter, fragments);
  if (!unknown.length) return undefined;
  const quiet = wordsOfKinds(KNOWN_QUIET, painter.known);
  const named = known.filter((word) => !quiet.includes(word));
  const not = quoted(unknown, "or");
  return named.length && named.length <= KNOWN_NAMED
    ? `The miniature knows ${quoted(named, "and")}, not ${not}.`
    : `The miniature does not know ${not}.`;
}

/**
 * "left of" is two words.
 *
 * @param {string[]} kinds
 * @param {KnownWords} known
 */
const wordsOfKinds = (kinds, known) =>
  kinds.flatMap((kind) => known[kind] ?? []).flatMap(wordsOfText);

/** @param {string} text */
const wordsOfText = (text) => text.toLowerCase().match(KNOWN_WORD) ?? [];
