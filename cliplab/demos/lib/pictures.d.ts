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

/** The context of a prompt without its weights, and under each method; each [77 · D]. */
export interface Contexts {
  plain: Float32Array;
  scale: Float32Array;
  restore_mean: Float32Array;
  from_empty: Float32Array;
}

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
  read(fragments: Fragment[]): ReadPrompt;
  /** the context [77 · D] of a prompt without weights */
  encode(ids: number[]): Promise<Float32Array>;
  contexts(read: Pick<ReadPrompt, "ids" | "weights">): Promise<Contexts>;
  /** 21 latents, the noise first; undefined if it was cancelled */
  paint(request: PaintRequest): Promise<Float32Array[] | undefined>;
  /** red, green, blue of each pixel, for each of the latents */
  pixels(latents: Float32Array[]): Promise<Uint8Array[]>;
}
