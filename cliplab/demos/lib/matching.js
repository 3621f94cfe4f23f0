// @ts-check
// What the demos share that compare pictures with words: vectors, each computed once. The
// mathematics is in the graphs "text" and "image"; the second is only fetched for a picture that is
// drawn, since the vectors of the others come with them.

import { tensor } from "./ask.js";
import { createTokenizer } from "./bpe.js";
import { h } from "./elements.js";

/** @import { Matcher } from "./pictures.js" */
/** @import { Ask, Tokenizer } from "./types.js" */

export const MATCHING_SIDE = 64; // of a picture, in pixels
const MATCHING_ROWS = 77; // of the text encoder
const MATCHING_KEPT = 300; // captions whose vectors are remembered
const MATCHING_SIZE = 3 * MATCHING_SIDE ** 2;

/**
 * The miniature CLIP with 24 pictures, once its vocabulary and they have come.
 *
 * @param {Ask} ask
 * @returns {Promise<Matcher>}
 */
export async function createMatcher(ask) {
  const [vocabulary, bytes, vectors, { pictures, credit }] = await Promise.all([
    ask.json("mini_vocabulary"),
    ask.load("pictures"),
    ask.load("picture_vectors"),
    ask.json("picture_names"),
  ]);
  const images = new Float32Array(vectors.slice().buffer);
  const width = images.length / pictures.length;
  return {
    names: pictures,
    width,
    images,
    texts: captionVectors(ask, createTokenizer(vocabulary), width),
    async image(pixels) {
      const shape = [1, MATCHING_SIDE, MATCHING_SIDE, 3];
      return (await ask.run("image", { pixels: tensor("uint8", shape, pixels) })).vector.data;
    },
    pixels: (i) => bytes.subarray(i * MATCHING_SIZE, (i + 1) * MATCHING_SIZE),
    credit: () => pictureCredit(credit),
  };
}

/**
 * A function from captions to their unit vectors, which remembers those of late.
 *
 * @param {Ask} ask
 * @param {Tokenizer} tokenizer
 * @param {number} width
 * @returns {Matcher["texts"]}
 */
function captionVectors(ask, tokenizer, width) {
  /** @type {Map<string, Float32Array>} */
  const known = new Map();
  const idsOf = (/** @type {string} */ caption) =>
    tokenizer.lengthNormalize(tokenizer.encode(caption), MATCHING_ROWS).ids;

  /** @param {string[]} fresh */
  async function learn(fresh) {
    const ids = fresh.flatMap(idsOf);
    const rows = (/** @type {number[]} */ values) =>
      tensor("int32", [fresh.length, MATCHING_ROWS], values);
    const { vector } = await ask.run(
      "text",
      { ids: rows(ids), causal: tensor("int32", [], [1]), seen: rows(ids.map(() => 1)) },
      ["vector"],
    );
    fresh.forEach((caption, i) =>
      known.set(caption, vector.data.slice(i * width, (i + 1) * width)),
    );
  }

  return async (captions) => {
    const fresh = [...new Set(captions)].filter((caption) => !known.has(caption));
    if (fresh.length) await learn(fresh);
    const found = new Float32Array(captions.length * width);
    captions.forEach((caption, i) =>
      found.set(/** @type {Float32Array} */ (known.get(caption)), i * width),
    );
    for (const caption of [...known.keys()].slice(0, -MATCHING_KEPT)) known.delete(caption);
    return found;
  };
}

/** @param {{ title: string, author: string, license: string, source: string }} credit */
function pictureCredit({ title, author, license, source }) {
  const link = h("a", { href: source }, title);
  const rest = ` by ${author} (${license}), at 48 × 48 pixels.`;
  return h("p", { class: "cld-hint" }, "Pictures: ", link, rest);
}
