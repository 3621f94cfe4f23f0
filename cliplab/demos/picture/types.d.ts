// What passes between the modules of this demo: types alone, which no browser loads.

import type { Painter, Reading } from "../lib/pictures.js";
import type { createPromptField } from "../lib/prompt_field.js";
import type { createChips } from "./chips.js";
import type { createControls } from "./controls.js";
import type { createFilmStore } from "./films.js";
import type { createStage } from "./stage.js";

export type Method = "scale" | "restore_mean" | "from_empty" | "attention";

/** The demo's state, as `__init__.py` declares it. */
export interface State {
  /** in Automatic1111's syntax */
  prompt: string;
  seed: number;
  guidance: number;
  method: Method;
}

/** A picture in all its steps, the noise first. */
export interface Film {
  /** what makes it: ids, seed and guidance; weights and method where a weight is not 1 */
  key: string;
  /** those that are painted; all 21 once the film is kept */
  latents: Float32Array[];
  /** those that have been looked at, by step */
  pictures: Map<number, Promise<Uint8Array>>;
}

/** What the reader looks at. */
export interface Look {
  reading: Reading;
  /** the number of the word that the reader points at, or has focused */
  near?: number;
  /** of the pictures, that is wanted last */
  step: number;
  /** what there is to say of the pictures */
  result: string;
}

/** What the reader can do, for the parts of the demo to call. */
export interface Acts {
  /** What is asked for is shown at once, and painted when a moment has passed. */
  change(patch: Partial<State>): void;
  state(): State;
  weigh(word: number, weight: number): void;
  /** pointer or focus has come to a word; or has left it */
  lookAt(word: number | undefined): void;
  showStep(step: number): void;
}

/** The parts of the demo, and what they share. */
export interface Editor {
  painter: Painter;
  store: ReturnType<typeof createFilmStore>;
  look: Look;
  field: ReturnType<typeof createPromptField>;
  chips: ReturnType<typeof createChips>;
  stage: ReturnType<typeof createStage>;
  controls: ReturnType<typeof createControls>;
  state(): State;
  say(sentence: string): void;
}
