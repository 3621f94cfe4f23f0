// @ts-check
// How a prompt fills the 77 slots, and what each mask lets a row see. Plain data.

import { bareToken } from "../lib/bpe.js";

/** @import { Token, Tokenizer } from "../lib/types.js" */
/**
 * @typedef {"none" | "pad" | "causal" | "both"} MaskName
 *
 * @typedef {object} Filling
 * @property {number[]} ids    [77]
 * @property {string[]} names  of each slot's token: BOS, EOS, PAD, else as a reader knows it
 * @property {number} end      the slot of EOS
 * @property {number} total    how many tokens the prompt has, BOS and EOS not counted
 * @property {Token[]} tail    those that fell off
 */

export const SLOTS = 77;

/** @type {Record<MaskName, { label: string, causal: 0 | 1, pad: 0 | 1 }>} */
export const MASKS = {
  none: { label: "none", causal: 0, pad: 0 },
  pad: { label: "PAD", causal: 0, pad: 1 },
  causal: { label: "causal (SD 1.5)", causal: 1, pad: 0 },
  both: { label: "both (M)", causal: 1, pad: 1 },
};

/**
 * The prompt in its slots.
 *
 * @param {Tokenizer} tokenizer
 * @param {string} prompt
 * @returns {Filling}
 */
export function fillSlots(tokenizer, prompt) {
  const tokens = tokenizer.tokenize(prompt);
  const { bos, eos } = tokenizer;
  const { ids } = tokenizer.lengthNormalize([bos, ...tokens.map(({ id }) => id), eos], SLOTS);
  const end = ids.indexOf(eos);
  const names = ids.map((id, slot) => {
    if (slot === 0) return "BOS";
    if (id === eos) return slot === end ? "EOS" : "PAD";
    return bareToken(tokens[slot - 1].text);
  });
  return { ids, names, end, total: tokens.length, tail: tokens.slice(SLOTS - 2) };
}

/**
 * The last slot that a row may see; it sees all slots from 0 to there.
 *
 * @param {Filling} filling
 * @param {MaskName} mask
 * @param {number} row
 */
export function lastSeen({ end }, mask, row) {
  const { causal, pad } = MASKS[mask];
  return Math.min(causal ? row : SLOTS - 1, pad ? end : SLOTS - 1);
}
