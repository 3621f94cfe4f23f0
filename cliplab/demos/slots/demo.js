// @ts-check
// 77 slots: how a prompt fills them, what falls off, and what each mask changes in the context.

import { createTokenizer } from "../lib/bpe.js";
import { demo } from "../lib/demo.js";
import { drawNumbers, exploreField, fieldView, markField } from "./field.js";
import { fillSlots, lastSeen } from "./filling.js";
import { createMeasure } from "./measuring.js";
import { PRESETS } from "./presets.js";
import { drawSlots, exploreStrip, markSlots, stripView } from "./strip.js";
import { rowSentence, slotsTable } from "./wording.js";

/** @import { Context } from "../lib/types.js" */
/** @import { MaskName } from "./filling.js" */
/** @import { Pointing } from "./strip.js" */
/** @import { Shown } from "./wording.js" */
/** @typedef {{ prompt: string, mask: MaskName, row: number }} SlotsState  as in __init__.py */

export default demo({
  title: "77 slots and their masks",
  about:
    "Measured on our miniature CLIP: 4 layers, 128 wide, with 6,918 tokens of its own, so it " +
    "cuts some words into more pieces than Stable Diffusion 1.5 (12 layers, 768 wide, 49,408 " +
    "tokens). The 77 slots and the two masks are the same.",
  presets: PRESETS,
  start,
});

/** @param {Context<SlotsState>} context */
async function start({ body, ask, say, set, state }) {
  const tokenizer = createTokenizer(await ask.json("mini_vocabulary"));
  const measure = createMeasure(ask);
  /** @type {Shown | undefined} */
  let shown;
  /** @type {number | null} */
  let looked = null; // the row under the mouse, which looks at rows and chooses none
  /** @type {number | null} */
  let column = null; // the slot that is pointed at in the field, besides the row

  const strip = stripView(set);
  const field = fieldView();
  body.append(...strip.elements, ...field.elements);

  /** @type {Pointing} */
  const pointing = {
    chosen: () => state().row,
    look(row, slot = null) {
      [looked, column] = [row, slot];
      point();
    },
    choose(row, slot = null) {
      pointing.look(null, slot);
      if (row !== state().row) set({ row });
    },
  };
  exploreStrip(strip, pointing);
  exploreField(field, pointing, () => column);

  /** Marks the row that is looked at, and speaks of it. */
  function point() {
    if (!shown) return;
    const row = looked ?? state().row;
    markSlots(strip, row, lastSeen(shown.filling, shown.mask, row));
    markField(field, row, column);
    say(rowSentence(shown, row, column));
  }

  /** @param {SlotsState} asked */
  async function draw({ prompt, mask }) {
    if (strip.input.value !== prompt) strip.input.value = prompt;
    const filling = fillSlots(tokenizer, prompt);
    const numbers = await measure(filling, mask);
    const known = shown?.numbers === numbers;
    shown = { filling, mask, numbers };
    drawSlots(strip, filling, mask); // what falls off changes no number
    if (!known) drawNumbers(field, shown);
    point();
  }

  return { draw, table: () => slotsTable(/** @type {Shown} */ (shown)) };
}
