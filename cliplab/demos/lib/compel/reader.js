// @ts-check
// Reads what stands in a prompt by Compel's grammar, brackets from the last to the first: whatever
// a bracket holds has been read when its turn comes. cliplab/prompts/compel/reader.py has the
// grammar.

import { pyFloat, pyMatch, pyStrip } from "../prompt_text.js";
import { compelOptions, compelUnknownOptions } from "./options.js";
import { COMPEL } from "./patterns.js";
import { compelUnquoted } from "./source.js";
import { compelWeight } from "./weight.js";

/** @import { ExchangeNode, GroupNode, Node, Read, Source, TextNode } from "./nodes.js" */

/**
 * Brackets with nothing in them, of which nothing is left.
 *
 * @param {Node} node
 */
const compelIsNothing = (node) =>
  node.kind === "group" && node.weight === null && !node.children.length;

/** Reads one text: a prompt, or what stands in quotes. */
export class CompelReader {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.text = source.text;
    this.places = source.places;
    // For each bracket and quote that opens: what it holds, null, or the Error of whoever comes by.
    /** @type {Map<number, Read<GroupNode> | Error | null>} */
    this.groups = new Map();
    /** @type {Map<number, Read<Swapped> | Error | null>} */
    this.swaps = new Map();
    if (this.text.includes("(")) this.readBrackets();
  }

  readBrackets() {
    const swaps = new Set();
    for (const { 0: swap, index } of this.text.matchAll(COMPEL.swaps)) {
      swaps.add(index + swap.length - 1);
    }
    for (const { index } of [...this.text.matchAll(COMPEL.opener)].reverse()) {
      compelRemember(this.groups, index, () => this.readBracket(index));
      if (swaps.has(index)) compelRemember(this.swaps, index, () => this.readSwap(index));
    }
  }

  /** @param {number} i */
  skip(i) {
    const blank = /** @type {RegExpExecArray} */ (pyMatch(COMPEL.skip, this.text, i)); // even none
    return i + blank[0].length;
  }

  /**
   * @param {number} start
   * @param {number} end
   * @returns {TextNode}
   */
  textNode(start, end) {
    const { text, places } = this;
    return { kind: "text", text: text.slice(start, end), start: places[start], end: places[end] };
  }

  /**
   * Anything at all; it ends early only at a blank that is none for pyparsing.
   *
   * @param {number} start
   * @returns {Read<Node[]>}
   */
  readPrompt(start) {
    const children = [];
    let i = this.skip(start);
    for (; i < this.text.length; i = this.skip(i)) {
      let found = this.readItem(i, false);
      if (!found || found[0].kind === "text") {
        const word = pyMatch(COMPEL.freeWord, this.text, i);
        const gap = pyMatch(COMPEL.gap, this.text, i);
        if (word) {
          found = [this.textNode(i, i + word[0].length), i + word[0].length];
        } else if (gap) {
          i += gap[0].length;
          continue;
        } else {
          break;
        }
      }
      if (!compelIsNothing(found[0])) children.push(found[0]);
      i = found[1];
    }
    return [children, i];
  }

  /**
   * @param {number} start
   * @param {boolean} commas  whether , and . may stand alone
   * @returns {Read<Node[]>}
   */
  readItems(start, commas) {
    const children = [];
    let i = this.skip(start);
    for (let found; (found = this.readItem(i, commas)); i = this.skip(found[1])) {
      if (!compelIsNothing(found[0])) children.push(found[0]);
    }
    return [children, i];
  }

  /**
   * @param {number} i
   * @param {boolean} commas
   * @returns {Read<Node> | null}
   */
  readItem(i, commas) {
    const { text, places } = this;
    const lora = pyMatch(COMPEL.lora, text, i);
    if (lora) {
      const end = i + lora[0].length;
      const weight = lora[2] ? /** @type {number} */ (pyFloat(lora[2])) : 1;
      return [{ kind: "lora", name: lora[1], weight, start: places[i], end: places[end] }, end];
    }
    const target = this.readTarget(i);
    if (target) return this.readSuffix(...target, i);
    const mark = commas && (text[i] === "," || text[i] === ".");
    return mark ? [this.textNode(i, i + 1), i + 1] : null;
  }

  /**
   * @param {number} i
   * @returns {Read<GroupNode | TextNode> | null}
   */
  readTarget(i) {
    if (this.text[i] === "(" || this.text[i] === '"') {
      if (!this.groups.has(i)) compelRemember(this.groups, i, () => this.readQuote(i));
      return compelLookUp(this.groups, i);
    }
    const word = pyMatch(COMPEL.word, this.text, i);
    return word && [this.textNode(i, i + word[0].length), i + word[0].length];
  }

  /**
   * A weight or a swap after a target; the target itself if there is none.
   *
   * @param {GroupNode | TextNode} node
   * @param {number} end
   * @param {number} start
   * @returns {Read<Node>}
   */
  readSuffix(node, end, start) {
    const { text, places } = this;
    const after = this.skip(end);
    let from = end;
    let written = pyMatch(node.kind === "text" ? COMPEL.afterWord : COMPEL.afterGroup, text, end);
    if (!written) {
      if (text[after] !== ".") return [node, end];
      from = after;
      written = pyMatch(COMPEL.attend, text, after);
    }
    if (written) {
      const at = places[from + written[0].indexOf(written[1])];
      const children = node.kind === "text" ? [node] : node.children;
      const weight = compelWeight(written[1], at);
      return [{ kind: "group", weight, children }, from + written[0].length];
    }
    const swap = pyMatch(COMPEL.swap, text, after);
    const inside = after + (swap?.[0].length ?? 0);
    const found = swap && compelLookUp(this.swaps, inside - 1);
    if (!found) return [node, end];
    const [swapped, close] = found;
    const original = compelIsNothing(node) ? [] : [node];
    const spot = { start: places[start], inside: places[inside], end: places[close] };
    return [{ kind: "exchange", original, ...swapped, ...spot }, close];
  }

  /**
   * @param {number} opener
   * @returns {Read<GroupNode> | null}
   */
  readBracket(opener) {
    const [children, end] = this.readItems(opener + 1, true);
    return this.text[end] === ")" ? [{ kind: "group", weight: null, children }, end + 1] : null;
  }

  /**
   * @param {number} opener
   * @returns {Read<GroupNode> | null}
   */
  readQuote(opener) {
    const found = compelUnquoted(this.source, opener);
    if (!found) return null;
    const [inner, end] = found;
    const place = inner.places[0];
    /** @type {Node[]} */
    let children = [{ kind: "text", text: "", start: place, end: place }];
    if (pyStrip(inner.text)) {
      const [items, stop] = new CompelReader(inner).readItems(0, true);
      if (stop < inner.text.length) return null;
      children = items;
    }
    return [{ kind: "group", weight: null, children }, end];
  }

  /**
   * @param {number} opener
   * @returns {Read<Swapped> | null}
   */
  readSwap(opener) {
    const [edited, stop] = this.readItems(opener + 1, false);
    const [options, close] = this.text[stop] === "," ? compelOptions(this, stop + 1) : [[], stop];
    if (this.text[close] !== ")") return null;
    return [{ edited, unknown: compelUnknownOptions(options) }, close + 1];
  }
}

/** @typedef {Pick<ExchangeNode, "edited" | "unknown">} Swapped */

/**
 * What is read, or the error that it ends in.
 *
 * @template T
 * @param {Map<number, T | Error>} table
 * @param {number} opener
 * @param {() => T} read
 */
function compelRemember(table, opener, read) {
  try {
    table.set(opener, read());
  } catch (crash) {
    if (!(crash instanceof Error) || crash.name !== "PromptError") throw crash;
    table.set(opener, crash);
  }
}

/**
 * @template T
 * @param {Map<number, T | Error | null>} table
 * @param {number} opener
 * @returns {T | null}
 */
function compelLookUp(table, opener) {
  const found = table.get(opener) ?? null;
  if (found instanceof Error) throw found;
  return found;
}
