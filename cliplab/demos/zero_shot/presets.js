// @ts-check
// What the demo of zero-shot classification asks its readers to predict.

/** @import { Preset } from "../lib/types.js" */
/** @import { ZeroShotState } from "./demo.js" */

/** @type {Preset<ZeroShotState>[]} */
export const PRESETS = [
  {
    label: "no label is right",
    state: { picture: 4, labels: "banana, violin, bus, penguin, crown" },
    question:
      "A rocket, and five labels that are all wrong. Will the shares say that none of them fits?",
    answer:
      "They say violin, with more than 99 %. A softmax shares out 100 % among what it is " +
      "offered, fitting or not. The cosine of 0.41 gives no warning either, until a rival " +
      "stands beside it: add “rocket” to the list.",
  },
  {
    label: "a fitting template",
    state: { picture: 4, templates: "a small drawing of a {}" },
    question:
      "The bare word “rocket” gets this picture right. It is indeed a small drawing of a " +
      "rocket. Does it help to say so, “a small drawing of a {}”?",
    answer:
      "It loses the rocket: a dog and a guitar are ahead, and no cosine is above 0.1. What " +
      "helps is not what is true but what looks like the captions of training, and those were " +
      "names and tags alone.",
  },
  {
    label: "never seen, never read",
    state: { picture: 18, labels: "dog, cat, snowman, hedgehog, sunflower, pizza" },
    question:
      "No picture of training shows a hedgehog, and no caption has the word. Can the " +
      "miniature name it?",
    answer:
      "Yes, with over 80 %. The word came with a vector, made from billions of words of text, " +
      "that lies near those of “chipmunk” and “mouse”, whose pictures were there. Near is not " +
      "exact: offer “squirrel” as well, and it wins.",
  },
];
