// @ts-check
// The parts of the demo together: field, chips and controls at once, the pictures when they are
// painted.

import { isMotionWelcome } from "../lib/motion.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { changedPercent } from "../lib/pixels.js";
import { errorSentence, readPrompt } from "../lib/reading.js";
import { filmKeys, paintFilms, warmUp } from "./films.js";
import { METHODS } from "./methods.js";
import { changeSentence, sentenceOf } from "./sentences.js";

/** @import { Editor, State } from "./types.js" */

const PAUSE = 300; // milliseconds without a change, before it is painted

/**
 * Says what is at hand.
 *
 * @param {Editor} editor
 */
export const tell = ({ look, state, say }) => say(sentenceOf(look, state().method));

/**
 * Shows the text, chips and controls; dims the pictures that no longer belong to them.
 *
 * @param {Editor} editor
 * @param {State} now
 */
export function syncState(editor, now) {
  const { painter, store, look, field, chips, stage, controls } = editor;
  look.reading = readPrompt(painter, now.prompt);
  const { read, error } = look.reading;
  field.show(now.prompt, look.reading);
  chips.show();
  controls.show(now);
  const keys = read ? filmKeys(read, now) : [];
  stage.label(keys, METHODS[now.method].name);
  if (!stage.panels.every(({ key }, i) => key && key === keys[i] && store.has(key))) {
    stage.slider.disabled = true;
    look.result = "Painting …";
  }
  if (error) look.result = errorSentence(now.prompt, error);
  tell(editor);
}

/**
 * Paints what the state asks for; gives up as soon as it asks for something else.
 *
 * @param {Editor} editor
 * @param {State} now
 */
export async function paintState(editor, now) {
  const { painter, store, look, stage, state } = editor;
  syncState(editor, now);
  const { read } = look.reading;
  if (!read) return;
  const isFirst = !stage.panels[0].film;
  const cancelled = () => JSON.stringify(state()) !== JSON.stringify(now);
  const films = store.findAll(filmKeys(read, now));
  const open = [...new Set(films)].filter(({ key }) => !store.has(key));
  if (open.length && !isFirst) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  if (cancelled()) return;
  stage.setFilms(films, ({ key }) => store.has(key));
  const isMoving = !isFirst && isMotionWelcome();
  await paintFilms(painter, store, open, {
    read,
    state: now,
    cancelled,
    onStep: (film, step, done) => stage.showProgress(film, step, done, isMoving),
  });
  if (cancelled()) return;
  await showStep(editor, PAINT_STEPS);
  stage.slider.disabled = false;
  if (isFirst) warmUp(painter, read, now);
}

/**
 * Shows a step of both pictures, and says what the weights have changed.
 *
 * @param {Editor} editor
 * @param {number} step
 */
export async function showStep(editor, step) {
  const { look, stage } = editor;
  look.step = step;
  await stage.showStep(step);
  if (step !== look.step) return;
  const [written, weighted] = stage.panels.map(({ shown }) => shown);
  if (!written || !weighted) return;
  look.result = changeSentence(look.reading, changedPercent(written, weighted), step);
  tell(editor);
}
