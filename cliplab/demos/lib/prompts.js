// @ts-check
// Prompt strings → weighted fragments, as cliplab's parse_prompt has them. Golden vectors hold the
// two together. Places are UTF-16 offsets.

import { readA1111 } from "./a1111.js";
import { readComfyui } from "./comfyui.js";
import { readCompel } from "./compel.js";

/** @import { Fragment, Syntax, Warn, Warning } from "./types.js" */

/** @type {Record<Syntax, (prompt: string, warn: Warn) => Fragment[]>} */
const PROMPT_GRAMMARS = {
  a1111: readA1111,
  comfyui: readComfyui,
  compel: readCompel,
  plain: (prompt) => [{ text: prompt, weight: 1, start: 0, end: prompt.length }],
};

/**
 * The fragments of a prompt. Throws an Error named "PromptError" with a `position` where cliplab
 * raises PromptError, in the same words.
 *
 * @param {string} prompt
 * @param {Syntax} syntax
 */
export function parsePrompt(prompt, syntax) {
  /** @type {Warning[]} */
  const warnings = [];
  /** @type {Warn} */
  const warn = (message, position) => warnings.push({ message, position });
  return { fragments: PROMPT_GRAMMARS[syntax](prompt, warn), warnings };
}
