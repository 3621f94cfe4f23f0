// @ts-check
// What the demo says in words, and its table.

import { percentText } from "../lib/wording.js";
import {
  capitalized,
  groupName,
  lookedAt,
  mapOf,
  meanShare,
  placeName,
  shareAt,
  whenIs,
} from "./view.js";

/** @import { Look, View } from "./types.js" */

/**
 * What a word got, or what a place listened to.
 *
 * @param {Look} look
 * @param {View} view
 */
export function sentenceOf(look, view) {
  const { word, spot } = lookedAt(look, view);
  const lost = view.lost ? ` ${view.lost} tokens found no place.` : "";
  if (view.among && !view.groups.some(({ isWord }) => isWord)) {
    return `There is no word here, so there is nothing among words.${lost}`;
  }
  return (look.topic === "place" ? placeSentence(view, spot) : wordSentence(view, word)) + lost;
}

/** @param {View} view */
const whoseShare = ({ among }) => (among ? "of what the words got" : "of the attention");

/**
 * @param {View} view
 * @param {number} place
 */
function placeSentence(view, place) {
  const told = view.groups
    .map((group, i) => ({ share: shareAt(view, i, place), name: groupName(group) }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share)
    .slice(0, 3)
    .map(({ share, name }) => `${name} ${percentText(share)}`);
  const where = `${capitalized(placeName(place))}, ${whenIs(view.step)}`;
  return `${where}: ${told.join(", ")} ${whoseShare(view)}.`;
}

/**
 * @param {View} view
 * @param {number} word
 */
function wordSentence(view, word) {
  const map = mapOf(view, word);
  const name = groupName(view.groups[word]);
  if (map.isLeftOut) return `Among the words only, ${name} is left out.`;
  const { rows, isWord } = view.groups[word];
  const most = map.isFlat
    ? "the same at every place"
    : `most at ${placeName(map.values.indexOf(map.high))}: ${percentText(map.high)}, ` +
      `least ${percentText(map.low)}`;
  return (
    `${capitalized(name)}${rows.length > 1 && isWord ? `, ${rows.length} tokens,` : ""} gets ` +
    `${percentText(meanShare(view, word))} ${whoseShare(view)} ${whenIs(view.step)}; ${most}.`
  );
}

/**
 * The groups, one a line.
 *
 * @param {View} view
 */
export function regionsTable(view) {
  const whose = view.among ? "among the words only" : "of all attention";
  return {
    caption: `Shares ${whose}, ${whenIs(view.step)}`,
    columns: ["word", "rows", "mean", "least", "most", "most at", placeName(view.spot)],
    rows: view.groups.map(({ name, rows }, group) => {
      const { values, low, high, isFlat, isLeftOut } = mapOf(view, group);
      const of = rows.length > 1 ? `${rows[0]} to ${rows.at(-1)}` : rows[0];
      if (isLeftOut) return [name, of, "left out", "", "", "", ""];
      const where = isFlat ? "everywhere" : placeName(values.indexOf(high));
      const shares = [meanShare(view, group), low, high].map(percentText);
      return [name, of, ...shares, where, percentText(values[view.spot])];
    }),
  };
}
