// @ts-check
// What the demo of similarity and temperature asks its readers to predict.

/** @import { Preset } from "../lib/types.js" */
/** @import { SimilarityState } from "./demo.js" */

/** @type {Preset<SimilarityState>[]} */
export const PRESETS = [
  {
    label: "colder",
    state: { temperature: 0.01, by: "column" },
    question:
      "The fourth picture, a tomato, is taken for a red apple; the other five are right. A " +
      "lower τ makes every share surer. Does it lower the loss?",
    answer:
      "No, it rises, by about two fifths. The tomato is now surely a red apple, and the loss is " +
      "the surprise at the right answer. Move the slider: it is lowest where the model is as " +
      "sure as it is right, near τ = 0.025 here.",
  },
  {
    label: "a swap",
    state: { captions: ["rocket", "wolf", "red apple", "tomato", "dog face", "airplane"] },
    question:
      "“dog face” and “rocket” change places; four of six pairs stay as they were. Who knows " +
      "nothing and guesses loses ln 6 = 1.79. Is this batch better or worse than a guess?",
    answer:
      "Far worse: between 7 and 9. The two wrong pairs lose over 20 each, since −ln p grows " +
      "without end as p nears 0, and a guess never says 0. Wrong captions in the data weigh " +
      "heavily.",
  },
  {
    label: "each caption twice",
    state: {
      captions: [
        "dog wolf",
        "dog wolf",
        "apple tomato",
        "apple tomato",
        "rocket airplane",
        "rocket airplane",
      ],
      temperature: 0.1,
      by: "column",
    },
    question:
      "Now each caption stands twice, and fits both of its pictures. How low can the loss of " +
      "such a batch go, with the best model and the best τ?",
    answer:
      "To ln 2 = 0.69, and here it is little above. Equal captions have equal vectors, so " +
      "a picture shares its column equally between its caption and the copy: at most 0.50 " +
      "each. Move the slider: no τ gets below.",
  },
];
