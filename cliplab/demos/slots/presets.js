// @ts-check
// What the demo of slots and masks asks its readers to predict.

/** @import { Preset } from "../lib/types.js" */
/** @import { SlotsState } from "./demo.js" */

/** @type {Preset<SlotsState>[]} */
export const PRESETS = [
  {
    label: "hide the padding",
    state: { mask: "both", row: 4 },
    question:
      "Stable Diffusion 1.5 has the causal mask alone. Hide the padding as well, as the " +
      "lecture does: which of the 77 rows of the context change?",
    answer:
      "Only those after EOS. Rows 0 to 4 are the same to the last bit, for the causal mask " +
      "had hidden the padding from them already. CLIP’s sentence vector, read at EOS, stays. " +
      "But a U‑Net reads all 77 rows.",
  },
  {
    label: "the dragon comes last",
    state: {
      prompt:
        "a quiet lake at sunrise, with a wooden house, a red roof, a small boat, tall " +
        "green trees, white clouds, soft golden light, an old stone bridge, a path with " +
        "flowers, two children with a kite, a family of ducks, a man with a book, a woman on a " +
        "bicycle, birds in the sky, fish in the water, and over it all a dragon",
      mask: "both",
      row: 76,
    },
    question:
      "What matters most stands last in this long prompt: a dragon. What does the " +
      "encoder make of it? And what does a PAD mask change?",
    answer:
      "It never hears of the dragon. The first 76 ids stay, EOS takes the last slot, and " +
      "12 tokens fall off. (Stable Diffusion 1.5’s vocabulary needs fewer tokens, and loses " +
      "the dragon too.) The PAD mask changes nothing: no padding is left to hide.",
  },
  {
    label: "no mask",
    state: { mask: "none", row: 0 },
    question:
      "Under the causal mask BOS sees only itself, so its row is the same in every " +
      "prompt. Take the mask away: which rows change?",
    answer:
      "All 77. BOS now sees the dog, the EOS and all of the padding, and so does every " +
      "other row. Attention has no direction of its own: that a word hears only of what stands " +
      "before it is the mask’s work alone.",
  },
];
