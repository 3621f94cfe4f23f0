// @ts-check
// What a reader may try in this demo: predict, then reveal.

/** @import { Preset } from "../lib/types.js" */
/** @import { State } from "./types.js" */

/** @type {Preset<State>[]} */
export const picturePresets = [
  {
    label: "a color of weight 0",
    state: { prompt: "a large (red:0) circle", seed: 6 },
    question:
      "The word for the color gets weight 0. Will the circle be gone, be gray, or have a " +
      "color?",
    answer:
      "Nothing asks for red any more, but nothing asks for gray either, and every thing in " +
      "training had a color. So the model takes what the noise suggests, at times even red. " +
      "Try other seeds.",
  },
  {
    label: "below zero",
    state: { prompt: "a (large:-1) red circle" },
    question: "“large” gets weight −1. Is the opposite of “large” “small”?",
    answer:
      "Nothing says so. Its row lies as far on the other side of the empty prompt's, where " +
      "no word stands and nothing was trained: what you see is the model's guess. For a small " +
      "thing there is the word “small”.",
  },
  {
    label: "all words alike",
    state: { prompt: "(a large red circle:1.5)", method: "restore_mean" },
    question: "Every word gets weight 1.5, and the mean is restored. Do the weights cancel out?",
    answer:
      "No. Words fill four of the 77 rows; the other 73, for start, end and padding, keep " +
      "weight 1. One factor for all rows restores the mean, and leaves the words 1.5 times as " +
      "heavy as the rest. Weights are relative, but to the padding, too.",
  },
];
