// @ts-check
// From a prompt and a seed to shares of attention: the picture is painted once, and a graph adds up
// tokens to words, for every step and for the mean of all.

import { tensor } from "../lib/ask.js";
import { PAINT_GUIDANCE } from "../lib/painting.js";

/** @import { Painter, PaintToken } from "../lib/pictures.js" */
/** @import { Ask, Output, Tokenizer } from "../lib/types.js" */
/** @import { Group, Painted, State } from "./types.js" */

export const SIDE = 8; // places, down and across
const CONTEXT_ROWS = 77;

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
export async function paintRegions(ask, painter, { prompt, seed }, outdated, onStep) {
  const read = painter.read([{ text: prompt, weight: 1, start: 0, end: prompt.length }]);
  /** @type {Output[]} */
  const maps = [];
  const latents = await painter.paint({
    context: await painter.encode(read.ids),
    seed,
    guidance: PAINT_GUIDANCE,
    cancelled: outdated,
    onStep(step, _, found) {
      maps.push(found);
      onStep(step);
    },
  });
  if (!latents) return undefined;
  const groups = groupsOf(painter.tokenizer, prompt, read.tokens);
  const [{ regions, means }, pictures] = await Promise.all([
    ask.run("regions", regionInputs(maps, groups)),
    painter.pixels(latents),
  ]);
  const { lost } = read;
  return { prompt, seed, groups, lost, pictures, regions: regions.data, means: means.data };
}

/**
 * The rows of the context by what they are of: the start, each word, the end, padding.
 *
 * @param {Tokenizer} tokenizer
 * @param {string} prompt
 * @param {PaintToken[]} tokens
 * @returns {Group[]}
 */
function groupsOf(tokenizer, prompt, tokens) {
  const typed = tokenizer.tokenize(prompt); // these have their places in the text
  /** @type {(Group & { start: number })[]} */
  const words = [];
  tokens.forEach(({ row, word }, i) => {
    const { start, end } = typed[i];
    words[word] ??= { name: "", start, rows: [], isWord: true };
    words[word].name = prompt.slice(words[word].start, end);
    words[word].rows.push(row);
  });
  const end = tokens.length + 1;
  const rest = Array.from({ length: CONTEXT_ROWS - 1 - end }, (_, i) => end + 1 + i);
  const groups = [
    { name: "BOS", rows: [0], isWord: false },
    ...words,
    { name: "EOS", rows: [end], isWord: false },
  ];
  const padding = {
    name: `padding × ${rest.length}`,
    said: "padding",
    rows: rest,
    isWord: false,
  };
  return rest.length ? [...groups, padding] : groups;
}

/**
 * What the graph `regions` takes.
 *
 * @param {Output[]} maps   of each step, [77, 8, 8]
 * @param {Group[]} groups
 */
function regionInputs(maps, groups) {
  const size = maps[0].data.length;
  const all = new Float32Array(maps.length * size);
  maps.forEach(({ data }, step) => all.set(data, step * size));
  const belongs = groups.flatMap(({ rows }) =>
    Array.from({ length: CONTEXT_ROWS }, (_, row) => Number(rows.includes(row))),
  );
  const words = groups.map(({ isWord }) => Number(isWord));
  return {
    maps: tensor("float32", [maps.length, CONTEXT_ROWS, SIDE, SIDE], all),
    groups: tensor("float32", [groups.length, CONTEXT_ROWS], belongs),
    words: tensor("float32", [groups.length], words),
  };
}
