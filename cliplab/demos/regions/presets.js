// @ts-check
// What a reader may try in this demo: predict, then reveal.

import { PAINT_STEPS } from "../lib/painting.js";

/** @import { Preset } from "../lib/types.js" */
/** @import { State } from "./types.js" */

/** @type {Preset<State>[]} */
export const regionsPresets = [
  {
    label: "“left” and “of”",
    state: { prompt: "a red circle left of a blue square", word: 5, held: 4 },
    question:
      "“left” says where the circle is; “of” says nothing. Which of the two rows is read " +
      "more?",
    answer:
      "“of”. A row of the context is no word: under the causal mask the row of “of” has " +
      "heard “left” before it, so it can say both, and for most prompts this U-Net looks there.",
  },
  {
    label: "BOS",
    state: { word: 0, step: PAINT_STEPS - 1 },
    question:
      "The row of BOS, the start, is the same in every prompt, so it says nothing about " +
      "the picture. When is it read more: in the first step, or in the last?",
    answer:
      "In the last; move the slider to see it grow. Attention must sum to 1, and with " +
      "little noise left a place has little to ask, so it puts its attention where nothing is " +
      "said. Such a row is called a sink.",
  },
  {
    label: "a single word",
    state: { prompt: "circle", word: 1, among: true },
    question:
      "One word, and its attention is divided by that of all words, as many published " +
      "maps have it. What does its map look like?",
    answer:
      "The same everywhere: 100 %. Such a map compares words, and here there is nothing to " +
      "compare with. Switch it off: there was a map, and the word never had more than a part " +
      "of the attention.",
  },
];
