// @ts-check
// A batch of captions and pictures: what the graph "similarity" gives of it, and in words.

import { count, signed } from "../lib/wording.js";

/** @import { Output, Table } from "../lib/types.js" */
/**
 * @typedef {"cosine" | "row" | "column"} TableName  rows are captions, columns are pictures
 *
 * @typedef {object} Batch
 * @property {string[]} captions
 * @property {string[]} pictures  their names
 * @property {Record<string, Output>} found  what the graph gave
 */

export const PAIRS = 6;
export const PLACES = Array.from({ length: PAIRS }, (_, i) => i);

/** @type {TableName[]} */
const TABLES = ["cosine", "row", "column"];
// A softmax over the pictures is what the graph calls by column: there, columns are captions.
const OUTPUTS = { cosine: "cosine", row: "by_column", column: "by_row" };

/**
 * The number of a caption and a picture in a table of the graph, whose rows are pictures.
 *
 * @param {Batch} batch
 * @param {TableName} table
 * @param {number} caption
 * @param {number} picture
 */
export const numberOf = ({ found }, table, caption, picture) =>
  found[OUTPUTS[table]].data[picture * PAIRS + caption];

/**
 * Whether a number is the largest of its row, or of its column; of cosines none is.
 *
 * @param {Batch} batch
 * @param {TableName} table
 * @param {number} caption
 * @param {number} picture
 */
export function leads(batch, table, caption, picture) {
  if (table === "cosine") return false;
  const rivals = PLACES.map((k) =>
    table === "column" ? numberOf(batch, table, k, picture) : numberOf(batch, table, caption, k),
  );
  return numberOf(batch, table, caption, picture) === Math.max(...rivals);
}

/**
 * How many of the lines have their pair ahead of all others; a tie is no lead.
 *
 * @param {(i: number, j: number) => number} cosine
 */
const ahead = (cosine) =>
  PLACES.filter((i) => PLACES.every((j) => j === i || cosine(i, j) < cosine(i, i))).length;

/**
 * How many captions find their picture, and pictures their caption.
 *
 * @param {Batch} batch
 */
export function hitsSentence(batch) {
  const captions = ahead((i, j) => numberOf(batch, "cosine", i, j));
  const pictures = ahead((i, j) => numberOf(batch, "cosine", j, i));
  return (
    `${captions} of ${count(PAIRS, "caption")} find their own picture, ` +
    `${pictures} of ${count(PAIRS, "picture")} their own caption. ` +
    "Outlined: the pairs. Bold: the largest share; dashed if it is a wrong one."
  );
}

/**
 * The loss in numbers: itself, and the means of which it is the mean.
 *
 * @param {Batch} batch
 * @returns {[string, string]} what is bold, and the rest
 */
export function lossSentence({ found }) {
  const [toPicture, toCaption] = found.directions.data;
  return [
    `Loss ${found.loss.data[0].toFixed(2)}`,
    `, the mean of ${toPicture.toFixed(2)} for the rows (caption → picture) and ` +
      `${toCaption.toFixed(2)} for the columns (picture → caption). A guess: ln 6 = 1.79.`,
  ];
}

/**
 * All numbers of a caption and a picture.
 *
 * @param {Batch} batch
 * @param {number} caption
 * @param {number} picture
 */
export function cellSentence(batch, caption, picture) {
  const [cosine, row, column] = TABLES.map((table) =>
    signed(numberOf(batch, table, caption, picture)),
  );
  const pair = caption === picture ? ", a pair" : "";
  return (
    `Caption ${caption + 1}, “${batch.captions[caption]}” · picture ${picture + 1} ` +
    `(${batch.pictures[picture]})${pair}: cosine ${cosine}; ` +
    `p\u00a0=\u00a0${row} among the pictures, p\u00a0=\u00a0${column} among the captions.`
  );
}

/**
 * @param {Batch} batch
 * @returns {Table}
 */
export function pairsTable(batch) {
  return {
    caption: "Every caption with every picture",
    columns: ["caption", "picture", "cosine", "p among the pictures", "p among the captions"],
    rows: batch.captions.flatMap((caption, i) =>
      batch.pictures.map((picture, j) => [
        caption,
        `${j + 1}: ${picture}`,
        ...TABLES.map((table) => signed(numberOf(batch, table, i, j), 3)),
      ]),
    ),
  };
}
