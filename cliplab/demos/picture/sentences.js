// @ts-check
// What the demo says in words, and its table.

import { bareToken } from "../lib/bpe.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { runsOf, shortNumber } from "../lib/words.js";
import { METHODS } from "./methods.js";

/** @import { Reading, Word } from "../lib/pictures.js" */
/** @import { Look, Method } from "./types.js" */

/**
 * The word at hand, and what the weights have changed.
 *
 * @param {Look} look
 * @param {Method} method
 */
export function sentenceOf({ reading, near, result }, method) {
  const word = near === undefined ? undefined : reading.words[near];
  return word?.row === undefined ? result : `${wordSentence(word, word.row, method)} ${result}`;
}

/**
 * @param {Word} word
 * @param {number} row
 * @param {Method} method
 */
function wordSentence({ text, weight, symbols: { length } }, row, method) {
  const where =
    length === 1
      ? `one token, row ${row} of 77`
      : `${length} pieces that training never saw, rows ${row} to ${row + length - 1} of 77`;
  const w = Number(shortNumber(weight));
  const does = w === 1 ? "stays as it is" : METHODS[method].does(w);
  return `“${text}” is ${where}. At weight ${w} ${length === 1 ? "its" : "each"} row ${does}.`;
}

/**
 * What the weights have changed.
 *
 * @param {Reading} reading
 * @param {number} percent   of the pixels
 * @param {number} step
 */
export function changeSentence({ pieces }, percent, step) {
  const heavy = runsOf(pieces).flatMap(({ text, weight = 1 }) =>
    weight === 1 ? [] : [`“${text}” ${shortNumber(weight)}`],
  );
  if (!heavy.length) {
    return "Every weight is 1, so both pictures are the same. Give a word another weight.";
  }
  const when = step < PAINT_STEPS ? `, after step ${step}` : "";
  return `${heavy.join(", ")}: ${percent} % of the pixels changed${when}.`;
}

/**
 * The words, one a line.
 *
 * @param {Reading} reading
 */
export const pictureTable = ({ words }) => ({
  caption: "Words as the painter reads them; start, end and padding have weight 1",
  columns: ["word", "weight", "pieces", "first row"],
  rows: words.map(({ text, weight, symbols, row }) => [
    text,
    shortNumber(weight),
    symbols.map(bareToken).join(" + "),
    row ?? "left out",
  ]),
});
