// @ts-check
// Zero-shot: a picture, chosen or drawn, and a classifier made of the words that the reader types.

import { showPixels } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { createMatcher } from "../lib/matching.js";
import { barsView, drawBars } from "./bars.js";
import { painted, whitePaper } from "./brush.js";
import { easelView } from "./easel.js";
import { questionFields } from "./fields.js";
import { markPicture, pictureButtons } from "./picks.js";
import { PRESETS } from "./presets.js";
import { classify, readQuestion } from "./question.js";
import { answerSentence, answersTable } from "./wording.js";

/** @import { Child, Context } from "../lib/types.js" */
/** @import { Answered } from "./wording.js" */
/** @typedef {{ picture: number, labels: string, templates: string }} ZeroShotState */

const DRAWN = -1; // in place of a picture's number

export default demo({
  title: "A classifier made of words",
  about:
    "A miniature CLIP of 3.1 million parameters that has seen 1,426 emoji, colored shapes, and " +
    "no photograph. Its mistakes are its own; how words make a classifier is the same for every " +
    "CLIP. The shares are a softmax of cosine / τ with τ = 0.0194, as trained.",
  presets: PRESETS,
  start,
});

/** @param {Context<ZeroShotState>} context */
async function start({ body, ask, say, set, state, redraw }) {
  const matcher = await createMatcher(ask);
  /** @type {Uint8Array} */
  let drawing = whitePaper();
  /** @type {Answered} */
  let answered = { picture: "", answers: [], notes: [] };
  /** @type {number | undefined} */
  let pointed; // the label that the read-out speaks of

  const tell = () => say(answerSentence(answered, pointed));
  const pixelsOf = (/** @type {number} */ picture) =>
    picture === DRAWN ? drawing : matcher.pixels(picture);
  const vectorOf = (/** @type {number} */ picture) =>
    picture === DRAWN
      ? matcher.image(drawing)
      : matcher.images.slice(picture * matcher.width, (picture + 1) * matcher.width);

  /** @param {Uint8Array} pixels */
  function showDrawing(pixels) {
    drawing = pixels;
    showPixels(easel.board, drawing); // at once; the numbers follow
    if (state().picture === DRAWN) redraw();
    else set({ picture: DRAWN });
  }
  const easel = easelView({
    stroke: (from, to, paint) => showDrawing(painted(pixelsOf(state().picture), from, to, paint)),
    blank: () => showDrawing(whitePaper()),
    say,
  });
  const choices = pictureButtons(matcher, (picture) => set({ picture }));
  const fields = questionFields(set);
  const bars = barsView((index) => {
    pointed = index;
    tell();
  });
  body.append(...layout(choices, easel.element, [fields.elements, bars.list]), matcher.credit());

  /** @param {ZeroShotState} asked */
  async function draw({ picture, labels, templates }) {
    if (fields.labels.value !== labels) fields.labels.value = labels;
    if (fields.templates.value !== templates) fields.templates.value = templates;
    showPixels(easel.board, pixelsOf(picture));
    markPicture(choices, picture);
    const { caption, learned } = matcher.names[picture] ?? {};
    const drawn = picture === DRAWN;
    const named = `${caption}${learned ? "" : ", not in training"}`;
    easel.about.textContent = drawn ? "Yours. A link does not carry it." : named;

    const question = readQuestion(labels, templates);
    const answers = await classify(ask, matcher, question, () => vectorOf(picture));
    const words = drawn ? "Your drawing" : `The picture of “${caption}”`;
    answered = { picture: words, answers, notes: question.notes };
    drawBars(bars, answers);
    tell();
  }

  return { draw, table: () => answersTable(answered) };
}

/**
 * Pictures on top; below them the easel on one side, words and bars on the other.
 *
 * @param {Child} pictures
 * @param {Child} easel
 * @param {Child} words
 */
const layout = (pictures, easel, words) => [
  h("div", { class: "cld-picks", role: "radiogroup", "aria-label": "Pictures" }, pictures),
  h(
    "p",
    { class: "cld-hint" },
    "Training had eight other art styles, and in none of them what has a dashed edge.",
  ),
  h("div", { class: "cld-sides" }, easel, h("div", { class: "cld-words" }, words)),
];
