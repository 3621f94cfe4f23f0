// @ts-check
// The ways in which a weight acts, and what each does to a word's row.

/** @import { Method } from "./types.js" */

/** @param {number} w */
const scaled = (w) => (w ? `is multiplied by ${w}` : "becomes zero");

/** @type {Record<Method, { name: string, does: (w: number) => string }>} */
export const METHODS = {
  from_empty: {
    name: "moved from the empty prompt",
    does: (w) =>
      w ? `goes ${w} times as far from the empty prompt's` : "becomes the empty prompt's",
  },
  scale: { name: "scaled", does: scaled },
  restore_mean: {
    name: "scaled, mean restored",
    does: (w) => `${scaled(w)}; then one factor for all rows restores the mean`,
  },
  attention: {
    name: "weighted in the U-Net's attention",
    does: (w) => `stays as it is, and the U-Net's attention to it is multiplied by ${w}`,
  },
};
