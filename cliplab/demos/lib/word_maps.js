// @ts-check
// A picture, and how much each of its places read of each word. It is painted once; a graph adds up
// tokens to words, for every step and for the mean of all.

import { tensor } from "./ask.js";
import { PAINT_GUIDANCE } from "./painting.js";

/** @import { Group, Painter, ReadPrompt, Regions, Word } from "./pictures.js" */
/** @import { Ask, Output } from "./types.js" */

/**
 * Paints; undefined if it is `outdated` before it is done.
 *
 * @param {Ask} ask
 * @param {Painter} painter
 * @param {{ read: ReadPrompt, words: Word[], context: Float32Array, seed: number }} what
 * @param {() => boolean} outdated
 * @param {(step: number, latents: Float32Array) => void} onStep
 * @returns {Promise<Regions | undefined>}
 */
export async function paintRegions(ask, painter, what, outdated, onStep) {
  /** @type {Output[]} */
  const maps = [];
  const latents = await painter.paint({
    context: what.context,
    seed: what.seed,
    guidance: PAINT_GUIDANCE,
    cancelled: outdated,
    onStep(step, made, found) {
      maps.push(found);
      onStep(step, made);
    },
  });
  if (!latents) return undefined;
  const groups = groupsOf(what.words, what.read);
  const [{ regions, means }, pictures] = await Promise.all([
    ask.run("regions", regionInputs(maps, groups, what.read.ids.length)),
    painter.pixels(latents),
  ]);
  const side = maps[0].shape[1];
  return { groups, side, pictures, regions: regions.data, means: means.data };
}

/**
 * The rows of the context by what they are of: the start, each word, the end, padding.
 *
 * @param {Word[]} words
 * @param {ReadPrompt} read
 * @returns {Group[]}
 */
function groupsOf(words, { ids, tokens }) {
  const end = tokens.length + 1;
  const from = (/** @type {number} */ first, /** @type {number} */ stop) =>
    ids.flatMap((_, row) => (row >= first && row < stop ? [row] : []));
  const ofWords = words.flatMap(({ text, row, symbols }) =>
    row === undefined
      ? []
      : [{ name: text, rows: from(row, Math.min(row + symbols.length, end)), isWord: true }],
  );
  const padding = from(end + 1, ids.length);
  return [
    { name: "BOS", rows: [0], isWord: false },
    ...ofWords,
    { name: "EOS", rows: [end], isWord: false },
    ...(padding.length
      ? [{ name: `padding × ${padding.length}`, said: "padding", rows: padding, isWord: false }]
      : []),
  ];
}

/**
 * What the graph `regions` takes.
 *
 * @param {Output[]} maps   of each step, [rows, side, side]
 * @param {Group[]} groups
 * @param {number} rows     of the context
 */
function regionInputs(maps, groups, rows) {
  const size = maps[0].data.length;
  const all = new Float32Array(maps.length * size);
  maps.forEach(({ data }, step) => all.set(data, step * size));
  const belongs = groups.flatMap((group) =>
    Array.from({ length: rows }, (_, row) => Number(group.rows.includes(row))),
  );
  const words = groups.map(({ isWord }) => Number(isWord));
  return {
    maps: tensor("float32", [maps.length, ...maps[0].shape], all),
    groups: tensor("float32", [groups.length, rows], belongs),
    words: tensor("float32", [groups.length], words),
  };
}
