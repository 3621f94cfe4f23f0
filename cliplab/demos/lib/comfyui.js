// @ts-check
// ComfyUI's prompt grammar, as cliplab/prompts/comfyui/grammar.py reads it.

import { pyCut, pyFloat, pyRepr, pyStrip } from "./prompt_text.js";

/** @import { Fragment, Warn } from "./types.js" */

/**
 * The fragments of a prompt; none for "" and "()". `warn` hears of nan and inf.
 *
 * @param {string} prompt
 * @param {Warn} warn
 */
export function readComfyui(prompt, warn) {
  const { marks, pair } = comfyuiMarks(prompt);
  /** @type {Fragment[]} */
  const found = [];
  /** @type {(start: number, end: number, weight: number) => void} */
  const text = (start, end, weight) => {
    const typed = prompt.slice(start, end);
    if (typed) found.push({ text: comfyuiText(typed), weight, start, end });
  };
  // Stretches still to read, the next one last: marks[i … j − 1] are its colons and brackets.
  const todo = [[0, marks.length, 0, prompt.length, 1]];
  for (let next; (next = todo.pop());) {
    let [i] = next;
    const [, j, start, end, weight] = next;
    while (i < j && prompt[marks[i]] === ":") i++;
    if (i === j) {
      text(start, end, weight);
      continue;
    }
    const left = marks[i]; // what a stretch closes it has opened, so its first bracket is a (
    text(start, left, weight);
    let close = pair.get(i);
    if (close === undefined) {
      // Never closed: it reaches to the stretch's end …
      if (marks[j - 1] !== end - 1 || prompt[end - 1] !== ")") {
        text(left, end, weight);
        continue;
      }
      close = j - 1; // … and takes the last ) there from the bracket that it belonged to
      pair.delete(pair.get(close));
    }
    const right = marks[close];
    todo.push([close + 1, j, right + 1, end, weight]);
    // A number has no brackets in it: only a colon that is the last mark can stand before one.
    const colon = marks[close - 1];
    const number = prompt[colon] === ":" ? comfyuiNumber(prompt, left, colon, right, warn) : null;
    if (number === null) todo.push([i + 1, close, left + 1, right, weight * 1.1]);
    else todo.push([i + 1, close - 1, left + 1, colon, number]);
  }
  return found;
}

/**
 * What the tokenizer gets: \( and \) without backslash, ( for NUL \2, ) for NUL \1.
 *
 * @param {string} text
 */
function comfyuiText(text) {
  return text.replace(/\\([()])|\0([\x01\x02])/g, (_, escaped, mark) =>
    escaped ? escaped : mark === "\x01" ? ")" : "(",
  );
}

/**
 * Places of brackets and colons, and which two brackets, by their number there, are a pair.
 *
 * @param {string} prompt
 */
function comfyuiMarks(prompt) {
  /** @type {number[]} */
  const marks = [];
  /** @type {Map<number | undefined, number>} */
  const pair = new Map();
  /** @type {number[]} */
  const open = [];
  let below = 0; // a stray ) puts the tool's counter below zero, and a ( only counts up again
  for (const { 0: mark, index } of prompt.matchAll(/\\[()]|[():]/g)) {
    if (mark === "(" && below) below--;
    else if (mark === ")" && !open.length) below++;
    else if (mark.length === 1) {
      if (mark === "(") open.push(marks.length);
      else if (mark === ")") {
        const left = /** @type {number} */ (open.pop());
        pair.set(left, marks.length).set(marks.length, left);
      }
      marks.push(index);
    }
  }
  return { marks, pair };
}

/**
 * The weight between a bracket's last colon and its end, or null where ComfyUI finds none.
 *
 * @param {string} prompt
 * @param {number} left
 * @param {number} colon
 * @param {number} right
 * @param {Warn} warn
 */
function comfyuiNumber(prompt, left, colon, right, warn) {
  const typed = prompt.slice(colon + 1, right);
  const number = colon > left + 1 ? pyFloat(typed) : null;
  if (number !== null && !Number.isFinite(number)) {
    const name = Number.isNaN(number) ? "nan" : number < 0 ? "-inf" : "inf";
    const word = pyRepr(pyCut(pyStrip(typed), 20));
    warn(`ComfyUI takes ${word} for the weight ${name}, not for a word.`, colon + 1);
  }
  return number;
}
