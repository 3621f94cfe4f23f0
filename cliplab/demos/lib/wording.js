// @ts-check
// Numbers and lists in a sentence.

/**
 * "1 token", "2 tokens".
 *
 * @param {number} n
 * @param {string} one
 */
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/**
 * 0.31 and −0.12, with a minus sign as wide as a digit, and none before a zero.
 *
 * @param {number} value
 */
export function signed(value, places = 2) {
  const text = Math.abs(value).toFixed(places);
  return value < 0 && Number(text) ? `−${text}` : text;
}

/**
 * A share in percent: 12.3 %, 0.45 %.
 *
 * @param {number} share
 */
export const percentText = (share) => `${(100 * share).toFixed(share < 0.00995 ? 2 : 1)}\u00a0%`;

/**
 * “red”, “blue” and “pink”.
 *
 * @param {string[]} words
 * @param {string} last   "and", "or": before the last one
 */
export function quoted(words, last) {
  const marked = words.map((word) => `“${word}”`);
  const end = marked.slice(-2).join(` ${last} `);
  return [...marked.slice(0, -2), end].join(", ");
}
