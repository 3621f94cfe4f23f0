// What passes between the modules of this demo: types alone, which no browser loads.

import type { Regions } from "../lib/pictures.js";

/** The demo's state, as `__init__.py` declares it. */
export interface State {
  prompt: string;
  seed: number;
  /** the first word is 1; 0 is BOS, EOS and padding follow the last word */
  word: number;
  /** a second word that stays in view; −1: none */
  held: number;
  /** of 0 … 19; 20: all of them */
  step: number;
  /** of 8 × 8, row by row */
  spot: number;
  /** shares among the words only */
  among: boolean;
}

/** What one painting gives: a prompt and a seed, and all that is looked at of them. */
export interface Painted extends Regions {
  prompt: string;
  seed: number;
  /** how many tokens have found no row */
  lost: number;
}

/** What is drawn. Its word is one of the groups; its held word too, or −1. */
export type View = State & Painted;

/** Where a group was read, as it is now looked at: its share at each place. */
export interface GroupMap {
  values: number[];
  low: number;
  high: number;
  /** the same everywhere */
  isFlat: boolean;
  /** no word, where only words are looked at */
  isLeftOut: boolean;
}

/** What the reader looks at. */
export interface Look {
  /** none before the first picture is painted */
  view?: View;
  /** the word under the pointer, or −1 */
  peek: number;
  /** the place under the pointer */
  spotted: number | null;
  /** what the sentence is about */
  topic: "word" | "place";
}

/** What the reader can do, for the parts of the demo to call. */
export interface Acts {
  set(patch: Partial<State>): void;
  state(): State;
  /** the pointer has come to a word's button; −1: it has left */
  peekAt(group: number): void;
  /** pointer or focus is on the picture, over a place if one is given; or has left it */
  spotAt(isOn: boolean, place: number | null): void;
}
