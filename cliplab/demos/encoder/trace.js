// @ts-check
// What the encoder makes of a prompt, or of two: the trace of all layers and heads, and the numbers
// of one row of one head, step by step.

import { tensor } from "../lib/ask.js";
import { bareToken } from "../lib/bpe.js";

/** @import { Ask, Output, Tokenizer } from "../lib/types.js" */
/** @import { SlottedPrompt, State, View } from "./types.js" */

export const SLOTS = 77;
export const LAYERS = 4;
export const HEADS = 4;
export const HEAD_WIDTH = 32;
export const SLOTS_SHOWN = 20; // at most, so that they can be read

/**
 * What an output holds at these indices of its first axes: a run of numbers.
 *
 * @param {Output} output
 * @param {...number} index
 */
export function runAt({ data, shape }, ...index) {
  const size = shape.slice(index.length).reduce((a, b) => a * b, 1);
  const first = index.reduce((sum, one, axis) => sum * shape[axis] + one, 0) * size;
  return data.subarray(first, first + size);
}

/**
 * A prompt as 77 ids, and the words that stand in their slots.
 *
 * @param {Tokenizer} tokenizer
 * @param {string} text
 * @returns {SlottedPrompt}
 */
function readSlots(tokenizer, text) {
  const tokens = tokenizer.tokenize(text);
  const all = [tokenizer.bos, ...tokens.map((token) => token.id), tokenizer.eos];
  const { ids, lost } = tokenizer.lengthNormalize(all, SLOTS);
  const kept = tokens.slice(0, SLOTS - 2);
  return {
    ids,
    words: ["BOS", ...kept.map((token) => bareToken(token.text)), "EOS"],
    continues: [false, ...kept.map(({ word }, i) => word === kept[i - 1]?.word), false],
    lost: lost.length,
  };
}

/**
 * What is to be drawn. The prompts go through the encoder only when they have changed.
 *
 * @param {Ask} ask
 * @param {Tokenizer} tokenizer
 * @param {State} wanted
 * @param {View} [before]   what is drawn now
 * @returns {Promise<View>}
 */
export async function computeView(ask, tokenizer, wanted, before) {
  const texts = wanted.other.trim() ? [wanted.prompt, wanted.other] : [wanted.prompt];
  const prompts = texts.map((text) => readSlots(tokenizer, text));
  const ids = prompts.flatMap((one) => one.ids);
  const trace = before?.ids.join() === ids.join() ? before.trace : await traceOf(ask, ids);
  const long = Math.max(...prompts.map((one) => one.words.length));
  const shown = Math.min(long, SLOTS_SHOWN);
  const row = Math.min(wanted.row, shown - 1);
  const view = { ...wanted, row, prompts, ids, trace, long, shown };
  return view.layer ? { ...view, numbers: await rowNumbers(ask, view) } : view;
}

/**
 * All layers and heads at once, under the causal mask; none of the padding is masked.
 *
 * @param {Ask} ask
 * @param {number[]} ids   of each prompt, one after the other
 */
function traceOf(ask, ids) {
  const rows = (/** @type {number[]} */ values) =>
    tensor("int32", [ids.length / SLOTS, SLOTS], values);
  const inputs = {
    ids: rows(ids),
    causal: tensor("int32", [], [1]),
    seen: rows(ids.map(() => 1)),
  };
  return ask.run("text", inputs, ["scores", "attention", "queries", "keys", "moved"]);
}

/**
 * From the row's query and the keys that are shown to its weights, with what comes between.
 *
 * @param {Ask} ask
 * @param {View} view
 */
function rowNumbers(ask, { trace, layer, head, row, shown }) {
  const place = [0, layer - 1, head];
  return ask.run("attention_row", {
    query: tensor("float32", [HEAD_WIDTH], runAt(trace.queries, ...place, row)),
    keys: tensor(
      "float32",
      [shown, HEAD_WIDTH],
      runAt(trace.keys, ...place).subarray(0, shown * HEAD_WIDTH),
    ),
    last: tensor("int32", [], [row]),
  });
}
