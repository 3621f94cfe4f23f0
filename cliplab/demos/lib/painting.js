// @ts-check
// Painting with the miniature Stable Diffusion as cliplab.generate paints, by the graphs of
// cliplab/demos/graphs/paint.py. They hold all the mathematics; this only puts them in order.

import { tensor } from "./ask.js";
import { createTokenizer } from "./bpe.js";
import { weightedTokens } from "./chunks.js";

/** @import { Contexts, Painter, PaintRequest, ReadPrompt } from "./pictures.js" */
/** @import { Ask, Fragment, Output, Tokenizer } from "./types.js" */

export const PAINT_STEPS = 8; // the miniature's best, as its generation.json says
export const PAINT_GUIDANCE = 3; // likewise
export const PAINT_SEEDS = 16;
const PAINT_ROWS = 77;
const PAINT_SIDE = 16; // of the latents
const PAINT_KEPT = 50; // prompts whose contexts are remembered

/**
 * The painter, once its vocabulary, its words and its noise have come; the graphs come when they are needed.
 *
 * @param {Ask} ask
 * @returns {Promise<Painter>}
 */
export async function createPainter(ask) {
  const [vocabulary, known, bytes] = await Promise.all([
    ask.json("sd_vocabulary"),
    ask.json("sd_words"),
    ask.load("noise"),
  ]);
  const tokenizer = createTokenizer(vocabulary);
  const noise = new Float32Array(bytes.buffer); // of all seeds
  const encode = contextOf(ask);
  const empty = () => encode(readForPainting(tokenizer, []).ids);
  return {
    tokenizer,
    known,
    read: (fragments) => readForPainting(tokenizer, fragments),
    encode,
    async contexts({ ids, weights }) {
      const [plain, e] = await Promise.all([encode(ids), empty()]);
      return weighedContexts(ask, plain, e, weights);
    },
    async paint(request) {
      const negative = request.negative ?? (await empty());
      return paintedLatents(ask, noise, { ...request, negative });
    },
    pixels: (latents) => decodedLatents(ask, latents),
  };
}

/**
 * A prompt as it is painted: its first chunk, and the words that its tokens belong to.
 *
 * @param {Tokenizer} tokenizer
 * @param {Fragment[]} fragments
 * @returns {ReadPrompt}
 */
function readForPainting(tokenizer, fragments) {
  const [first, ...more] = weightedTokens(tokenizer, fragments, "a1111");
  let word = 0;
  const tokens = first.fragments.flatMap((fragment, row) => {
    if (fragment === null) return []; // BOS, EOS, padding
    const [id, weight] = [first.ids[row], first.weights[row]];
    const token = { id, text: tokenizer.symbols[id], row, word, fragment, weight };
    if (token.text.endsWith("</w>")) word += 1;
    return [token];
  });
  const lost = more.flatMap((chunk) => chunk.fragments).filter((one) => one !== null).length;
  return { ids: first.ids, weights: first.weights, tokens, lost };
}

/**
 * A function from ids to their context, computed once for the prompts of late.
 *
 * @param {Ask} ask
 * @returns {Painter["encode"]}
 */
function contextOf(ask) {
  /** @type {Map<string, Promise<Float32Array>>} */
  const encoded = new Map();
  return (ids) => {
    const key = String(ids);
    const known = encoded.get(key);
    if (known) return known;
    if (encoded.size > PAINT_KEPT) encoded.clear();
    const made = ask
      .run("paint_text", { ids: tensor("int32", [1, PAINT_ROWS], ids) }, ["context"])
      .then(({ context }) => context.data);
    encoded.set(key, made);
    made.catch(() => encoded.delete(key));
    return made;
  };
}

/**
 * @param {Ask} ask
 * @param {Float32Array} plain
 * @param {Float32Array} empty
 * @param {number[]} weights
 * @returns {Promise<Contexts>}
 */
async function weighedContexts(ask, plain, empty, weights) {
  const rows = [PAINT_ROWS, plain.length / PAINT_ROWS];
  const { contexts, moved } = await ask.run(
    "weigh",
    {
      plain: tensor("float32", rows, plain),
      empty: tensor("float32", rows, empty),
      masked: tensor("float32", [1, ...rows], plain), // for Compel, by which no demo paints
      weights: tensor("float32", [PAINT_ROWS], weights),
      down: tensor("float32", [1], [1]),
    },
    ["contexts", "moved"],
  );
  const byMethod = (/** @type {Output} */ { data }, /** @type {number} */ size) =>
    [0, 1, 2].map((i) => data.slice(i * size, (i + 1) * size));
  const [scale, restore_mean, from_empty] = byMethod(contexts, plain.length);
  const moves = byMethod(moved, PAINT_ROWS);
  return {
    plain,
    scale,
    restore_mean,
    from_empty,
    moved: { scale: moves[0], restore_mean: moves[1], from_empty: moves[2] },
  };
}

/**
 * The latents from a seed's noise to the last step; undefined if it was cancelled.
 *
 * @param {Ask} ask
 * @param {Float32Array} noise
 * @param {PaintRequest & { negative: Float32Array }} request
 */
async function paintedLatents(ask, noise, request) {
  const { context, negative, seed, guidance, factors, onStep, cancelled } = request;
  const size = noise.length / PAINT_SEEDS;
  const both = new Float32Array(2 * context.length);
  both.set(negative);
  both.set(context, context.length);
  const constant = {
    context: tensor("float32", [2, PAINT_ROWS, context.length / PAINT_ROWS], both),
    guidance: tensor("float32", [], [guidance]),
    factors: tensor("float32", [PAINT_ROWS], factors ?? new Array(PAINT_ROWS).fill(1)),
  };
  /** @type {Float32Array[]} */
  const latents = [noise.slice(seed * size, (seed + 1) * size)];
  for (let i = 1; i <= PAINT_STEPS; i++) {
    if (cancelled?.()) return undefined;
    const made = await ask.run("paint_step", {
      latents: tensor("float32", [1, ...latentShape(size)], latents[i - 1]),
      step: tensor("int32", [], [i - 1]),
      ...constant,
    });
    latents.push(made.next.data);
    onStep?.(i, made.next.data, made.maps);
  }
  return cancelled?.() ? undefined : latents;
}

/**
 * [C, h, w] of latents of this size.
 *
 * @param {number} size
 */
const latentShape = (size) => [size / PAINT_SIDE ** 2, PAINT_SIDE, PAINT_SIDE];

/**
 * @param {Ask} ask
 * @param {Float32Array[]} latents
 */
async function decodedLatents(ask, latents) {
  const size = latents[0].length;
  const all = new Float32Array(latents.length * size);
  latents.forEach((one, i) => all.set(one, i * size));
  const shape = [latents.length, ...latentShape(size)];
  /** @type {Record<string, Output<Uint8Array>>} */
  const { pixels } = await ask.run("paint_decode", { latents: tensor("float32", shape, all) });
  const each = 3 * pixels.shape[1] ** 2;
  return latents.map((_, i) => pixels.data.slice(i * each, (i + 1) * each));
}
