// @ts-check
// Compel's prompt grammar, as cliplab/prompts/compel reads it: first what stands in the prompt
// (reader.js), then which of Compel's three kinds the whole is (whole.js), then the fragments
// (flatten.js).

import { compelFlatten } from "./compel/flatten.js";
import { compelTree } from "./compel/whole.js";
import { promptError, pyCut, pyLstrip, pyRepr, pyStrip } from "./prompt_text.js";

/** @import { Fragment, Warn, Warning } from "./types.js" */
/** @import { Conjunction, Item, Prompt, Swap, Tree } from "./compel/nodes.js" */

/**
 * A whole prompt. A part without words is no part.
 *
 * @param {string} prompt
 * @returns {Conjunction}
 */
export function parseCompel(prompt) {
  const tree = compelTree(prompt);
  const { operator, place } = tree;
  const flat = tree.parts.map(compelFlatten);
  const loras = [...tree.before, ...flat.flatMap((part) => part.loras), ...tree.after];
  const withWords = flat.filter((part) => part.fragments.length);
  const parts = withWords.map(({ fragments }) => ({ fragments }));
  const weights = tree.weights.filter((_, k) => flat[k].fragments.length);
  const dropped = flat.flatMap((part) => part.unknown);
  const whole =
    operator === ".blend"
      ? { prompts: [compelBlend(tree, parts, weights)], weights: [1] }
      : { prompts: parts, weights };
  return { ...whole, loras, operator, place, warnings: compelDropped(prompt, tree, dropped) };
}

/**
 * @param {Tree} tree
 * @param {Prompt[]} parts
 * @param {number[]} weights
 */
function compelBlend({ parts: written, place, normalize }, parts, weights) {
  if (parts.length < written.length || parts.some((part) => part.fragments.some(compelIsSwap))) {
    throw promptError(
      "A part of this blend is a swap, or holds no words, and Compel stops here. " +
        'Write words, or "" for the empty prompt.',
      place,
    );
  }
  return { blend: parts, weights, normalize };
}

/**
 * The warnings of what Compel drops: options that no .swap() has, and words after .and(…).
 *
 * @param {string} prompt
 * @param {Tree} tree
 * @param {[string, number][]} options
 */
function compelDropped(prompt, tree, options) {
  /** @type {Warning[]} */
  const warnings = [];
  if (options.length) {
    const names = pyCut(options.map(([name]) => pyRepr(name)).join(", "), 80);
    const message = `Compel takes ${names} for options of .swap(), not for words.`;
    warnings.push({ message, position: options[0][1] });
  }
  const rest = pyStrip(prompt.slice(tree.end));
  if (rest) {
    const message = `Compel drops what comes after .and(…): ${pyRepr(rest, 80)}`;
    warnings.push({ message, position: tree.end });
  }
  return warnings;
}

/**
 * The fragments of a prompt that is one plain prompt; of a swap, its original's.
 *
 * @param {string} prompt
 * @param {Warn} warn
 * @returns {Fragment[]}
 */
export function readCompel(prompt, warn) {
  const { prompts, weights, loras, place, operator, warnings } = parseCompel(prompt);
  for (const { message, position } of warnings) warn(message, position);
  const [first] = prompts;
  if (!first) {
    throw promptError(
      "There are no words in this prompt, and Compel crashes when it encodes it. Write some, " +
        'or "" for the empty prompt.',
      prompt.length - pyLstrip(prompt).length,
    );
  }
  if (weights.length > 1 || weights[0] !== 1 || "blend" in first) {
    throw promptError(
      `With ${operator}(…) this is more than one list of fragments. ` +
        "cliplab.prompts.compel.parse reads it.",
      place,
    );
  }
  const swap = compelFirstSwap(first.fragments);
  if (swap) {
    const message = "Of this .swap() the original is encoded; its edit happens in the U-Net.";
    warn(message, swap.start);
  }
  if (loras.length) {
    const names = pyCut(loras.map((lora) => pyRepr(lora.name)).join(", "), 80);
    warn(`Encoders leave out the LoRA ${names}: load it into the pipeline.`, loras[0].start);
  }
  const originals = first.fragments.flatMap((item) =>
    compelIsSwap(item) ? item.original : [item],
  );
  return /** @type {Fragment[]} */ (originals); // for no swap is left
}

/**
 * The first swap of a prompt, if it has any; an Error where one stands in another.
 *
 * @param {Item[]} items
 */
function compelFirstSwap(items) {
  const swaps = items.filter(compelIsSwap);
  for (const { original, edited, start } of swaps) {
    if ([...original, ...edited].some(compelIsSwap)) {
      const message = "Compel crashes when it encodes a swap in a swap. Write one of them.";
      throw promptError(message, start);
    }
  }
  return swaps[0];
}

/**
 * @param {Item} item
 * @returns {item is Swap}
 */
const compelIsSwap = (item) => "original" in item;
