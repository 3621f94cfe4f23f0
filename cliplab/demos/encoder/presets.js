// @ts-check
// What a reader may try in this demo: predict, then reveal.

/** @import { Preset } from "../lib/types.js" */
/** @import { State } from "./types.js" */

/** @type {Preset<State>[]} */
export const encoderPresets = [
  {
    label: "the last word",
    state: { other: "a red fox beside a blue star", layer: 4 },
    question:
      "“boat” becomes “star”. How many of the ten rows, from BOS to EOS, differ after " +
      "four layers?",
    answer:
      "Two: the word's own row, and EOS behind it. The other eight do not move, at any " +
      "layer: a row sees only itself and what stands before it, so “blue” never learns what is " +
      "blue.",
  },
  {
    label: "the first word",
    state: { other: "the red fox beside a blue boat", row: 3 },
    question:
      "“a” becomes “the”. After the embeddings only its own row differs. How many layers " +
      "does it take until EOS, eight slots away, notices?",
    answer:
      "One. A row reads every row before it directly, near or far; nothing has to be " +
      "handed on from neighbor to neighbor. “fox” even moves more than “red”, which stands " +
      "nearer. Only BOS stays as it was, since it comes before the change.",
  },
  {
    label: "four cats",
    state: { prompt: "cat cat cat cat", other: "", row: 4 },
    question:
      "Four times one token, so four times the same row of the embedding table. Does the " +
      "fourth “cat” look at all four alike?",
    answer:
      "No. In head 1 of layer 1 the first gets over two fifths of its attention, each of the " +
      "others about a sixth. Every slot adds a row of its own to the token's, so the four keys " +
      "differ, and with them the scores.",
  },
];
