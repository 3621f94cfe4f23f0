// @ts-check
// What the demo says in words, and its table.

import { count } from "../lib/wording.js";
import { LAYERS, SLOTS, SLOTS_SHOWN } from "./trace.js";
import {
  formulaKey,
  isChanged,
  isCompared,
  movedBy,
  movedRows,
  percentOf,
  scoreOf,
  slotName,
  slotsOf,
  strongestKey,
  twoDecimals,
  weightOf,
  wordAt,
} from "./view.js";

/** @import { Look, View } from "./types.js" */

/** @param {number} layer */
const afterLayer = (layer) => (layer ? `After layer ${layer}` : "After the embeddings");

/**
 * What is under pointer or focus; if nothing is, what is drawn.
 *
 * @param {Look} look
 */
export function sentenceOf(look) {
  const { view, under } = look;
  if (under?.part === "tower") return towerSentence(view, under.place);
  if (under && view.layer) {
    return fieldSentence(view, under.place ?? [view.row, formulaKey(look)]);
  }
  const changes = isCompared(view)
    ? `${afterLayer(view.layer)}, ${movedRows(view, view.layer)} of ${view.shown} rows moved. `
    : "";
  if (!view.layer) return `${changes}Each row is its token's embedding plus its slot's.`;
  const best = strongestKey(view, view.row);
  return (
    `${changes}In head ${view.head} of layer ${view.layer}, ${slotName(view, view.row)} looks ` +
    `most at ${slotName(view, best)}, with weight ${twoDecimals(weightOf(view, view.row, best))}.`
  );
}

/**
 * @param {View} view
 * @param {number[]} [place]   [storeys from above, slot]
 */
function towerSentence(view, place = [LAYERS - view.layer, view.row]) {
  const [layer, slot] = [LAYERS - place[0], place[1]];
  const where = `${afterLayer(layer)}, ${slotName(view, slot)}`;
  if (!isCompared(view)) return `${where}. Nothing is compared.`;
  const share = percentOf(movedBy(view, layer, slot));
  return share === "0"
    ? `${where} has not moved.`
    : `${where} has moved by ${share} % of its length.`;
}

/**
 * @param {View} view
 * @param {number[]} place   [row, key]
 */
function fieldSentence(view, [row, key]) {
  const [query, other] = [slotName(view, row), slotName(view, key)];
  return key > row
    ? `${query} may not look at ${other}, which comes later: weight 0.`
    : `${query} looks at ${other}: score ${twoDecimals(scoreOf(view, row, key))}, ` +
        `weight ${twoDecimals(weightOf(view, row, key))}.`;
}

/**
 * How to read the tower, and what it leaves out.
 *
 * @param {View} view
 */
export function towerNote(view) {
  const { lost } = view.prompts[0];
  return (
    "Click, or use the arrow keys, to choose a layer and a row. " +
    (isCompared(view)
      ? "A bar is the distance between a row's two states, one for each prompt, in " +
        "% of the row's length. "
      : "") +
    (view.long > view.shown
      ? `The first ${SLOTS_SHOWN} of ${view.long} rows are shown. `
      : `Behind EOS follow ${count(SLOTS - view.long, "row")} of padding, not shown. `) +
    (lost ? `${count(lost, "token")} of the prompt found no slot and are lost.` : "")
  );
}

/**
 * The rows that are shown, one a line.
 *
 * @param {View} view
 */
export function encoderTable(view) {
  const { layer, head, row, numbers } = view;
  const [caption, ofRow, columns] = numbers
    ? [
        `${afterLayer(layer)}; scores and weights of ${slotName(view, row)} in head ${head}`,
        [numbers.scores, numbers.weights],
        ["score S", "weight"],
      ]
    : [afterLayer(0), [], []];
  return {
    caption,
    columns: ["slot", "token", "changed to", "moved, % of its length", ...columns],
    rows: slotsOf(view).map((slot) => [
      slot,
      wordAt(view, slot),
      isChanged(view, slot) ? wordAt(view, slot, 1) : "",
      isCompared(view) ? percentOf(movedBy(view, layer, slot)) : "",
      ...ofRow.map((one) => twoDecimals(one.data[slot])),
    ]),
  };
}
