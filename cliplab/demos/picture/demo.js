// @ts-check
// Prompt to picture with weights: words as chips in step with the text, and two pictures from the
// same noise, as written and weighted.

import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { PAINT_STEPS, createPainter } from "../lib/painting.js";
import { createPromptField } from "../lib/prompt_field.js";
import { readPrompt } from "../lib/reading.js";
import { reweighed, writePrompt } from "../lib/words.js";
import { createChips } from "./chips.js";
import { createControls } from "./controls.js";
import { paintState, syncState, showStep, tell } from "./editor.js";
import { createFilmStore, filmKeys } from "./films.js";
import { picturePresets } from "./presets.js";
import { pictureTable } from "./sentences.js";
import { createStage } from "./stage.js";

/** @import { Painter } from "../lib/pictures.js" */
/** @import { Acts, Editor, Look, State } from "./types.js" */

const PROMPT_LIMIT = 300; // characters

export default demo({
  title: "From prompt to picture, with weights",
  about:
    "The painter is a miniature with 3.7 million parameters that knows ten colors, six shapes, " +
    "thirty things, three sizes, white, black and gray grounds, and nothing else. It was trained so " +
    "that weights act on a word's own row; Stable Diffusion 1.5, with a billion parameters, was " +
    "not. A pixel counts as changed if its red, green or blue differs by more than 16 of 255.",
  presets: picturePresets,

  async start({ body, ask, say, set, state }) {
    const [painter, first] = await Promise.all([createPainter(ask), ask.json("picture_films")]);
    /** @type {Look} */
    const look = { reading: readPrompt(painter, state().prompt), step: PAINT_STEPS, result: "" };
    /** @type {Acts} */
    const acts = {
      state,
      change(patch) {
        set(patch);
        syncState(editor, state());
      },
      weigh(word, weight) {
        const prompt = writePrompt(reweighed(look.reading, word, weight));
        if ([...prompt].length <= PROMPT_LIMIT) acts.change({ prompt });
        else say(`That would make the prompt longer than ${PROMPT_LIMIT} characters.`);
      },
      lookAt(word) {
        look.near = word;
        tell(editor);
      },
      showStep: (step) => showStep(editor, step),
    };
    /** @type {Editor} */
    const editor = {
      painter,
      store: storeOf(painter, first),
      look,
      field: createPromptField({
        name: "Your prompt, in Automatic1111's syntax",
        limit: PROMPT_LIMIT,
        inputClass: "cld-text",
        known: painter.known,
        change: (prompt) => acts.change({ prompt }),
      }),
      chips: createChips(look, acts),
      stage: createStage(painter, acts),
      controls: createControls(acts),
      state,
      say,
    };
    body.append(
      editor.field.element,
      editor.chips.element,
      h("div", { class: "cld-pic-work" }, editor.stage.element, editor.controls.element),
    );
    return { draw: (now) => paintState(editor, now), table: () => pictureTable(look.reading) };
  },
});

/**
 * The films of the first state, which come with the page.
 *
 * @param {Painter} painter
 * @param {{ state: State, films: number[][][] }} first   latents, step by step
 */
function storeOf(painter, { state, films }) {
  const store = createFilmStore();
  const { read } = readPrompt(painter, state.prompt);
  if (!read) throw new Error("The first prompt cannot be read.");
  filmKeys(read, state).forEach((key, i) => {
    const latents = films[i].map((numbers) => Float32Array.from(numbers));
    store.keep({ key, latents, pictures: new Map() });
  });
  return store;
}
