// @ts-check
// What the demo says of readings and rows, in words.

import { count } from "../lib/wording.js";
import { ROWS } from "./reading.js";

/** @import { Refusal } from "./reading.js" */
/** @import { MovedReading } from "./movement.js" */

const NOTICED = 1e-5; // a row that moved less has not moved: that is rounding

/**
 * Whether a row has moved; a distance that is no number is no rest.
 *
 * @param {number} distance
 */
export const hasMoved = (distance) => !(distance < NOTICED);

/** @param {number} distance */
export const distanceText = (distance) =>
  Number.isFinite(distance) ? `${(100 * distance).toFixed(distance < 0.1 ? 1 : 0)} %` : "?";

/** @param {number} weight */
export const weightText = (weight) => String(Number(weight.toFixed(3)));

/**
 * How many rows each tool changes.
 *
 * @param {(MovedReading | Refusal)[]} readings
 */
export function summary(readings) {
  const said = readings.map((reading) => {
    if (reading.error) return `${reading.tool.name} cannot read this`;
    const changed = reading.moved.filter(hasMoved).length;
    return changed
      ? `${reading.tool.name} changes ${count(changed, "row")} of ${ROWS}`
      : `${reading.tool.name} changes no row`;
  });
  return `${said.join("; ")}.`;
}

/**
 * What a tool does to one row.
 *
 * @param {MovedReading} reading
 * @param {number} row
 */
export function rowSentence({ tool, names, weights, moved, cosine }, row) {
  const weight = weights[row];
  const weighs = weight === 1 ? "no weight" : `weight ${weightText(weight)}`;
  const moves = hasMoved(moved[row])
    ? `moves by ${distanceText(moved[row])} of its length, cosine ${cosine[row].toFixed(3)}.`
    : "stays where it was.";
  return `${tool.name}, row ${row}, “${names[row]}”: ${weighs}; the row ${moves}`;
}

/**
 * Every token of every tool that can read the prompt, as a table.
 *
 * @param {(MovedReading | Refusal)[]} readings
 */
export function weightsTable(readings) {
  return {
    caption:
      "Every token of every tool: its weight, how far its row moves in lengths of the row, " +
      "and the cosine with the row as it was",
    columns: ["tool", "row", "token", "weight", "moved", "cosine"],
    rows: readings.flatMap((reading) => {
      if (reading.error) return [];
      const { tool, names, weights, moved, cosine, end } = reading;
      return Array.from({ length: Math.min(end + 2, ROWS) }, (_, row) => [
        tool.name,
        row,
        names[row],
        weightText(weights[row]),
        moved[row].toFixed(4),
        cosine[row].toFixed(4),
      ]);
    }),
  };
}
