// @ts-check
// From Compel's tree to fragments: weights multiplied from the outermost bracket inward, equal
// neighbors joined.

import { COMPEL } from "./patterns.js";

/** @import { Fragment } from "../types.js" */
/** @import { ExchangeNode, Item, Lora, Node, Swap, TextNode } from "./nodes.js" */

/**
 * Neighbors of one weight, which become one fragment.
 *
 * @typedef {{ weight: number, texts: TextNode[] }} Run
 */

/**
 * A list that is being made: a prompt's, or a side of a swap's, which stands at a place.
 *
 * @typedef {{ items: (Run | Swap)[], into: Item[], at: number | null }} Making
 */

/**
 * The fragments, the LoRAs, and the options that no .swap() has, of a prompt's nodes.
 *
 * @param {Node[]} nodes
 */
export function compelFlatten(nodes) {
  /** @type {Item[]} */
  const fragments = [];
  /** @type {Lora[]} */
  const loras = [];
  /** @type {[string, number][]} */
  const unknown = [];
  /** @type {Making} */
  const whole = { items: [], into: fragments, at: null };
  const lists = [whole];
  const stack = [{ nodes, next: 0, scale: 1, list: whole }];
  for (let top; (top = stack[stack.length - 1]);) {
    const { scale, list } = top;
    const node = top.nodes[top.next++];
    if (!node) {
      stack.pop();
    } else if (node.kind === "text") {
      compelAddText(list.items, node, scale);
    } else if (node.kind === "group") {
      const weight = node.weight === null ? scale : scale * node.weight;
      stack.push({ nodes: node.children, next: 0, scale: weight, list });
    } else if (node.kind === "lora") {
      const { name, weight, start, end } = node;
      loras.push({ name, weight, start, end });
    } else {
      unknown.push(...node.unknown);
      for (const side of compelSides(node, list.items)) {
        lists.push(side.list);
        stack.push({ nodes: side.nodes, next: 0, scale, list: side.list });
      }
    }
  }
  for (const { items, into, at } of lists) {
    into.push(...items.map((item) => ("texts" in item ? compelJoin(item) : item)));
    if (!into.length && at !== null) into.push({ text: "", weight: 1, start: at, end: at });
  }
  return { fragments, loras, unknown };
}

/**
 * @param {(Run | Swap)[]} items
 * @param {TextNode} node
 * @param {number} weight
 */
function compelAddText(items, node, weight) {
  const last = items[items.length - 1];
  if (last && "texts" in last && last.weight === weight) last.texts.push(node);
  else items.push({ weight, texts: [node] });
}

/**
 * Adds a swap whose sides are still empty; and gives its edited and its original side.
 *
 * @param {ExchangeNode} node
 * @param {(Run | Swap)[]} items
 * @returns {{ list: Making, nodes: Node[] }[]}
 */
function compelSides(node, items) {
  /** @type {Swap} */
  const swap = { original: [], edited: [], start: node.start, end: node.end };
  items.push(swap);
  const sides = [
    { into: swap.edited, nodes: node.edited, at: node.inside },
    { into: swap.original, nodes: node.original, at: node.start },
  ];
  return sides.map(({ into, nodes, at }) => {
    /** @type {Node} */
    const nothing = { kind: "text", text: "", start: at, end: at };
    return { list: { items: [], into, at }, nodes: nodes.length ? nodes : [nothing] };
  });
}

/**
 * Compel unescapes a text each time it makes a fragment: twice, and again for each that joins.
 *
 * @param {Run} run
 * @returns {Fragment}
 */
function compelJoin({ weight, texts }) {
  const times = texts.length + 2;
  const read = texts.map(({ text }, n) =>
    text.replace(COMPEL.escapes, (_, slashes, char) =>
      char ? slashes.slice(times - Math.max(n, 1)) + char : slashes,
    ),
  );
  return { text: read.join(" "), weight, start: texts[0].start, end: texts[texts.length - 1].end };
}
