// @ts-check
// What can be said of pictures, [side · side · 3], red, green, blue.

const VISIBLE = 16; // of 255, in the channel that differs most: then a pixel has changed

/**
 * How many of two pictures' pixels differ visibly, in percent.
 *
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export function changedPercent(one, other) {
  const differs = (/** @type {number} */ at) => Math.abs(one[at] - other[at]) > VISIBLE;
  const pixels = one.length / 3;
  let changed = 0;
  for (let i = 0; i < pixels; i++) {
    if (differs(3 * i) || differs(3 * i + 1) || differs(3 * i + 2)) changed += 1;
  }
  return Math.round((100 * changed) / pixels);
}

/**
 * The mean of red, of green and of blue.
 *
 * @param {Uint8Array} pixels
 */
export function meanColor(pixels) {
  const sums = [0, 0, 0];
  pixels.forEach((value, i) => {
    sums[i % 3] += value;
  });
  return sums.map((sum) => Math.round((3 * sum) / pixels.length));
}
