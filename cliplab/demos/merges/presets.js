// @ts-check
// What the demo of merges asks its readers to predict.

/** @import { Preset } from "../lib/types.js" */
/** @import { MergesState } from "./demo.js" */

/** @type {Preset<MergesState>[]} */
export const PRESETS = [
  {
    label: "a typo",
    state: { text: "an astronaut, an astronuat", word: 4 },
    question:
      "“astronaut” is one token. Two letters change places: how many tokens is “astronuat”?",
    answer:
      "Three: astron, u and at. No merge joins “astron” with “u”, so the typo falls apart into " +
      "pieces, and the encoder has to guess the word from them.",
  },
  {
    label: "an emoji",
    state: { text: "🐕‍🦺", word: 0 },
    question: "A service dog is one picture on your screen. How many tokens does it take?",
    answer:
      "Five. It is a dog, an invisible joiner and a vest: eleven bytes, of which merges join " +
      "some. The tokenizer sees bytes, never pictures.",
  },
  {
    label: "a long word",
    state: { text: "antidisestablishmentarianism", word: 0 },
    question: "Twenty-eight letters without a gap. How many of the 75 places do they take?",
    answer:
      "Six, one more than a dog emoji: anti, dise, stab, lish, ment, arianism. What counts is " +
      "not letters but how often a piece stood in the text from which the merges were learned.",
  },
];
