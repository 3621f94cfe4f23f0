// @ts-check
// What the demo says of slots and rows, in words.

import { bareToken } from "../lib/bpe.js";
import { count } from "../lib/wording.js";
import { SLOTS, lastSeen } from "./filling.js";

/** @import { Table } from "../lib/types.js" */
/** @import { Filling, MaskName } from "./filling.js" */
/** @import { Numbers } from "./measuring.js" */
/** @typedef {{ filling: Filling, mask: MaskName, numbers: Numbers }} Shown  all that is drawn */

const far = (/** @type {number} */ moved) => (moved < 0.01 ? "less than 0.01" : moved.toFixed(2));
const share = (/** @type {number} */ weight) =>
  weight < 0.005 ? "less than 1 %" : `${Math.round(100 * weight)} %`;

/**
 * "row 3", "rows 3–5".
 *
 * @param {number} first
 * @param {number} last
 * @param {string} one
 */
const span = (first, last, one) =>
  first === last ? `${one} ${first}` : `${one}s ${first}–${last}`;

/**
 * How many rows, from the first on, are those of SD 1.5.
 *
 * @param {Float32Array} moved
 */
export function unmoved(moved) {
  const first = moved.findIndex((one) => one !== 0);
  return first < 0 ? SLOTS : first;
}

/**
 * How the prompt fills its slots.
 *
 * @param {Filling} filling
 */
export function fillingSentence({ names, total, tail }) {
  const padding = names.filter((name) => name === "PAD").length; // typed text is lower case
  const rest = padding ? `${padding} filled with PAD` : "all full";
  return (
    `${count(total, "token")} for ${SLOTS - 2} slots between BOS and EOS: ` +
    (tail.length ? `${tail.length} fell off` : rest)
  );
}

/**
 * Which rows moved, in one sentence.
 *
 * @param {Shown} shown
 */
export function movedSentence({ mask, numbers: { moved } }) {
  if (mask === "causal") return "SD 1.5 has this mask alone: the others are measured from it.";
  const first = unmoved(moved);
  const against = "Against the causal mask alone,";
  if (first === SLOTS) return `${against} all 77 rows are the same to the last bit.`;
  const others = moved.slice(first);
  const by = `moved by ${far(Math.min(...others))} to ${far(Math.max(...others))}.`;
  if (!first) return `${against} no row is the same: all ${by}`;
  return (
    `${against} ${span(0, first - 1, "row")} are the same to the last bit, and ` +
    `${span(first, SLOTS - 1, "row")} ${by}`
  );
}

/**
 * What a row sees and how far it moved; and how much of its attention one slot gets.
 *
 * @param {Shown} shown
 * @param {number} row
 * @param {number | null} slot
 */
export function rowSentence({ filling, mask, numbers }, row, slot) {
  const named = (/** @type {number} */ at) => `${at} (${filling.names[at]})`;
  const last = lastSeen(filling, mask, row);
  const sees = `${span(0, last, "slot")}${last < row ? ", not itself" : ""}`;
  const moved = numbers.moved[row];
  const context =
    mask === "causal"
      ? ", as in SD 1.5."
      : moved === 0
        ? ". Its context did not move: exactly 0."
        : `. Its context moved by ${far(moved)}.`;
  const sentence = `Row ${named(row)} sees ${sees}${context}`;
  if (slot === null) return sentence;
  if (slot > last) return `${sentence} Slot ${named(slot)} is hidden from it.`;
  const weight = share(numbers.looks[row * SLOTS + slot]);
  return `${sentence} It gives ${weight} of its attention to slot ${named(slot)}.`;
}

/**
 * @param {Shown} shown
 * @returns {Table}
 */
export function slotsTable({ filling, mask, numbers: { moved } }) {
  const { ids, names, end, tail } = filling;
  return {
    caption: "What each slot holds, what its row sees, how far that moved; and what fell off",
    columns: ["slot", "token", "id", "PAD mask", "its row sees", "moved"],
    rows: [
      ...ids.map((id, slot) => [
        slot,
        names[slot],
        id,
        Number(slot <= end),
        `0–${lastSeen(filling, mask, slot)}`,
        moved[slot] === 0 ? "0" : moved[slot].toFixed(4),
      ]),
      ...tail.map(({ id, text }) => ["fell off", bareToken(text), id, "", "", ""]),
    ],
  };
}
