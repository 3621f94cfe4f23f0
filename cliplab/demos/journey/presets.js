// @ts-check
// What a reader may try on the journey: predict, then reveal.

/** @import { Preset } from "../lib/types.js" */
/** @import { State } from "./types.js" */

/** @type {Preset<State>[]} */
export const journeyPresets = [
  {
    label: "an unknown word",
    state: { prompt: "a turquoise star above a blue square", station: "tokens", word: 1 },
    question:
      "The miniature has read of red, blue and green, but never of turquoise. Does its " +
      "tokenizer refuse the word, skip it, or cut it up?",
    answer:
      "It cuts it up, down to single letters where nothing longer is known. Every text becomes " +
      "tokens; whether the encoder makes sense of them is another question. Paint it and see.",
  },
  {
    label: "who hears whom",
    state: { prompt: "a star above a blue square", station: "attention", word: 1 },
    question: "Can the row of “star” know that the square is blue?",
    answer:
      "No. “blue” stands after “star”, and a row looks only at itself and at what stands before " +
      "it. The row of “square” can look at both.",
  },
  {
    label: "one heavy word",
    state: { prompt: "a yellow star above a (blue:1.8) square", station: "weights", word: 5 },
    question: "“blue” gets weight 1.8. How many of the 77 rows does that move?",
    answer:
      "One, its own. The weight is applied after the encoder, so no other row hears of it. But " +
      "the U-Net reads all rows at every place, so the whole picture may change.",
  },
];
