// What passes between the modules of the demos: types alone, which no browser loads.

// Elements ----------------------------------------------------------------------------------------

export type SvgTag = "svg" | "path" | "rect" | "line" | "circle" | "g" | "text" | "polyline";
export type Tag = keyof HTMLElementTagNameMap | SvgTag;
export type ElementOf<T extends Tag> = T extends keyof HTMLElementTagNameMap
  ? HTMLElementTagNameMap[T]
  : T extends SvgTag
    ? SVGElementTagNameMap[T]
    : never;

/** Attributes (true: one without a value; undefined and false: none) and listeners (`onclick`). */
export type Props = Record<
  string,
  string | number | boolean | undefined | ((event: any) => void) // of any kind of event
>;

/** What an element holds; undefined and false are left out. */
export type Child = string | Node | undefined | false | Child[];

/** A row and a column. */
export type Place = [number, number];

// State -------------------------------------------------------------------------------------------

/** What a field of the state may hold, as `describe` of fields.py gives it. */
export type Field =
  | { kind: "text"; most: number }
  | { kind: "texts"; most: number; length: number; least: number }
  | { kind: "whole" | "number"; least: number; most: number }
  | { kind: "switch" }
  | { kind: "choice"; values: string[] };
export type Fields = Record<string, Field>;

/** anywidget's model: in a notebook its own, on a page that of page/host.js. */
export interface Model {
  /** on a page: where its site begins */
  site?: string;
  get(name: string): any;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, call: (...what: any[]) => void): void;
  off(event: string, call?: (...what: any[]) => void): void;
  send(message: object, callbacks?: object, buffers?: ArrayBufferLike[]): void;
}

// Numbers and data --------------------------------------------------------------------------------

export type NumberType = "float32" | "int32" | "uint8";
export type NumberArray = Float32Array | Int32Array | Uint8Array;

/** What a graph takes. */
export interface Tensor {
  type: NumberType;
  shape: number[];
  values: ArrayLike<number>;
}

/** What a graph gives; most graphs give float32. */
export interface Output<Data extends NumberArray = Float32Array> {
  data: Data;
  shape: number[];
}

/** A question to the kernel or to the page's worker, without its number. */
export type Question =
  | { load: string }
  | {
      run: string;
      inputs: Record<string, { type: NumberType; shape: number[] }>;
      outputs?: string[];
    };

/** What answers it: the outputs' types and shapes, whose numbers come beside it; or an error. */
export interface Reply {
  id: number;
  outputs?: Record<string, { type: NumberType; shape: readonly number[] }>;
  error?: string;
}

/** The calls that bring numbers and data: from a notebook's kernel, from a page's worker. */
export interface Ask {
  /**
   * run("text", { ids: tensor("int32", [1, 77], values) }, ["vector"])
   *   → { vector: { data, shape } }: the outputs that are wanted, for the others need not travel.
   */
  run<Data extends NumberArray = Float32Array>(
    graph: string,
    inputs: Record<string, Tensor>,
    wanted?: string[],
  ): Promise<Record<string, Output<Data>>>;
  /** load("noise") → its bytes */
  load(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The same, read as JSON. */
  json(name: string): Promise<any>;
}

// A demo ------------------------------------------------------------------------------------------

/** An example: first what the reader is to predict, then the state that shows it. */
export interface Preset<State = Record<string, any>> {
  label: string;
  state: Partial<State>;
  question: string;
  answer: string;
}

/** What is drawn, as a table. */
export interface Table {
  caption: string;
  columns: (string | number)[];
  rows: (string | number)[][];
}

/** What a demo is started with. */
export interface Context<State = Record<string, any>> {
  /** where it builds what it shows */
  body: HTMLElement;
  ask: Ask;
  /** puts a sentence into the read-out */
  say(sentence: string): void;
  /** changes the state, after which it is drawn */
  set(patch: Partial<State>): void;
  state(): State;
  /** draws what is shown but is no state */
  redraw(): void;
  /** where the site begins; in a notebook there is none */
  site?: string;
}

/** What starting a demo gives. */
export interface Parts<State = Record<string, any>> {
  /**
   * Draws the state. It may take its time: while it runs, changes are gathered, and it is called
   * once more with the last state.
   */
  draw(state: State): void | Promise<void>;
  table(): Table;
}

export interface Demo<State = Record<string, any>> {
  title: string;
  /** a sentence on how small its model is */
  about: string;
  presets: Preset<State>[];
  start(context: Context<State>): Parts<State> | Promise<Parts<State>>;
}

// Text --------------------------------------------------------------------------------------------

/** A token of a text; start and end in UTF-16 units, word counts through the text. */
export interface Token {
  id: number;
  text: string;
  start: number;
  end: number;
  word: number;
}

/** A step of a word's ladder: the pair that is merged, its rank, and what there is after it. */
export interface MergeStep {
  pair: string[];
  rank: number;
  pieces: string[];
}

export interface Tokenizer {
  /** Without BOS and EOS; text as CLIP writes the token ("dog</w>"). */
  tokenize(text: string): Token[];
  /** [bos, …ids, eos], unpadded and uncut. */
  encode(text: string): number[];
  /** Cut or padded to one length (77), with `pad` (EOS); and the ids that are lost. */
  lengthNormalize(ids: number[], length?: number, pad?: number): { ids: number[]; lost: number[] };
  /** The merges of one word; an Error if it is not one. */
  mergeSteps(word: string): MergeStep[];
  /**
   * How a word became its tokens: its bytes, and every merge; neither for a special token.
   */
  ladder(tokens: string[]): { bytes: { byte: number; piece: string }[]; steps: MergeStep[] };
  symbols: string[];
  bos: number;
  eos: number;
  size: number;
}

/** A part of a prompt with one weight; its place in the prompt in UTF-16 units. */
export interface Fragment {
  text: string;
  weight: number;
  start: number;
  end: number;
}

/** What a tool would say, and where. */
export interface Warning {
  message: string;
  position: number;
}
export type Warn = (message: string, position: number) => void;

export type Syntax = "a1111" | "comfyui" | "compel" | "plain";

/** 77 slots: each one's id, weight, and the number of its fragment; null for BOS, EOS, padding. */
export interface Chunk {
  ids: number[];
  weights: number[];
  fragments: (number | null)[];
}
