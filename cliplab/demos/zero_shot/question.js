// @ts-check
// What the reader asks of a picture, and the shares that its labels get. The graph "zero_shot" is
// the classifier; this puts labels into templates, and the answers in order.

import { tensor } from "../lib/ask.js";

/** @import { Matcher } from "../lib/pictures.js" */
/** @import { Ask } from "../lib/types.js" */
/**
 * @typedef {object} Question
 * @property {string[]} labels
 * @property {string[]} templates  each with {} for the label
 * @property {string[]} notes      what was left out, as sentences
 *
 * @typedef {object} Answer
 * @property {string} label
 * @property {number} index   of the label in the question
 * @property {number} share   its probability
 * @property {number} cosine  with the picture
 * @property {number} length  of the mean over the templates, before it was brought back to 1
 */

export const LABELS = 8; // at most, so that an answer to a key press stays quick
const TEMPLATES = 4;

/**
 * The parts of a text between the marks, without those that are blank.
 *
 * @param {string} text
 * @param {string | RegExp} mark
 */
const partsOf = (text, mark) =>
  text
    .split(mark)
    .map((part) => part.trim())
    .filter(Boolean);

/**
 * The labels and templates that take part, of those that the reader typed.
 *
 * @param {string} labels     with commas or line breaks between
 * @param {string} templates  one a line
 * @returns {Question}
 */
export function readQuestion(labels, templates) {
  const names = partsOf(labels, /[,\n]/);
  const lines = partsOf(templates, "\n");
  const usable = lines.filter((line) => line.includes("{}"));
  const odd = lines.find((line) => !line.includes("{}"));
  const notes = [];
  if (names.length > LABELS) notes.push(`Only the first ${LABELS} labels take part.`);
  if (usable.length > TEMPLATES) notes.push(`Only the first ${TEMPLATES} templates take part.`);
  if (odd !== undefined) notes.push(`“${odd}” is left out: it has no {} for the label.`);
  if (!names.length) notes.push("Give at least one label.");
  if (!usable.length) notes.push("Give at least one template; {} is the label alone.");
  return { labels: names.slice(0, LABELS), templates: usable.slice(0, TEMPLATES), notes };
}

/**
 * The answers to a question, the most probable first; none where there is nothing to choose from.
 *
 * @param {Ask} ask
 * @param {Matcher} matcher
 * @param {Question} question
 * @param {() => Float32Array | Promise<Float32Array>} vector  of the picture, once it is needed
 * @returns {Promise<Answer[]>}
 */
export async function classify(ask, matcher, { labels, templates }, vector) {
  if (!labels.length || !templates.length) return [];
  const captions = labels.flatMap((label) =>
    templates.map((template) => template.replaceAll("{}", () => label)),
  );
  const [texts, image] = await Promise.all([matcher.texts(captions), vector()]);
  const { share, cosine, length } = await ask.run("zero_shot", {
    texts: tensor("float32", [labels.length, templates.length, matcher.width], texts),
    image: tensor("float32", [1, matcher.width], image),
  });
  return labels
    .map((label, index) => ({
      label,
      index,
      share: share.data[index],
      cosine: cosine.data[index],
      length: length.data[index],
    }))
    .sort((a, b) => b.cosine - a.cosine);
}
