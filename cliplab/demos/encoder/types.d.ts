// What passes between the modules of this demo: types alone, which no browser loads.

import type { Output, Place } from "../lib/types.js";

/** The demo's state, as `__init__.py` declares it. */
export interface State {
  prompt: string;
  /** the prompt that it is compared with, or nothing */
  other: string;
  /** how many layers are done; 0 is after the embeddings */
  layer: number;
  head: number;
  /** the slot of the token that looks */
  row: number;
}

/** A prompt in its 77 slots. */
export interface SlottedPrompt {
  ids: number[];
  /** what stands in the slots, from BOS to EOS; padding follows */
  words: string[];
  /** whether a slot goes on with the word of the slot before it */
  continues: boolean[];
  /** how many tokens have found no slot */
  lost: number;
}

/** What is drawn: the state, the prompts as they were read, what the encoder makes of them. */
export interface View extends State {
  /** one, or two to compare */
  prompts: SlottedPrompt[];
  /** of all prompts, one after the other */
  ids: number[];
  /** all layers and heads: scores, attention, queries, keys, moved */
  trace: Record<string, Output>;
  /** slots up to the last EOS */
  long: number;
  /** slots that are drawn */
  shown: number;
  /** of the row that looks; none before the first layer */
  numbers?: RowNumbers;
}

/** What the graph attention_row gives. */
export type RowNumbers = Record<string, Output>;

/**
 * What pointer or focus is on: a place of the tower, [storeys from above, slot], or of the field of
 * attention weights, [row, key]. No place means the one that is chosen.
 */
export interface Under {
  part: "tower" | "field";
  place?: Place;
}

/** What the reader looks at. */
export interface Look {
  view: View;
  under: Under | null;
  /** which key the formula is about; null: that of the largest weight */
  chosenKey: number | null;
}

/** What the reader can do, for the parts of the demo to call. */
export interface Acts {
  set(patch: Partial<State>): void;
  layerNow(): number;
  /** the chosen row; what is drawn may lag behind */
  rowNow(): number;
  chooseKey(slot: number): void;
  /** pointer or focus has come or gone */
  tell(under: Under | null): void;
}
