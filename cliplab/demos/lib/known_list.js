// @ts-check
// The words that the miniature knows, by their kind: at hand below a prompt, closed at first.

import { h } from "./elements.js";

/** @import { KnownWords } from "./pictures.js" */

/** @param {KnownWords} known */
export const knownList = (known) =>
  h(
    "details",
    { class: "cld-known" },
    h("summary", {}, "Words that the miniature knows"),
    h(
      "dl",
      {},
      Object.entries(known).map(([kind, words]) => [
        h("dt", {}, kind),
        h("dd", {}, words.join(", ")),
      ]),
    ),
  );
