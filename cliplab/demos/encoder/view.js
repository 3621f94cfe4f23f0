// @ts-check
// Questions to what is drawn: which word stands where, how far a row has moved, what it looks at.

import { clamp } from "../lib/explore.js";
import { runAt } from "./trace.js";

/** @import { Look, View } from "./types.js" */

const STILL = 1e-4; // what rounding may move

/**
 * @param {View} view
 * @returns {number[]}
 */
export const slotsOf = (view) => Array.from({ length: view.shown }, (_, slot) => slot);

/**
 * @param {View} view
 * @param {number} slot
 * @param {number} [which]   of the prompts
 */
export const wordAt = (view, slot, which = 0) => view.prompts[which].words[slot] ?? "pad";

/**
 * @param {View} view
 * @param {number} slot
 */
export function slotName(view, slot) {
  const word = wordAt(view, slot);
  return ["BOS", "EOS", "pad"].includes(word) ? word : `“${word}” (slot ${slot})`;
}

/** @param {View} view */
export const isCompared = (view) => view.prompts.length > 1;

/**
 * Whether the prompts have different tokens in a slot.
 *
 * @param {View} view
 * @param {number} slot
 */
export const isChanged = (view, slot) =>
  isCompared(view) && view.prompts[0].ids[slot] !== view.prompts[1].ids[slot];

/**
 * The distance between a row's states for the two prompts, as a share of the row's length.
 *
 * @param {View} view
 * @param {number} layer
 * @param {number} slot
 */
export const movedBy = (view, layer, slot) =>
  isCompared(view) ? runAt(view.trace.moved, 1, layer, slot)[0] : 0;

/**
 * @param {View} view
 * @param {number} layer
 */
export const movedRows = (view, layer) =>
  slotsOf(view).filter((slot) => movedBy(view, layer, slot) > STILL).length;

/**
 * How much of a row's attention a key gets.
 *
 * @param {View} view
 * @param {number} row
 * @param {number} key
 * @param {number} [head]
 */
export const weightOf = (view, row, key, head = view.head) =>
  runAt(view.trace.attention, 0, view.layer - 1, head, row, key)[0];

/**
 * A score before the mask, so that the formula has one for every key.
 *
 * @param {View} view
 * @param {number} row
 * @param {number} key
 */
export const scoreOf = (view, row, key) =>
  runAt(view.trace.scores, 0, view.layer - 1, view.head, row, key)[0];

/**
 * The key with the largest weight.
 *
 * @param {View} view
 * @param {number} row
 */
export const strongestKey = (view, row) =>
  slotsOf(view).reduce(
    (best, key) => (weightOf(view, row, key) > weightOf(view, row, best) ? key : best),
    0,
  );

/**
 * The key that the formula is about: one under the pointer comes first.
 *
 * @param {Look} look
 */
export function formulaKey({ view, under, chosenKey }) {
  const [row, pointed] = (under?.part === "field" && under.place) || [];
  if (row === view.row && pointed !== undefined) return pointed;
  return chosenKey === null ? strongestKey(view, view.row) : clamp(chosenKey, view.shown - 1);
}

/**
 * A share in percent, without what rounding moves.
 *
 * @param {number} share
 */
export const percentOf = (share) =>
  share <= STILL ? "0" : share < 0.005 ? "<1" : String(Math.round(100 * share));

/**
 * Two decimals, with a minus sign and −∞ as they are printed.
 *
 * @param {number} x
 */
export const twoDecimals = (x) =>
  x === -Infinity ? "−∞" : x.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
