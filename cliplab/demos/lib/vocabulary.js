// @ts-check
// A vocabulary of byte pairs from its merges: symbols, and the rank of every pair, looked up fast.

const BPE_BOS = "<|startoftext|>";
const BPE_EOS = "<|endoftext|>";

/**
 * A vocabulary: data that the tokenizer's functions read.
 *
 * symbols    what each id writes: bytes, bytes that end a word, merges in rank order, BOS, EOS
 * idOfByte   [256]
 * bytesOf    how many bytes each id stands for
 * made       the merge of rank r makes the id made + r
 * unranked   the rank of a pair that no merge takes; higher than any
 * rankOf     (left, right) → the pair's rank
 *
 * @param {number[]} merges  [left, right, left, right, …], ids, in rank order
 */
export function createVocabulary(merges) {
  const alphabet = bpeAlphabet();
  const letters = alphabet.map(bpeLetter);
  const symbols = [...letters, ...letters.map((letter) => letter + "</w>")];
  const made = symbols.length;
  const idOfByte = new Uint8Array(256);
  alphabet.forEach((byte, id) => (idOfByte[byte] = id));
  const bytesOf = new Uint16Array(made + merges.length / 2 + 2).fill(1, 0, made);
  for (let i = 0; i < merges.length; i += 2) {
    const [left, right] = [merges[i], merges[i + 1]];
    bytesOf[symbols.length] = bytesOf[left] + bytesOf[right];
    symbols.push(symbols[left] + symbols[right]);
  }
  const bos = symbols.push(BPE_BOS) - 1;
  const eos = symbols.push(BPE_EOS) - 1;
  const unranked = symbols.length;
  const rankOf = bpeRanks(merges, unranked);
  return { merges, symbols, idOfByte, bytesOf, made, bos, eos, unranked, rankOf };
}

/** @typedef {ReturnType<typeof createVocabulary>} Vocabulary */

/**
 * The ranks of pairs, hashed by hand: a Map takes five times as long to fill, and a page waits.
 *
 * @param {number[]} merges
 * @param {number} unranked
 */
function bpeRanks(merges, unranked) {
  const table = new Int32Array(2 ** Math.ceil(Math.log2(merges.length + 1024))).fill(-1);
  const mask = table.length - 1;
  const slotOf = (/** @type {number} */ left, /** @type {number} */ right) => {
    let slot = (Math.imul(Math.imul(left, 0x85ebca6b) ^ right, 0x9e3779b1) >>> 12) & mask;
    for (;;) {
      const rank = table[slot];
      if (rank < 0 || (merges[2 * rank] === left && merges[2 * rank + 1] === right)) return slot;
      slot = (slot + 1) & mask;
    }
  };
  for (let i = 0; i < merges.length; i += 2) table[slotOf(merges[i], merges[i + 1])] = i / 2;
  return (/** @type {number} */ left, /** @type {number} */ right) => {
    const rank = table[slotOf(left, right)];
    return rank < 0 ? unranked : rank;
  };
}

/** The bytes in the order of their ids: those that print first, as in GPT-2. */
function bpeAlphabet() {
  const prints = (/** @type {number} */ byte) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  return [...bytes.filter(prints), ...bytes.filter((byte) => !prints(byte))];
}

/**
 * A byte's visible character: itself if it prints, else one from U+0100 on.
 *
 * @param {number} byte
 * @param {number} id
 */
function bpeLetter(byte, id) {
  return String.fromCharCode(id < 188 ? byte : 256 + id - 188);
}
