// @ts-check
// Reads the prompt, as the painter does; or says why it cannot be read.

import { a1111Outside } from "../lib/a1111_outside.js";
import { promptError } from "../lib/prompt_text.js";
import { parsePrompt } from "../lib/prompts.js";
import { count } from "../lib/wording.js";
import { cutWords } from "./words.js";

/** @import { Painter } from "../lib/pictures.js" */
/** @import { Reading } from "./types.js" */

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
