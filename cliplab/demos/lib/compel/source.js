// @ts-check
// The text that Compel's grammar reads, with the place of each of its units in the prompt.

import { pyMatch } from "../prompt_text.js";
import { COMPEL } from "./patterns.js";

/** @import { Read, Source } from "./nodes.js" */

/**
 * The prompt with a space after each comma that had none.
 *
 * @param {string} prompt
 * @returns {Source}
 */
export function compelSpaced(prompt) {
  /** @type {number[]} */
  const places = [];
  let text = "";
  let done = 0;
  const copy = (/** @type {number} */ end) => {
    text += prompt.slice(done, end);
    while (done < end) places.push(done++);
  };
  for (const { index } of prompt.matchAll(COMPEL.comma)) {
    copy(index + 1);
    text += " ";
    places.push(index + 1);
  }
  copy(prompt.length);
  return { text, places: [...places, prompt.length] };
}

/**
 * [what stands in the quotes that open at `start`, where they end], or null if they do not.
 *
 * @param {Source} source
 * @param {number} start
 * @returns {Read<Source> | null}
 */
export function compelUnquoted({ text, places }, start) {
  const body = pyMatch(COMPEL.quote, text, start);
  if (!body) return null;
  let close = start + body[0].length;
  if (text[close] !== '"') {
    // The last quote with a backslash closes them, if there is no other on this line.
    close = text.slice(start + 1, close).lastIndexOf('\\"') + start + 2;
    if (close === start + 1) return null;
  }
  const first = start + 1;
  const inside = text.slice(first, close);
  return [compelUnescaped(inside, places.slice(first, close + 1)), close + 1];
}

/**
 * What stands in quotes, with the characters that its backslashes name.
 *
 * @param {string} inside
 * @param {number[]} places  of its units and of its end
 * @returns {Source}
 */
function compelUnescaped(inside, places) {
  /** @type {number[]} */
  const at = [];
  const read = ["", ""];
  let done = 0;
  const copy = (/** @type {number} */ end) => {
    read.push(inside.slice(done, end));
    at.push(...places.slice(done, end));
    done = end;
  };
  for (const { 0: match, index } of inside.matchAll(COMPEL.character)) {
    copy(index);
    let made = compelCharacter(match.slice(1));
    if (made === '"' && !(read[read.length - 1] || read.slice(-2).join("")).endsWith("\\")) {
      made = '\\"';
    }
    read.push(made);
    for (let unit = 0; unit < made.length; unit++) at.push(places[index]);
    done = index + match.length;
  }
  copy(inside.length);
  at.push(places[inside.length]);
  return { text: read.join(""), places: at };
}

/**
 * The character that stands for a backslash and this name; the name, if it is two digits.
 *
 * @param {string} name
 */
function compelCharacter(name) {
  /** @type {Record<string, string>} */
  const blanks = { t: "\t", n: "\n", f: "\f", r: "\r", 0: "\0" };
  const code = /^[xu]/.test(name) && parseInt(name.slice(1), 16);
  return blanks[name] ?? (code === false ? name : String.fromCharCode(code));
}
