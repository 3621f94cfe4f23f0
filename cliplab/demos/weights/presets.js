// @ts-check
// What the demo of weights asks its readers to predict.

/** @import { Preset } from "../lib/types.js" */
/** @import { WeightsState } from "./demo.js" */

/** @type {Preset<WeightsState>[]} */
export const PRESETS = [
  {
    label: "one word up",
    state: { prompt: "a (red:1.5) fox in fog" },
    question:
      "Only “red” is weighted. In how many of the 77 rows does Automatic1111 change something?",
    answer:
      "In all 77. Restoring the mean multiplies every row by one number. Switch it off, and " +
      "only the row of “red” moves. And Compel reads the weight as words: a colon, a 1, a dot, " +
      "a 5.",
  },
  {
    label: "one word down",
    state: { prompt: "a red-- fox in fog" },
    question:
      "“red--” weakens one word in Compel. Which rows move: that of “red”, those before, those " +
      "after?",
    answer:
      "That of “red” and all after it. Compel encodes the prompt again with “red” hidden, and " +
      "every later row had looked at it. Rows before it stay the same. For the others, -- is " +
      "text.",
  },
  {
    label: "a bracket left open",
    state: { prompt: "a (red fox in fog" },
    question: "Somebody forgot to close a bracket. Who weights anything at all?",
    answer:
      "Automatic1111: all from the bracket to the end weighs 1.1. To the other two the bracket " +
      "is one token more, which the encoder reads.",
  },
];
