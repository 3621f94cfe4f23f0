// @ts-check
// Byte pairs: a word's bytes as ids, merged pair by pair.

/** @import { Vocabulary } from "./vocabulary.js" */

const BPE_UTF8 = new TextEncoder();

/**
 * A word's bytes as ids; the last one is its end-of-word twin.
 *
 * @param {Vocabulary} vocabulary
 * @param {string} word
 */
export function wordIds({ idOfByte }, word) {
  const ids = Int32Array.from(BPE_UTF8.encode(word), (byte) => idOfByte[byte]);
  ids[ids.length - 1] += 256;
  return ids;
}

/**
 * The same from the tokens that the word has become, as CLIP writes them: their letters.
 *
 * @param {Vocabulary} vocabulary
 * @param {string[]} tokens
 */
export function letterIds({ symbols }, tokens) {
  const letters = [...tokens.join("").replace(/<\/w>$/, "")];
  const ids = Int32Array.from(letters, (letter) => symbols.indexOf(letter));
  ids[ids.length - 1] += 256;
  return ids;
}

/**
 * The definition: merge the pair of lowest rank, everywhere, until no pair has a rank. `each`
 * hears of every step. Only pairs beside a merge are looked up anew.
 *
 * @param {Vocabulary} vocabulary
 * @param {Int32Array} ids   of a word's bytes; they are written over
 * @param {(rank: number, ids: Int32Array) => void} [each]
 * @returns {Int32Array} ids
 */
export function mergeIds(vocabulary, ids, each) {
  const { rankOf, made, unranked } = vocabulary;
  const rankAt = ids.map((id, i) => rankOf(id, ids[i + 1] ?? -1));
  for (let count = ids.length; ;) {
    let rank = unranked;
    for (let i = 0; i < count; i++) if (rankAt[i] < rank) rank = rankAt[i];
    if (rank === unranked) return ids.subarray(0, count);
    let to = 0;
    for (let i = 0; i < count; i++, to++) {
      const hit = rankAt[i] === rank;
      if (hit) i++; // left to right without overlap: "aaa" becomes "aa a"
      ids[to] = hit ? made + rank : ids[i];
      rankAt[to] = rankAt[i];
    }
    count = to;
    for (let i = 0; i < count - 1; i++) {
      const beside = ids[i] === made + rank || ids[i + 1] === made + rank;
      if (beside) rankAt[i] = rankOf(ids[i], ids[i + 1]);
    }
    each?.(rank, ids.slice(0, count));
  }
}

/**
 * For each UTF-8 byte of a word, where its character begins in the word.
 *
 * @param {string} word
 */
export function bytePlaces(word) {
  const places = [];
  let at = 0;
  for (const char of word) {
    const code = /** @type {number} */ (char.codePointAt(0));
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (let byte = 0; byte < bytes; byte++) places.push(at);
    at += char.length;
  }
  return places;
}
