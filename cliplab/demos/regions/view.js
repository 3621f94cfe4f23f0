// @ts-check
// Questions to what is drawn: shares, maps, and the names of places, steps and groups.

import { clamp } from "../lib/explore.js";
import { PAINT_STEPS } from "../lib/painting.js";
import { SIDE } from "./attention.js";

/** @import { Group } from "../lib/pictures.js" */
/** @import { GroupMap, Look, Painted, State, View } from "./types.js" */

/** The places of the picture, row by row. */
export const PLACES = Array.from({ length: SIDE ** 2 }, (_, place) => ({
  row: Math.floor(place / SIDE),
  column: place % SIDE,
}));

/**
 * What is drawn of a painting. A state may ask for words that the prompt does not have.
 *
 * @param {Painted} painted
 * @param {State} state
 * @returns {View}
 */
export const viewOf = (painted, state) => ({
  ...painted,
  ...state,
  word: knownGroup(painted, state.word),
  held: state.held < painted.groups.length ? state.held : -1,
});

/**
 * @param {Pick<Painted, "groups">} painted
 * @param {number} group
 */
export const knownGroup = ({ groups }, group) => clamp(group, groups.length - 1);

/**
 * Where a group's numbers begin: shares as they are, or among the words; step by step.
 *
 * @param {View} view
 * @param {number} group
 */
const groupIndex = ({ among, step, groups }, group) =>
  (Number(among) * (PAINT_STEPS + 1) + step) * groups.length + group;

/**
 * The share of a group at a place.
 *
 * @param {View} view
 * @param {number} group
 * @param {number} place
 */
export const shareAt = (view, group, place) =>
  view.regions[groupIndex(view, group) * SIDE ** 2 + place];

/**
 * The mean of its share over all places.
 *
 * @param {View} view
 * @param {number} group
 */
export const meanShare = (view, group) => view.means[groupIndex(view, group)];

/**
 * The map of a group as it is now looked at.
 *
 * @param {View} view
 * @param {number} group
 * @returns {GroupMap}
 */
export function mapOf(view, group) {
  const values = PLACES.map((_, place) => shareAt(view, group, place));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isLeftOut = view.among && !view.groups[group].isWord;
  return { values, low, high, isFlat: high - low < 1e-6, isLeftOut };
}

/**
 * How far a place is from the least of a map to the most: 0 … 1.
 *
 * @param {GroupMap} map
 * @param {number} place
 */
export const partOf = ({ values, low, high, isFlat }, place) =>
  isFlat ? 0.5 : (values[place] - low) / (high - low);

/**
 * The word that is shown, and the place: those under the pointer come first.
 *
 * @param {Look} look
 * @param {View} view
 */
export const lookedAt = ({ peek, spotted }, view) => ({
  word: peek >= 0 ? knownGroup(view, peek) : view.word,
  spot: spotted ?? view.spot,
});

/** @param {number} place */
export const placeName = (place) =>
  `row ${PLACES[place].row + 1}, column ${PLACES[place].column + 1}`;

/** @param {number} step */
export const whenIs = (step) =>
  step < PAINT_STEPS ? `in step ${step + 1} of ${PAINT_STEPS}` : `over all ${PAINT_STEPS} steps`;

/** @param {Group} group */
export const groupName = ({ name, said, isWord }) => (isWord ? `“${name}”` : (said ?? name));

/** @param {string} text */
export const capitalized = (text) => text[0].toUpperCase() + text.slice(1);
