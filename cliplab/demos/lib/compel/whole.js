// @ts-check
// A whole prompt of Compel's: parts with .and or .blend, or one prompt.

import { promptError, pyFloat, pyMatch, pyRepr, pyStrip } from "../prompt_text.js";
import { compelOptions } from "./options.js";
import { COMPEL } from "./patterns.js";
import { CompelReader } from "./reader.js";
import { compelSpaced, compelUnquoted } from "./source.js";

/** @import { Lora, LoraNode, Node, Option, Read, Tree } from "./nodes.js" */

/**
 * @typedef {object} Combined  parts with an operator behind them, which stands at `at`
 * @property {Node[][]} parts
 * @property {".blend" | ".and" | ".add"} operator
 * @property {Option[]} options
 * @property {number} at
 * @property {number} end
 */

/**
 * @param {string} prompt
 * @returns {Tree}
 */
export function compelTree(prompt) {
  /** @type {Omit<Tree, "parts" | "before">} */
  const one = {
    operator: "",
    place: 0,
    weights: [1],
    normalize: true,
    after: [],
    end: prompt.length,
  };
  if (!pyStrip(prompt)) {
    return { ...one, parts: [[{ kind: "text", text: "", start: 0, end: 0 }]], before: [] };
  }
  const reader = new CompelReader(compelSpaced(prompt));
  const start = reader.skip(0);
  let found = compelParts(reader, start);
  if (found && found.operator !== ".blend") return compelCombined(reader, found, []);
  const [before, i] = compelLoras(reader, start);
  if (before.length) found = compelParts(reader, i);
  if (found?.operator === ".blend") return compelCombined(reader, found, before);
  const [children, end] = reader.readPrompt(i);
  compelRequireEnd(reader, end);
  return { ...one, parts: [children], before };
}

/**
 * @param {CompelReader} reader
 * @param {number} i
 * @returns {Combined | null}
 */
function compelParts(reader, i) {
  const { text } = reader;
  if (text[i] !== "(") return null;
  /** @type {Node[][]} */
  const parts = [];
  let end = i;
  while (!parts.length || text[end] === ",") {
    const start = reader.skip(end + 1);
    const found = reader.readTarget(start) ?? compelQuotedPrompt(reader, start);
    if (!found) return null;
    parts.push([found[0]]);
    end = reader.skip(found[1]);
  }
  const at = text[end] === ")" ? reader.skip(end + 1) : text.length;
  const match = pyMatch(COMPEL.operator, text, at);
  if (!match) return null;
  const [options, close] = compelOptions(reader, at + match[0].length);
  const operator = /** @type {Combined["operator"]} */ (match[1]);
  return text[close] === ")" ? { parts, operator, options, at, end: close + 1 } : null;
}

/**
 * A part in quotes may hold what no other quotes may: any prompt.
 *
 * @param {CompelReader} reader
 * @param {number} opener
 * @returns {Read<Node> | null}
 */
function compelQuotedPrompt(reader, opener) {
  const found = reader.text[opener] === '"' ? compelUnquoted(reader.source, opener) : null;
  if (!found) return null;
  const [source, end] = found;
  const [children, stop] = new CompelReader(source).readPrompt(0);
  return stop < source.text.length ? null : [{ kind: "group", weight: null, children }, end];
}

/**
 * @param {CompelReader} reader
 * @param {Combined} found
 * @param {Lora[]} before
 * @returns {Tree}
 */
function compelCombined(reader, found, before) {
  const { parts, options } = found;
  const operator = found.operator === ".add" ? ".and" : found.operator;
  const last = options[options.length - 1];
  const normalize = !(operator === ".blend" && last?.name === "no_normalize");
  let weights = (normalize ? options : options.slice(0, -1)).map(compelNumber);
  const place = reader.places[found.at];
  if (weights.length && weights.length !== parts.length) {
    throw promptError(
      `${found.operator}(…) has ${weights.length} weights for ${parts.length} parts, and Compel ` +
        "stops here. Give one weight to each part, or none at all.",
      place,
    );
  }
  /** @type {Lora[]} */
  let after = [];
  let { end } = found;
  if (operator === ".blend") {
    [after, end] = compelLoras(reader, end);
    compelRequireEnd(reader, end);
  }
  if (!weights.length) weights = parts.map(() => 1);
  return { operator, place, parts, weights, normalize, before, after, end: reader.places[end] };
}

/**
 * @param {CompelReader} reader
 * @param {number} start
 * @returns {Read<Lora[]>}
 */
function compelLoras(reader, start) {
  const found = [];
  let i = reader.skip(start);
  while (pyMatch(COMPEL.lora, reader.text, i)) {
    const [lora, end] = /** @type {Read<LoraNode>} */ (reader.readItem(i, false));
    found.push(lora);
    i = reader.skip(end);
  }
  return [found, i];
}

/** @param {Option} option */
function compelNumber({ name, at }) {
  const number = pyFloat(name);
  if (number !== null) return number;
  throw promptError(
    `Compel crashes here: ${pyRepr(name, 40)} is no weight. Write a number, such as 0.5; ` +
      "no_normalize stands last, and in .blend() alone.",
    at,
  );
}

/**
 * Compel stops where its grammar ends before the prompt does.
 *
 * @param {CompelReader} reader
 * @param {number} stop
 */
function compelRequireEnd(reader, stop) {
  const end = reader.skip(stop);
  if (end === reader.text.length) return;
  const char = reader.text[end];
  throw promptError(
    char === "\v" || char === "\f"
      ? `Compel stops at a ${pyRepr(char)}. Write a space or a line break.`
      : "Compel stops here: nothing may follow .blend(…) but withLora(…). Put these words into " +
          "the parts of the blend.",
    reader.places[end],
  );
}
