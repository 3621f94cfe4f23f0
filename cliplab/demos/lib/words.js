// @ts-check
// The prompt in words with a weight each: from fragments to words, and back to text in
// Automatic1111's syntax.

/** @import { Piece, Reading, Word } from "./pictures.js" */
/** @import { Fragment, Tokenizer } from "./types.js" */

/**
 * Fragments → the prompt in pieces, of which some are words.
 *
 * @param {Fragment[]} fragments
 * @param {Tokenizer} tokenizer
 * @param {number} placed   so many first tokens have a row
 * @returns {{ pieces: Piece[], words: Word[] }}
 */
export function cutWords(fragments, tokenizer, placed) {
  /** @type {Piece[]} */
  const pieces = [];
  /** @type {Word[]} */
  const words = [];
  let tokens = 0;
  for (const { text, weight } of fragments) {
    if (isBreak({ text, weight })) {
      pieces.push({ text: " BREAK " });
      continue;
    }
    let done = 0; // characters of the fragment
    let number = -1; // of the word that the last token belongs to
    for (const token of tokenizer.tokenize(text)) {
      if (token.start > done) pieces.push({ text: text.slice(done, token.start) });
      if (token.word !== number) {
        const row = tokens < placed ? tokens + 1 : undefined;
        words.push({ text: "", weight, symbols: [], row, piece: pieces.length });
        pieces.push({ text: "", weight });
      }
      const word = words[words.length - 1];
      word.text += text.slice(Math.max(done, token.start), token.end);
      word.symbols.push(token.text);
      pieces[word.piece].text = word.text;
      number = token.word;
      tokens += 1;
      done = Math.max(done, token.end);
    }
    if (done < text.length) pieces.push({ text: text.slice(done) });
  }
  return { pieces, words };
}

/**
 * Automatic1111's BREAK, which is no word.
 *
 * @param {Pick<Fragment, "text" | "weight">} fragment
 */
export const isBreak = ({ text, weight }) => text === "BREAK" && weight === -1;

/**
 * Neighbors of one weight, joined with the white space between them.
 *
 * @param {Piece[]} pieces
 */
export function runsOf(pieces) {
  /** @type {Piece[]} */
  const runs = [];
  for (const { text, weight } of pieces) {
    const [last, before] = [runs.at(-1), runs.at(-2)];
    const isGap = last && last.weight === undefined && !last.text.trim();
    if (last && last.weight === weight) last.text += text;
    else if (isGap && before && before.weight === weight) {
      before.text += last.text + text;
      runs.pop();
    } else runs.push({ text, weight });
  }
  return runs;
}

/**
 * The prompt in Automatic1111's syntax.
 *
 * @param {Piece[]} pieces
 */
export function writePrompt(pieces) {
  return runsOf(pieces)
    .map(({ text, weight }) => {
      if (weight === undefined) return text;
      const safe = text.replace(/[()[\]\\]/g, "\\$&");
      return weight === 1 ? safe : `(${safe}:${shortNumber(weight)})`;
    })
    .join("");
}

/**
 * The pieces of a prompt when one of its words gets another weight.
 *
 * @param {Pick<Reading, "pieces" | "words">} reading
 * @param {number} word
 * @param {number} weight
 */
export const reweighed = ({ pieces, words }, word, weight) =>
  pieces.map((piece, i) => (i === words[word].piece ? { ...piece, weight } : piece));

/**
 * Three decimals at most.
 *
 * @param {number} number
 */
export const shortNumber = (number) => String(Number(number.toFixed(3)));
