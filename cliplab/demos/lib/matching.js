// What the demos share that compare pictures with words: vectors, each computed once. The
// mathematics is in the graphs "text" and "image"; the second is only fetched for a picture that is
// drawn, since the vectors of the others come with them.

import { h, tensor } from "./ui.js";
import { createTokenizer } from "./bpe.js";

export const MATCHING_SIDE = 64; // of a picture, in pixels
const MATCHING_ROWS = 77; // of the text encoder
const MATCHING_KEPT = 300; // captions whose vectors are remembered
const MATCHING_SIZE = 3 * MATCHING_SIDE ** 2;

/**
 * The miniature CLIP with 24 pictures, once its vocabulary and they have come.
 *
 *   names            [{ caption, learned }] of the pictures
 *   pixels(i)        Uint8Array [64 · 64 · 3] of picture i
 *   images           their unit vectors in one Float32Array [24 · E]
 *   texts(captions)  → the unit vectors of captions, likewise
 *   image(pixels)    → the unit vector of any pixels
 *   width            E
 *   credit()         a line that says who drew the pictures
 */
export async function createMatcher(ask) {
  const [vocabulary, bytes, vectors, { pictures, credit }] = await Promise.all([
    ask.json("mini_vocabulary"),
    ask.load("pictures"),
    ask.load("picture_vectors"),
    ask.json("picture_names"),
  ]);
  const tokenizer = createTokenizer(vocabulary);
  const images = new Float32Array(vectors.slice().buffer);
  const width = images.length / pictures.length;
  const known = new Map(); // caption → vector

  const idsOf = (caption) =>
    tokenizer.lengthNormalize(tokenizer.encode(caption), MATCHING_ROWS).ids;

  async function texts(captions) {
    const fresh = [...new Set(captions)].filter((caption) => !known.has(caption));
    if (fresh.length) {
      const rows = (values) => tensor("int32", [fresh.length, MATCHING_ROWS], values);
      const ids = fresh.flatMap(idsOf);
      const { vector } = await ask.run(
        "text",
        {
          ids: rows(ids),
          causal: tensor("int32", [], [1]),
          seen: rows(ids.map(() => 1)),
        },
        ["vector"],
      );
      fresh.forEach((caption, i) =>
        known.set(caption, vector.data.slice(i * width, (i + 1) * width)),
      );
    }
    const found = new Float32Array(captions.length * width);
    captions.forEach((caption, i) => found.set(known.get(caption), i * width));
    for (const caption of [...known.keys()].slice(0, -MATCHING_KEPT)) known.delete(caption);
    return found;
  }

  async function image(pixels) {
    const shape = [1, MATCHING_SIDE, MATCHING_SIDE, 3];
    return (await ask.run("image", { pixels: tensor("uint8", shape, pixels) })).vector.data;
  }

  return {
    names: pictures,
    width,
    images,
    texts,
    image,
    pixels: (i) => bytes.subarray(i * MATCHING_SIZE, (i + 1) * MATCHING_SIZE),
    credit() {
      const source = h("a", { href: credit.source }, credit.title);
      return h(
        "p",
        { class: "cld-hint" },
        "Pictures: ",
        source,
        ` by ${credit.author} (${credit.license}), at 48 × 48 pixels.`,
      );
    },
  };
}

/** 0.31 and −0.12, with a minus sign as wide as a digit, and none before a zero. */
export function signed(value, places = 2) {
  const text = Math.abs(value).toFixed(places);
  return value < 0 && Number(text) ? `−${text}` : text;
}
