// Automatic1111's prompt grammar, as cliplab/prompts/a1111 reads it.

import { PY_DIGIT, PY_SPACE, PY_WORD } from "./prompt_text.js";
import { promptError, pyCut, pyFloat, pyLstrip, pyRepr, pyRstrip, pyStrip } from "./prompt_text.js";

const A1111_ROUND = 1.1;
const A1111_SQUARE = 1 / 1.1;
// A backslash and what it protects; a weight with the end of its bracket; a sign; text.
const A1111_TOKEN = new RegExp(
  String.raw`\\(?<escaped>[\]\[()\\]?)` +
    `|:[${PY_SPACE}]*(?<weight>[+\\-]?[.${PY_DIGIT}]+)[${PY_SPACE}]*\\)` +
    String.raw`|[\]\[():]|[^\]\[():\\]+`,
  "gu",
);
const a1111Word = (word) => new RegExp(`(?<![${PY_WORD}])${word}(?![${PY_WORD}])`, "gu");
const A1111_BREAK = a1111Word("BREAK");
const A1111_AND = a1111Word("AND");
const A1111_TAG = new RegExp(`<([${PY_WORD}]+):[^>]+>`, "gu");
const A1111_PART_WEIGHT = new RegExp(
  `^[\\-+]?(?:${PY_DIGIT}+\\.?|${PY_DIGIT}*\\.${PY_DIGIT}+)$`,
  "u",
);
const A1111_CHOICE_TOKEN = /[\]\[():|]|(?:[^\]\[():|\\]|\\[^\n])+|\\/gu;
const A1111_STEP = new RegExp(
  `^[${PY_SPACE}]*[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?[${PY_SPACE}]*$`,
);

/** The fragments of a prompt; BREAK outside brackets is {text: "BREAK", weight: -1}. */
export function readA1111(prompt) {
  const pieces = [];
  const spans = []; // each bracket's reach and factor, in order of closing
  const opened = { "(": [], "[": [] }; // how many pieces stood before each open bracket
  const close = (kind, factor) => spans.push([opened[kind].pop(), pieces.length, factor]);
  for (const match of prompt.matchAll(A1111_TOKEN)) {
    const token = match[0];
    const { escaped, weight } = match.groups;
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
  const runs = [];
  for (const piece of pieces) {
    const last = runs[runs.length - 1];
    if (last && last[0].weight === piece.weight) last.push(piece);
    else runs.push([piece]);
  }
  return runs.map(a1111Join);
}

function a1111Number(typed, position) {
  const number = pyFloat(typed);
  if (number !== null) return number;
  throw promptError(
    `${pyRepr(typed, 40)} is no number, and the web UI stops at it: write one with at most one ` +
      "dot, such as (word:1.2).",
    position,
  );
}

/** Text without brackets; a BREAK parts it and takes the white space around it. */
function a1111Plain(text, offset) {
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

/** One fragment of neighbors with one weight; its place holds the pieces that have text. */
function a1111Join(run) {
  const seen = run.filter((piece) => piece.text);
  const [first, last] = seen.length ? [seen[0], seen[seen.length - 1]] : [run[0], run[0]];
  const text = run.map((piece) => piece.text).join("");
  return { text, weight: run[0].weight, start: first.start, end: last.end };
}

/**
 * What the web UI would take out of a prompt before its encoder sees it, as the warning that
 * cliplab.encode_prompt gives; null where there is nothing. `steps` is the length of a schedule.
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

/** Whether [from:to:when] or [a|b] stands in a prompt, by the rules of cliplab's schedule.py. */
function a1111Changes(prompt, steps) {
  const tokens = prompt.match(A1111_CHOICE_TOKEN) ?? [];
  const found = [];
  let opened = [];
  tokens.forEach((token, i) => {
    const last = opened[opened.length - 1];
    if (token === "(" || token === "[") opened.push([i]);
    else if ((token === ":" || token === "|") && last) last.push(i);
    else if (token === ")" || token === "]") {
      const paired = last && tokens[last[0]] === (token === ")" ? "(" : "[");
      const marks = paired ? [...opened.pop(), i] : [];
      const between = marks
        .slice(1, -1)
        .map((mark) => tokens[mark])
        .join("");
      if (paired && token === "]" && a1111IsChoice(tokens, marks, between)) found.push(marks);
      else if (!paired || !["", token === ")" ? ":" : ""].includes(between)) opened = [];
    }
  });
  const bars = found.flat().filter((mark) => tokens[mark] === "|").length;
  const allBars = tokens.filter((token) => token === "|").length;
  if (tokens.includes("\\") || bars < allBars) return false;
  for (const marks of found) a1111CheckStep(tokens, marks, steps);
  return found.length > 0;
}

function a1111IsChoice(tokens, marks, between) {
  if (between !== ":" && between !== "::") return /^\|+$/.test(between);
  const [colon, close] = marks.slice(-2);
  return close === colon + 2 && A1111_STEP.test(tokens[colon + 1]);
}

/** Python's int() stops at a number that is infinite, and so does the web UI. */
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
