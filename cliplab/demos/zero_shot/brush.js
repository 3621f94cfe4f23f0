// @ts-check
// A round brush on a picture's pixels. Plain data: places are [x, y] in pixels, from the top left.

import { MATCHING_SIDE } from "../lib/matching.js";

/** @typedef {[number, number]} Spot  x from the left, y from the top */

export const BRUSH = 3; // its radius, in pixels of the picture

/** @type {Record<string, [number, number, number]>} */
export const PAINTS = {
  black: [0, 0, 0],
  white: [255, 255, 255],
  red: [222, 32, 38],
  orange: [255, 140, 0],
  yellow: [247, 215, 22],
  green: [28, 150, 62],
  blue: [36, 70, 214],
  brown: [120, 72, 40],
};

export const whitePaper = () => new Uint8Array(3 * MATCHING_SIDE ** 2).fill(255);

/**
 * The picture with a line from one place to another, drawn by the brush.
 *
 * @param {Uint8Array} pixels  [64 · 64 · 3]: red, green, blue; it stays as it is
 * @param {Spot} from
 * @param {Spot} to
 * @param {string} paint  of PAINTS
 */
export function painted(pixels, [x0, y0], [x1, y1], paint) {
  const made = pixels.slice();
  const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0)));
  for (let k = 0; k <= steps; k++) {
    const [x, y] = [x0 + ((x1 - x0) * k) / steps, y0 + ((y1 - y0) * k) / steps];
    for (const row of reached(y)) {
      for (const column of reached(x)) {
        if ((row - y) ** 2 + (column - x) ** 2 > BRUSH ** 2) continue;
        made.set(PAINTS[paint], 3 * (row * MATCHING_SIDE + column));
      }
    }
  }
  return made;
}

/**
 * The rows or columns of the picture that a brush at this place reaches.
 *
 * @param {number} place
 */
const reached = (place) =>
  Array.from({ length: MATCHING_SIDE }, (_, i) => i).filter((i) => Math.abs(i - place) <= BRUSH);
