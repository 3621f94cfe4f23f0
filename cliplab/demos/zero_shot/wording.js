// @ts-check
// What the demo says of pictures and answers, in words.

import { count, signed } from "../lib/wording.js";

/** @import { Table } from "../lib/types.js" */
/** @import { Answer } from "./question.js" */
/**
 * @typedef {object} Answered  all that is drawn
 * @property {string} picture    in words
 * @property {Answer[]} answers  the most probable first
 * @property {string[]} notes    what was left out of the question
 */

/**
 * 94 %, and never 100 or 0 for what is not quite that.
 *
 * @param {number} share
 */
export function percent(share) {
  const number = (100 * share).toFixed(share > 0.995 && share < 0.9995 ? 1 : 0);
  return share > 0 && share < 0.005 ? "<\u00a01\u00a0%" : `${number}\u00a0%`;
}

/**
 * The two most probable labels; or how far one that is pointed at stands behind the first.
 *
 * @param {Answered} answered
 * @param {number | undefined} pointed  a label's place in the question
 */
export function answerSentence({ picture, answers, notes }, pointed) {
  if (!answers.length) return ["There is nothing to choose from.", ...notes].join(" ");
  const [first, second] = answers;
  const one = answers.find(({ index }) => index === pointed);
  if (one && one !== first) {
    const below = (first.cosine - one.cosine).toFixed(2);
    return (
      `“${one.label}”: ${percent(one.share)}. Its cosine with the picture, ` +
      `${signed(one.cosine)}, is ${below} below that of “${first.label}”.`
    );
  }
  const said = (/** @type {Answer} */ { label, share, cosine }) =>
    `“${label}” ${percent(share)}, cosine ${signed(cosine)}`;
  const rest = second ? `; then ${said(second)}.` : ".";
  return [`${picture}: ${said(first)}${rest}`, ...notes].join(" ");
}

/**
 * @param {Answered} answered
 * @returns {Table}
 */
export function answersTable({ picture, answers }) {
  return {
    caption:
      `${picture} among ${count(answers.length, "label")}. The length is that ` +
      "of the mean over the templates, before it was brought back to 1.",
    columns: ["label", "share", "cosine", "length of the mean"],
    rows: answers.map(({ label, share, cosine, length }) => [
      label,
      share.toFixed(4),
      signed(cosine, 3),
      length.toFixed(3),
    ]),
  };
}
