// @ts-check
// From a prompt and a seed to a picture, and to what was read where.

import { cutWords } from "../lib/words.js";
import { paintRegions } from "../lib/word_maps.js";

/** @import { Painter } from "../lib/pictures.js" */
/** @import { Ask } from "../lib/types.js" */
/** @import { Painted, State } from "./types.js" */

export const SIDE = 8; // places, down and across

/**
 * A prompt is read as it stands, without weights.
 *
 * @param {string} prompt
 */
export const plainFragments = (prompt) => [
  { text: prompt, weight: 1, start: 0, end: prompt.length },
];

/**
 * Paints; undefined if it is `outdated` before it is done.
 *
 * @param {Ask} ask
 * @param {Painter} painter
 * @param {State} wanted
 * @param {() => boolean} outdated
 * @param {(step: number) => void} onStep
 * @returns {Promise<Painted | undefined>}
 */
export async function paintPrompt(ask, painter, { prompt, seed }, outdated, onStep) {
  const fragments = plainFragments(prompt);
  const read = painter.read(fragments);
  const { words } = cutWords(fragments, painter.tokenizer, read.tokens.length);
  const context = await painter.encode(read.ids);
  const what = { read, words, context, seed };
  const painted = await paintRegions(ask, painter, what, outdated, onStep);
  return painted && { ...painted, prompt, seed, lost: read.lost };
}
