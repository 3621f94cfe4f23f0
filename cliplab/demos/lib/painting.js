// Painting with the miniature Stable Diffusion as cliplab.generate paints, by the graphs of
// cliplab/demos/graphs/paint.py. They hold all the mathematics; this only puts them in order.

import { tensor } from "./ui.js";
import { createTokenizer } from "./bpe.js";
import { weightedTokens } from "./prompts.js";

export const PAINT_STEPS = 20;
export const PAINT_GUIDANCE = 3; // the miniature's best, as its generation.json says
export const PAINT_SEEDS = 16;
const PAINT_ROWS = 77;
const PAINT_SIDE = 8; // of the latents

/**
 * The painter, once its vocabulary and its noise have come; the graphs come when they are needed.
 *
 *   tokenizer          of the miniature, whose words are one token each; others are many
 *   read(fragments)    → { ids [77], weights [77], tokens, lost }, from what parsePrompt gives.
 *                      tokens are those between BOS and EOS, [{ id, text, row, word, fragment,
 *                      weight }]; word counts through the prompt; lost is how many stand beyond
 *                      the first chunk of 77, which is all that is painted
 *   encode(ids)        → Float32Array [77 · D], the context of a prompt without weights
 *   contexts(read)     → { plain, scale, restore_mean, from_empty }, each Float32Array [77 · D]:
 *                      the context without its weights, and under each method
 *   paint({ context, negative, seed, guidance, factors, onStep, cancelled })
 *                      → [latents], 21 of them, the noise first; undefined if cancelled() is true.
 *                      context from `contexts`, negative likewise (the empty prompt's if left out);
 *                      factors [77] on attention, 1 if left out; onStep(i, latents, maps)
 *                      after step i = 1 … 20, with maps as the graph gives them
 *   pixels(latents)    → [Uint8Array], one for each of the list: red, green, blue of each pixel
 */
export async function createPainter(ask) {
  const [vocabulary, bytes] = await Promise.all([ask.json("sd_vocabulary"), ask.load("noise")]);
  const tokenizer = createTokenizer(vocabulary);
  const noise = new Float32Array(bytes.buffer);
  const size = noise.length / PAINT_SEEDS;
  const shape = [size / PAINT_SIDE ** 2, PAINT_SIDE, PAINT_SIDE]; // [C, h, w]
  const encoded = new Map(); // the ids of a prompt → the promise of its context

  function read(fragments) {
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

  /** Computed once for the prompts of late. */
  function encode(ids) {
    const key = String(ids);
    if (!encoded.has(key)) {
      if (encoded.size > 50) encoded.clear();
      const made = ask.run("paint_text", { ids: tensor("int32", [1, PAINT_ROWS], ids) });
      encoded.set(
        key,
        made.then(({ context }) => context.data),
      );
      made.catch(() => encoded.delete(key));
    }
    return encoded.get(key);
  }
  const empty = () => encode(read([]).ids);

  async function contexts({ ids, weights }) {
    const [plain, e] = await Promise.all([encode(ids), empty()]);
    const rows = [PAINT_ROWS, plain.length / PAINT_ROWS];
    const { contexts: made } = await ask.run(
      "weigh",
      {
        plain: tensor("float32", rows, plain),
        empty: tensor("float32", rows, e),
        masked: tensor("float32", [1, ...rows], plain), // for Compel, by which no demo paints
        weights: tensor("float32", [PAINT_ROWS], weights),
        down: tensor("float32", [1], [1]),
      },
      ["contexts"],
    );
    const [scale, restore_mean, from_empty] = [0, 1, 2].map((i) =>
      made.data.slice(i * plain.length, (i + 1) * plain.length),
    );
    return { plain, scale, restore_mean, from_empty };
  }

  async function paint({ context, negative, seed, guidance, factors, onStep, cancelled }) {
    const both = new Float32Array(2 * context.length);
    both.set(negative ?? (await empty()));
    both.set(context, context.length);
    const constant = {
      context: tensor("float32", [2, PAINT_ROWS, context.length / PAINT_ROWS], both),
      guidance: tensor("float32", [], [guidance]),
      factors: tensor("float32", [PAINT_ROWS], factors ?? new Array(PAINT_ROWS).fill(1)),
    };
    const latents = [noise.slice(seed * size, (seed + 1) * size)];
    for (let i = 1; i <= PAINT_STEPS; i++) {
      if (cancelled?.()) return undefined;
      const made = await ask.run("paint_step", {
        latents: tensor("float32", [1, ...shape], latents.at(-1)),
        step: tensor("int32", [], [i - 1]),
        ...constant,
      });
      latents.push(made.next.data);
      onStep?.(i, made.next.data, made.maps);
    }
    return cancelled?.() ? undefined : latents;
  }

  async function pixels(latents) {
    const all = new Float32Array(latents.length * size);
    latents.forEach((one, i) => all.set(one, i * size));
    const {
      pixels: {
        data,
        shape: [, side],
      },
    } = await ask.run("paint_decode", {
      latents: tensor("float32", [latents.length, ...shape], all),
    });
    const each = 3 * side ** 2;
    return latents.map((_, i) => data.slice(i * each, (i + 1) * each));
  }

  return { tokenizer, read, encode, contexts, paint, pixels };
}
