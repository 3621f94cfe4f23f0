// @ts-check
// Automatic1111's prompt grammar, as cliplab/prompts/a1111 reads it.

import { PY_DIGIT, PY_SPACE, pyWholeWord } from "./prompt_text.js";
import { promptError, pyFloat, pyLstrip, pyRepr, pyRstrip } from "./prompt_text.js";

/** @import { Fragment } from "./types.js" */

const A1111_ROUND = 1.1;
const A1111_SQUARE = 1 / 1.1;
// A backslash and what it protects; a weight with the end of its bracket; a sign; text.
const A1111_TOKEN = new RegExp(
  String.raw`\\(?<escaped>[\]\[()\\]?)` +
    `|:[${PY_SPACE}]*(?<weight>[+\\-]?[.${PY_DIGIT}]+)[${PY_SPACE}]*\\)` +
    String.raw`|[\]\[():]|[^\]\[():\\]+`,
  "gu",
);
const A1111_BREAK = pyWholeWord("BREAK");

/**
 * The fragments of a prompt; BREAK outside brackets is {text: "BREAK", weight: -1}.
 *
 * @param {string} prompt
 */
export function readA1111(prompt) {
  /** @type {Fragment[]} */
  const pieces = [];
  /** @type {[number, number, number][]} */
  const spans = []; // each bracket's reach and factor, in order of closing
  /** @type {Record<"(" | "[", number[]>} */
  const opened = { "(": [], "[": [] }; // how many pieces stood before each open bracket
  /** @type {(kind: "(" | "[", factor: number) => void} */
  const close = (kind, factor) =>
    spans.push([/** @type {number} */ (opened[kind].pop()), pieces.length, factor]);
  for (const match of prompt.matchAll(A1111_TOKEN)) {
    const token = match[0];
    const { escaped, weight } = match.groups ?? {};
    const end = match.index + token.length;
    if (token[0] === "\\") {
      pieces.push({ text: escaped, weight: 1, start: end - escaped.length, end });
    } else if (token === "(" || token === "[") {
      opened[token].push(pieces.length);
    } else if (weight && opened["("].length) {
      close("(", a1111Number(weight, match.index + token.indexOf(weight)));
    } else if (token === ")" && opened["("].length) {
      close("(", A1111_ROUND);
    } else if (token === "]" && opened["["].length) {
      close("[", A1111_SQUARE);
    } else {
      pieces.push(...a1111Plain(token, match.index));
    }
  }
  for (const start of opened["("]) spans.push([start, pieces.length, A1111_ROUND]);
  for (const start of opened["["]) spans.push([start, pieces.length, A1111_SQUARE]);
  if (!pieces.length) pieces.push({ text: "", weight: 1, start: 0, end: 0 });
  // In order: rounding makes another order another weight.
  for (const [start, stop, factor] of spans) {
    for (let i = start; i < stop; i++) pieces[i].weight *= factor;
  }
  /** @type {Fragment[][]} */
  const runs = [];
  for (const piece of pieces) {
    const last = runs[runs.length - 1];
    if (last && last[0].weight === piece.weight) last.push(piece);
    else runs.push([piece]);
  }
  return runs.map(a1111Join);
}

/**
 * @param {string} typed
 * @param {number} position
 */
function a1111Number(typed, position) {
  const number = pyFloat(typed);
  if (number !== null) return number;
  throw promptError(
    `${pyRepr(typed, 40)} is no number, and the web UI stops at it: write one with at most one ` +
      "dot, such as (word:1.2).",
    position,
  );
}

/**
 * Text without brackets; a BREAK parts it and takes the white space around it.
 *
 * @param {string} text
 * @param {number} offset
 * @returns {Fragment[]}
 */
function a1111Plain(text, offset) {
  /** @type {Fragment[]} */
  const pieces = [];
  let start = 0;
  for (const { 0: word, index } of text.matchAll(A1111_BREAK)) {
    const before = pyRstrip(text.slice(start, index));
    const [from, at] = [offset + start, offset + index];
    pieces.push(
      { text: before, weight: 1, start: from, end: from + before.length },
      { text: word, weight: -1, start: at, end: at + word.length },
    );
    start = text.length - pyLstrip(text.slice(index + word.length)).length;
  }
  const rest = text.slice(start);
  return [...pieces, { text: rest, weight: 1, start: offset + start, end: offset + text.length }];
}

/**
 * One fragment of neighbors with one weight; its place holds the pieces that have text.
 *
 * @param {Fragment[]} run
 */
function a1111Join(run) {
  const seen = run.filter((piece) => piece.text);
  const [first, last] = seen.length ? [seen[0], seen[seen.length - 1]] : [run[0], run[0]];
  const text = run.map((piece) => piece.text).join("");
  return { text, weight: run[0].weight, start: first.start, end: last.end };
}
