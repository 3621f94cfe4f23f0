// @ts-check
// What a tool makes of a prompt: fragments, tokens, weights. No encoder, no drawing.

import { bareToken } from "../lib/bpe.js";
import { weightedTokens } from "../lib/chunks.js";
import { parsePrompt } from "../lib/prompts.js";

/** @import { Fragment, Syntax, Tokenizer, Warning } from "../lib/types.js" */
/**
 * @typedef {object} Tool
 * @property {Syntax} syntax  the grammar
 * @property {string} name
 * @property {number} method  of the graph "weigh": 0 scale, 1 restore_mean, 2 from_empty, 3 compel
 * @property {string} does    the method in words
 *
 * @typedef {Error & { position?: number }} PromptError
 * @typedef {{ tool: Tool, prompt: string, error: PromptError }} Refusal
 *
 * @typedef {object} Reading  the first chunk of 77 rows
 * @property {Tool} tool
 * @property {string} prompt
 * @property {undefined} [error]
 * @property {Fragment[]} fragments
 * @property {Warning[]} warnings
 * @property {number} chunks  how many there are
 * @property {number[]} ids
 * @property {number[]} weights
 * @property {string[]} names  of its tokens: BOS, EOS, else as CLIP writes them; "padding"
 * @property {(number | null)[]} owner  the fragment that a row's token comes from
 * @property {(number | null)[]} later  the same of the chunks that are not shown
 * @property {number} end     the row of EOS
 */

export const ROWS = 77;

/** @type {Tool[]} */
const TOOLS = [
  {
    syntax: "a1111",
    name: "Automatic1111",
    method: 1,
    does: "scales rows, then restores the mean",
  },
  { syntax: "comfyui", name: "ComfyUI", method: 2, does: "moves rows away from the empty prompt" },
  {
    syntax: "compel",
    name: "Compel",
    method: 3,
    does: "up as ComfyUI; down by encoding again without the words",
  },
];
const NO_NORM = { method: 0, does: "scales rows (“No norm”)" };

/**
 * The tools in the order in which they are shown.
 *
 * @param {boolean} noNorm  Automatic1111 does not restore the mean
 */
export const toolsWith = (noNorm) =>
  TOOLS.map((tool) => (tool.syntax === "a1111" && noNorm ? { ...tool, ...NO_NORM } : tool));

/**
 * What a tool makes of the prompt; what it says where it cannot read it.
 *
 * @param {Tokenizer} tokenizer
 * @param {Tool} tool
 * @param {string} prompt
 * @returns {Reading | Refusal}
 */
export function readPrompt(tokenizer, tool, prompt) {
  let parsed;
  try {
    parsed = parsePrompt(prompt, tool.syntax);
  } catch (error) {
    return { tool, prompt, error: /** @type {PromptError} */ (error) };
  }
  const [first, ...more] = weightedTokens(tokenizer, parsed.fragments, tool.syntax);
  const { ids, weights, fragments: owner } = first;
  const end = ids.indexOf(tokenizer.eos, 1);
  const names = ids.map((id, row) => {
    if (row === 0) return "BOS";
    if (row >= end) return row === end ? "EOS" : "padding";
    return bareToken(tokenizer.symbols[id]);
  });
  const later = more.flatMap((chunk) => chunk.fragments);
  return {
    tool,
    prompt,
    ...parsed,
    chunks: 1 + more.length,
    ids,
    weights,
    names,
    owner,
    later,
    end,
  };
}

/**
 * The rows between BOS and EOS, cut where one fragment ends and the next begins.
 *
 * @param {Reading} reading
 */
export function rowsByFragment({ owner, end }) {
  /** @type {{ fragment: number, rows: number[] }[]} */
  const groups = [];
  for (let row = 1; row < end; row++) {
    const fragment = /** @type {number} */ (owner[row]);
    if (groups.at(-1)?.fragment !== fragment) groups.push({ fragment, rows: [] });
    groups[groups.length - 1].rows.push(row);
  }
  return groups;
}

/**
 * How many brackets a tool opened before a fragment and did not close: a weight needs one.
 *
 * @param {Reading} reading
 * @param {number} fragment
 */
export function bracketsAround({ prompt, tool, fragments }, fragment) {
  const { weight, start } = fragments[fragment];
  if (weight === 1 || tool.syntax === "compel") return 0;
  const opens = tool.syntax === "a1111" ? "([" : "(";
  const closes = tool.syntax === "a1111" ? ")]" : ")";
  let levels = 0;
  for (let i = 0; i < start; i++) {
    if (prompt[i] === "\\") i++;
    else if (opens.includes(prompt[i])) levels++;
    else if (closes.includes(prompt[i])) levels--;
  }
  return levels;
}
