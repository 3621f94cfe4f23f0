// CLIP's tokenizer as cliplab/tokenizer has it under clean="hf": clean the text, cut it into words,
// write each word as bytes, merge the bytes. Golden vectors hold the two together; letters that are
// newer than a browser's or Python's Unicode tables are cut as each one's tables say.
//
// Places are UTF-16 offsets into what was typed, as JavaScript's strings count: text.slice(start,
// end) is what stands there. Half of a surrogate pair, which Python refuses, is read as U+FFFD.

import { pyRepr } from "./prompt_text.js";

const BPE_BOS = "<|startoftext|>";
const BPE_EOS = "<|endoftext|>";
const BPE_SPECIAL = /(<\|startoftext\|>|<\|endoftext\|>)/;
const BPE_WORD = new RegExp(
  `${BPE_SPECIAL.source}|'s|'t|'re|'ve|'m|'ll|'d` +
    String.raw`|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+`,
  "gu",
);
const BPE_UTF8 = new TextEncoder();

/**
 * A tokenizer from its merges: {merges: [left, right, left, right, …]}, ids, in rank order.
 *
 *   tokenize(text)   [{id, text, start, end, word}] without BOS and EOS; text as CLIP writes the
 *                    token ("dog</w>"), word the number of its word
 *   encode(text)     [bos, …ids, eos], unpadded and uncut
 *   lengthNormalize(ids, length, pad)   {ids, lost}: cut or padded to one length; lost ids
 *   mergeSteps(word) [{pair, rank, pieces}], the ladder of one word; an Error if it is not one
 *   bytes(word)      [{byte, piece}], the rung below the ladder
 *   symbols, bos, eos, size
 */
export function createTokenizer({ merges }) {
  const alphabet = bpeAlphabet();
  const letters = alphabet.map(bpeLetter);
  const symbols = [...letters, ...letters.map((letter) => letter + "</w>")];
  const idOfByte = new Uint8Array(256);
  alphabet.forEach((byte, id) => (idOfByte[byte] = id));
  const made = symbols.length; // made + rank is the id that a merge makes
  const bytesOf = new Uint16Array(made + merges.length / 2 + 2).fill(1, 0, made);
  // Pair → rank, hashed by hand: a Map takes five times as long to fill, and a page waits for it.
  const table = new Int32Array(2 ** Math.ceil(Math.log2(merges.length + 1024))).fill(-1);
  const mask = table.length - 1;
  const slotOf = (left, right) => {
    let slot = (Math.imul(Math.imul(left, 0x85ebca6b) ^ right, 0x9e3779b1) >>> 12) & mask;
    for (;;) {
      const rank = table[slot];
      if (rank < 0 || (merges[2 * rank] === left && merges[2 * rank + 1] === right)) return slot;
      slot = (slot + 1) & mask;
    }
  };
  for (let i = 0; i < merges.length; i += 2) {
    const left = merges[i];
    const right = merges[i + 1];
    table[slotOf(left, right)] = i / 2;
    bytesOf[symbols.length] = bytesOf[left] + bytesOf[right];
    symbols.push(symbols[left] + symbols[right]);
  }
  const bos = symbols.push(BPE_BOS) - 1;
  const eos = symbols.push(BPE_EOS) - 1;

  const unranked = symbols.length;
  const rankOf = (left, right) => {
    const rank = table[slotOf(left, right)];
    return rank < 0 ? unranked : rank;
  };

  function wordIds(word) {
    const ids = Int32Array.from(BPE_UTF8.encode(word), (byte) => idOfByte[byte]);
    ids[ids.length - 1] += 256; // the last byte is its end-of-word twin
    return ids;
  }

  /**
   * The definition: merge the pair of lowest rank, everywhere, until no pair has a rank. `each`
   * hears of every step. Only pairs beside a merge are looked up anew.
   */
  function merge(word, each = null) {
    const ids = wordIds(word);
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

  function tokenize(text) {
    const tokens = [];
    let words = 0;
    let first = 0; // where the part between specials begins
    for (const part of text.split(BPE_SPECIAL)) {
      if (part === BPE_BOS || part === BPE_EOS) {
        const id = part === BPE_BOS ? bos : eos;
        tokens.push({ id, text: part, start: first, end: first + part.length, word: words++ });
      } else {
        const { cleaned, starts, ends } = bpeClean(part);
        for (const { 0: word, index } of cleaned.matchAll(BPE_WORD)) {
          const at = bpePlaces(word); // of each byte
          let byte = 0;
          // Specials that only lower-casing has made are "<|", a word, "|>", as in transformers.
          for (const id of bpeParts(word).flatMap((one) => [...merge(one)])) {
            const start = first + starts[index + at[byte]];
            byte += bytesOf[id];
            const end = first + ends[index + at[byte - 1]];
            tokens.push({ id, text: symbols[id], start, end, word: words });
          }
          words++;
        }
      }
      first += part.length;
    }
    return tokens;
  }

  function encode(text) {
    return [bos, ...tokenize(text).map((token) => token.id), eos];
  }

  function lengthNormalize(sequence, length = 77, pad = sequence[sequence.length - 1]) {
    const end = sequence[sequence.length - 1];
    const kept = [...sequence.slice(0, -1).slice(0, length - 1), end];
    let used = sequence.length; // padding that is there already is not lost when it is cut
    while (used > 1 && sequence[used - 2] === end) used--;
    const padding = new Array(length - kept.length).fill(pad);
    return { ids: [...kept, ...padding], lost: sequence.slice(length - 1, Math.max(used - 1, 0)) };
  }

  function mergeSteps(word) {
    const words = Array.from(bpeClean(word).cleaned.matchAll(BPE_WORD), (match) => match[0]);
    if (words.length !== 1) {
      const shown = `[${words
        .slice(0, 8)
        .map((one) => pyRepr(one))
        .join(", ")}]`;
      throw new Error(
        `merge_steps takes one word; ${pyRepr(word, 60)} is cut into ${words.length}: ${shown}.`,
      );
    }
    if (words[0] === BPE_BOS || words[0] === BPE_EOS) {
      throw new Error(`merge_steps takes one word; ${pyRepr(word)} is a special token.`);
    }
    const steps = [];
    const write = (ids) => Array.from(ids, (id) => symbols[id]);
    merge(words[0], (rank, ids) => {
      const pair = write(merges.slice(2 * rank, 2 * rank + 2));
      steps.push({ pair, rank, pieces: write(ids) });
    });
    return steps;
  }

  function bytes(word) {
    const { cleaned } = bpeClean(word);
    const found = BPE_UTF8.encode(cleaned);
    return Array.from(wordIds(cleaned), (id, i) => ({ byte: found[i], piece: symbols[id] }));
  }

  const size = symbols.length;
  return { tokenize, encode, lengthNormalize, mergeSteps, bytes, symbols, bos, eos, size };
}

/** A token as a reader knows it, without the mark of a word's end. */
export const bareToken = (symbol) => symbol.replace(/<\/w>$/, "");

/** The bytes in the order of their ids: those that print first, as in GPT-2. */
function bpeAlphabet() {
  const prints = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  return [...bytes.filter(prints), ...bytes.filter((byte) => !prints(byte))];
}

/** A byte's visible character: itself if it prints, else one from U+0100 on. */
function bpeLetter(byte, id) {
  return String.fromCharCode(id < 188 ? byte : 256 + id - 188);
}

function bpeParts(word) {
  const special = word === BPE_BOS || word === BPE_EOS;
  return special ? ["<|", word.slice(2, -2), "|>"] : [word];
}

/** For each UTF-8 byte of a word, where its character begins in the word. */
function bpePlaces(word) {
  const places = [];
  let at = 0;
  for (const char of word) {
    const code = char.codePointAt(0);
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (let byte = 0; byte < bytes; byte++) places.push(at);
    at += char.length;
  }
  return places;
}

/**
 * A text composed (NFC) and in lower case; for each unit of it the (start, end) typed for it. White
 * space stays as it is, for no word has any. Lower-casing goes letter by letter: no final sigma.
 */
function bpeClean(text) {
  const starts = [];
  const ends = [];
  let cleaned = "";
  let first = 0;
  for (const piece of bpePieces(text)) {
    const typed = [...piece];
    const composed = piece === typed[0] && piece < "\x80" ? typed : [...piece.normalize("NFC")];
    // As many characters as before: they only changed places or not at all, so each keeps its own.
    const own = composed.length === typed.length;
    let at = first;
    composed.forEach((char, k) => {
      const start = own ? at : first;
      const end = own ? (at += typed[k].length) : first + piece.length;
      const lower = char.toLowerCase();
      cleaned += lower;
      for (let unit = 0; unit < lower.length; unit++) {
        starts.push(start);
        ends.push(end);
      }
    });
    first += piece.length;
  }
  return { cleaned, starts, ends };
}

/** Cut a text wherever NFC of the two sides is NFC of the whole. */
function* bpePieces(text) {
  let piece = "";
  for (const char of text) {
    if (piece && !bpeJoins(piece, char)) {
      yield piece;
      piece = char;
    } else {
      piece += char;
    }
  }
  if (piece) yield piece;
}

/** Whether a character belongs to the piece before it: a combining mark, or a Hangul vowel. */
function bpeJoins(piece, char) {
  if (char < "\x80") return false;
  if (bpeCombines(char)) return true;
  if (piece.charCodeAt(piece.length - 1) < 128) return false;
  return (piece + char).normalize("NFC") !== piece.normalize("NFC") + char.normalize("NFC");
}

/**
 * Python's unicodedata.combining(char) > 0. JavaScript does not tell, but its NFD sorts marks by
 * that number: U+0345 has the highest, so that every other mark comes to stand before it. Three
 * letters of number 0 that decompose into marks would as well.
 */
function bpeCombines(char) {
  if (!/\p{M}/u.test(char) || /[\u0f73\u0f75\u0f81]/.test(char)) return false;
  return char === "\u0345" || ("\u0345" + char).normalize("NFD")[0] !== "\u0345";
}
