// What Compel makes of a prompt: the results that callers get, and the tree they are made from.
// All places are those of the prompt as it was typed, in UTF-16 units.

import type { Fragment, Warning } from "../types.js";

/** `original.swap(edited)`: neither list is empty. */
export interface Swap {
  original: Item[];
  edited: Item[];
  start: number;
  end: number;
}
export type Item = Fragment | Swap;

export interface Prompt {
  fragments: Item[];
}
export interface Blend {
  blend: Prompt[];
  weights: number[];
  normalize: boolean;
}

/** `withLora(name, weight)`. */
export interface Lora {
  name: string;
  weight: number;
  start: number;
  end: number;
}

/** A whole prompt; the operator stands at `place`. */
export interface Conjunction {
  prompts: (Prompt | Blend)[];
  weights: number[];
  loras: Lora[];
  operator: Operator;
  place: number;
  warnings: Warning[];
}
export type Operator = "" | ".and" | ".blend";

// The tree ----------------------------------------------------------------------------------------

/** Words as they were typed, escapes and all. */
export interface TextNode {
  kind: "text";
  text: string;
  start: number;
  end: number;
}
/** What stands in brackets or quotes; weight null: none was written. */
export interface GroupNode {
  kind: "group";
  weight: number | null;
  children: Node[];
}
export interface LoraNode extends Lora {
  kind: "lora";
}
/** A .swap(…): what is edited begins at `inside`; unknown options are [name, place]. */
export interface ExchangeNode {
  kind: "exchange";
  original: Node[];
  edited: Node[];
  unknown: [string, number][];
  start: number;
  inside: number;
  end: number;
}
export type Node = TextNode | GroupNode | LoraNode | ExchangeNode;

/** A node or nodes, and where they end in the text that is read. */
export type Read<T> = [T, number];

/** An option of an operator; a number alone is its own name, a name alone has the value "". */
export interface Option {
  name: string;
  value: string | number;
  at: number;
}

/** The text that is read, and where each of its units, and its end, stands in the prompt. */
export interface Source {
  text: string;
  places: number[];
}

/** A prompt with its parts; `end` is where Compel stops reading. */
export interface Tree {
  operator: Operator;
  place: number;
  parts: Node[][];
  weights: number[];
  normalize: boolean;
  before: Lora[];
  after: Lora[];
  end: number;
}
