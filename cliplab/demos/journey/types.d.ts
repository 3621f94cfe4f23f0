// What passes between the modules of this demo: types alone, which no browser loads.

import type { Contexts, Reading, ReadPrompt, Regions, Word } from "../lib/pictures.js";
import type { Table, Tokenizer } from "../lib/types.js";

export type StationName =
  "tokens" | "slots" | "rows" | "attention" | "weights" | "steps" | "picture";

/** The demo's state, as `__init__.py` declares it. */
export interface State {
  /** in Automatic1111's syntax */
  prompt: string;
  station: StationName;
  /** the one that is followed */
  word: number;
  seed: number;
}

/** A prompt that can be read, and the word that is followed on its way. */
export interface Trip {
  state: State;
  reading: Reading;
  read: ReadPrompt;
  tokenizer: Tokenizer;
  /** the prompt without its weights */
  plain: string;
  /** the number of the word; none in an empty prompt: −1 */
  index: number;
  word?: Word;
  /** what stands in the 77 slots, and in the rows that are made of them */
  names: string[];
  /** the rows of the word; none where it has found no slot */
  own: number[];
  /** so many rows are shown: all up to the first of the padding, or as many as can be read */
  shown: number;
}

/** Which row looks at which: the mean of all layers and heads. */
export interface Looks {
  /** [77 · 77]: who looks, what is looked at */
  mean: Float32Array;
  layers: number;
  heads: number;
}

/** A painting that is under way or done. */
export interface Painting {
  /** what makes it: ids, weights and seed */
  key: string;
  /** steps that are done */
  done: number;
  /** a look at it meanwhile */
  glimpse?: Uint8Array;
  /** once it is done */
  made?: Regions;
}

/** What is computed of a prompt, when it is asked for; and the painting. */
export interface Way {
  contexts(trip: Trip): Promise<Contexts>;
  looks(trip: Trip): Promise<Looks>;
  /** of this very prompt and seed, if there is one */
  painting(trip: Trip): Painting | undefined;
  paint(trip: Trip): Promise<void>;
}

/** What the reader can do, for the stations to call. */
export interface Acts {
  set(patch: Partial<State>): void;
  state(): State;
  /** the followed word gets another weight */
  weigh(weight: number): void;
  paint(): void;
  /** draws what is shown but is no state */
  redraw(): void;
}

/** A demo that shows a station from nearby. */
export interface CloseUp {
  demo: string;
  /** what one sees there */
  shows: string;
  /** with which state it opens */
  state(trip: Trip): object;
}

/** What is drawn of a station: its sentence, and its numbers. */
export interface Drawn {
  sentence: string;
  table: Table;
}

export interface Station {
  name: StationName;
  /** whether it shows a line for each row, of which there may be more than fit */
  isByRow?: boolean;
  /** two sentences on what happens there */
  about: string;
  /** its file, which begins with its number */
  chapter: string;
  closeUps: CloseUp[];
  create(acts: Acts): {
    element: HTMLElement;
    draw(trip: Trip, way: Way): Drawn | Promise<Drawn>;
  };
}
