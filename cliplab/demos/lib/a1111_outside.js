// @ts-check
// What Automatic1111 takes out of a prompt before its grammar reads it: extra networks, AND,
// schedules.

import { PY_DIGIT, PY_SPACE, PY_WORD, pyWholeWord } from "./prompt_text.js";
import { promptError, pyCut, pyRstrip, pyStrip } from "./prompt_text.js";

const A1111_AND = pyWholeWord("AND");
const A1111_TAG = new RegExp(`<([${PY_WORD}]+):[^>]+>`, "gu");
const A1111_PART_WEIGHT = new RegExp(
  `^[\\-+]?(?:${PY_DIGIT}+\\.?|${PY_DIGIT}*\\.${PY_DIGIT}+)$`,
  "u",
);
const A1111_CHOICE_TOKEN = /[\]\[():|]|(?:[^\]\[():|\\]|\\[^\n])+|\\/gu;
const A1111_STEP = new RegExp(
  `^[${PY_SPACE}]*[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?[${PY_SPACE}]*$`,
);

/**
 * What the web UI would take out of a prompt before its encoder sees it, as the warning that
 * cliplab.encode_prompt gives; null where there is nothing. `steps` is the length of a schedule.
 *
 * @param {string} prompt
 */
export function a1111Outside(prompt, steps = 20) {
  const found = Array.from(prompt.matchAll(A1111_TAG), (match) => `<${match[1]}:…>`);
  const colon = prompt.lastIndexOf(":");
  if (prompt.search(A1111_AND) >= 0) found.push("AND");
  else if (colon >= 0 && A1111_PART_WEIGHT.test(pyStrip(prompt.slice(colon + 1)))) {
    const from = pyRstrip(prompt.slice(0, colon)).length;
    found.push(`${pyStrip(prompt.slice(from))}, the weight of the whole prompt,`);
  }
  if (a1111Changes(prompt, steps)) found.push("a schedule in square brackets");
  if (!found.length) return null;
  return (
    `A1111 would take ${pyCut([...new Set(found)].join(", "), 200)} out of this prompt before ` +
    "encoding it; here it is encoded as words. cliplab.prompts.a1111 has extra_networks, " +
    "split_and and schedule."
  );
}

/**
 * Whether [from:to:when] or [a|b] stands in a prompt, by the rules of cliplab's schedule.py.
 *
 * @param {string} prompt
 * @param {number} steps
 */
function a1111Changes(prompt, steps) {
  /** @type {string[]} */
  const tokens = prompt.match(A1111_CHOICE_TOKEN) ?? [];
  const found = a1111Choices(tokens);
  const bars = found.flat().filter((mark) => tokens[mark] === "|").length;
  const allBars = tokens.filter((token) => token === "|").length;
  if (tokens.includes("\\") || bars < allBars) return false;
  for (const marks of found) a1111CheckStep(tokens, marks, steps);
  return found.length > 0;
}

/**
 * The choices among tokens, each as the places of its brackets, colons and bars.
 *
 * @param {string[]} tokens
 */
function a1111Choices(tokens) {
  /** @type {number[][]} */
  const found = [];
  /** @type {number[][]} */
  let opened = [];
  tokens.forEach((token, i) => {
    const last = opened[opened.length - 1];
    if (token === "(" || token === "[") opened.push([i]);
    else if ((token === ":" || token === "|") && last) last.push(i);
    else if (token === ")" || token === "]") {
      const paired = last && tokens[last[0]] === (token === ")" ? "(" : "[");
      if (paired) opened.pop();
      const marks = paired ? [...last, i] : [];
      const inside = marks.slice(1, -1).map((mark) => tokens[mark]);
      const between = inside.join("");
      if (paired && token === "]" && a1111IsChoice(tokens, marks, between)) found.push(marks);
      else if (!paired || !["", token === ")" ? ":" : ""].includes(between)) opened = [];
    }
  });
  return found;
}

/**
 * @param {string[]} tokens
 * @param {number[]} marks
 * @param {string} between  the colons and bars
 */
function a1111IsChoice(tokens, marks, between) {
  if (between !== ":" && between !== "::") return /^\|+$/.test(between);
  const [colon, close] = marks.slice(-2);
  return close === colon + 2 && A1111_STEP.test(tokens[colon + 1]);
}

/**
 * Python's int() stops at a number that is infinite, and so does the web UI.
 *
 * @param {string[]} tokens
 * @param {number[]} marks
 * @param {number} steps
 */
function a1111CheckStep(tokens, marks, steps) {
  const [mark, close] = marks.slice(-2);
  const text = pyStrip(tokens[close - 1]);
  if (tokens[mark] === "|") return;
  if (Number.isFinite(Number(text) * (text.includes(".") ? steps : 1))) return;
  throw promptError(
    `${pyCut(text, 40)} is too great a number, and the web UI stops at it: write a step from 1 ` +
      `to ${steps}, or a fraction such as 0.5.`,
    tokens.slice(0, close - 1).join("").length,
  );
}
