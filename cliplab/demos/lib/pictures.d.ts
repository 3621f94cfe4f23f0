// What the miniature CLIP and the miniature Stable Diffusion take and give: types alone.

import type { Fragment, Output, Tokenizer } from "./types.js";

/** The miniature CLIP with 24 pictures; E is its width. */
export interface Matcher {
  names: { caption: string; learned: boolean }[];
  width: number;
  /** The pictures' unit vectors in one array [24 · E]. */
  images: Float32Array;
  /** The unit vectors of captions, likewise. */
  texts(captions: string[]): Promise<Float32Array>;
  /** The unit vector of any pixels. */
  image(pixels: Uint8Array): Promise<Float32Array>;
  /** Pixels [64 · 64 · 3] of picture i. */
  pixels(i: number): Uint8Array;
  /** A line that says who drew the pictures. */
  credit(): HTMLElement;
}

/** A token between BOS and EOS: its row of the context; its fragment's number and weight. */
export interface PaintToken {
  id: number;
  text: string;
  row: number;
  word: number;
  fragment: number;
  weight: number;
}

/** A prompt as it is painted; `lost` stand beyond the first chunk of 77, which is all of it. */
export interface ReadPrompt {
  ids: number[];
  weights: number[];
  tokens: PaintToken[];
  lost: number;
}

/** A piece of the prompt's text. White space and BREAK have no weight. */
export interface Piece {
  text: string;
  weight?: number;
}

export interface Word {
  text: string;
  weight: number;
  /** its tokens as CLIP writes them */
  symbols: string[];
  /** of the context, that of its first token; none beyond the rows that are painted */
  row?: number;
  /** which piece of the text it is */
  piece: number;
}

/** A prompt with weights as it is read: its words; or why it cannot be read, and no words. */
export interface Reading {
  pieces: Piece[];
  words: Word[];
  /** what is to be said of it */
  notes: string[];
  read?: ReadPrompt;
  error?: { message: string; position: number };
}

/** The context of a prompt without its weights, and under each method; each [77 · D]. */
export interface Contexts {
  plain: Float32Array;
  scale: Float32Array;
  restore_mean: Float32Array;
  from_empty: Float32Array;
  /** how far each method moves each row, in lengths of the row; each [77] */
  moved: Record<"scale" | "restore_mean" | "from_empty", Float32Array>;
}

/** Rows of the context that are looked at as one: BOS, a word, EOS, the padding. */
export interface Group {
  name: string;
  rows: number[];
  isWord: boolean;
  /** how it is called in a sentence, where its name is too long for one */
  said?: string;
}

/** A painting with what was read where. */
export interface Regions {
  groups: Group[];
  /** the U-Net reads at side · side places */
  side: number;
  /** what the U-Net saw in each step, and the picture that it became */
  pictures: Uint8Array[];
  /** shares of attention [2, steps + 1, groups, side · side], as the graph `regions` gives them */
  regions: Float32Array;
  /** their means over places [2, steps + 1, groups] */
  means: Float32Array;
}

/** All words that the miniature has learned, by their kind: color → red, … */
export type KnownWords = Record<string, string[]>;

export interface PaintRequest {
  context: Float32Array;
  /** the empty prompt's if left out */
  negative?: Float32Array;
  seed: number;
  guidance: number;
  /** [77] on attention, 1 if left out */
  factors?: ArrayLike<number>;
  /** hears of steps 1 … 20, with maps as the graph gives them */
  onStep?(step: number, latents: Float32Array, maps: Output): void;
  cancelled?(): boolean;
}

/** The miniature Stable Diffusion. */
export interface Painter {
  /** whose words are one token each; others are many */
  tokenizer: Tokenizer;
  known: KnownWords;
  read(fragments: Fragment[]): ReadPrompt;
  /** the context [77 · D] of a prompt without weights */
  encode(ids: number[]): Promise<Float32Array>;
  contexts(read: Pick<ReadPrompt, "ids" | "weights">): Promise<Contexts>;
  /** a latent for each step, the noise first; undefined if it was cancelled */
  paint(request: PaintRequest): Promise<Float32Array[] | undefined>;
  /** red, green, blue of each pixel, for each of the latents */
  pixels(latents: Float32Array[]): Promise<Uint8Array[]>;
}
