// @ts-check
// Reads a prompt with weights, as the painter does; or says why it cannot be read.

import { a1111Outside } from "./a1111_outside.js";
import { unknownSentence } from "./known_words.js";
import { promptError } from "./prompt_text.js";
import { parsePrompt } from "./prompts.js";
import { count } from "./wording.js";
import { cutWords } from "./words.js";

/** @import { Painter, Reading } from "./pictures.js" */

const HEAVIEST = 10;

/**
 * @param {Painter} painter
 * @param {string} prompt
 * @returns {Reading}
 */
export function readPrompt(painter, prompt) {
  try {
    const { fragments, warnings } = parsePrompt(prompt, "a1111");
    const heavy = fragments.find(({ weight }) => !(Math.abs(weight) <= HEAVIEST));
    if (heavy) {
      const sentence = `This demo takes weights from −${HEAVIEST} to ${HEAVIEST}.`;
      throw promptError(sentence, heavy.start);
    }
    const read = painter.read(fragments);
    const words = cutWords(fragments, painter.tokenizer, read.tokens.length);
    const notes = warnings.map(({ message }) => message);
    const outside = a1111Outside(prompt);
    if (outside) notes.push(outside);
    const unknown = unknownSentence(painter, fragments);
    if (unknown) notes.push(unknown);
    if (read.lost) {
      const lost = count(read.lost, "token is", "tokens are");
      notes.push(`The painter reads one chunk of 77 rows. Beyond it, ${lost} left out.`);
    }
    return { ...words, read, notes };
  } catch (thrown) {
    const error = /** @type {Error & { position?: number }} */ (thrown);
    const { message, position } = error;
    if (position === undefined) throw error;
    return { pieces: [], words: [], notes: [], error: { message, position } };
  }
}

/**
 * Where a prompt cannot be read, and why.
 *
 * @param {string} prompt
 * @param {{ message: string, position: number }} error
 */
export const errorSentence = (prompt, { message, position }) =>
  `At character ${[...prompt.slice(0, position)].length + 1}: ${message}`;
