// @ts-check
// CLIP's cleaning of a text, as cliplab/tokenizer/cleaning.py has it under clean="hf": composed
// (NFC) and in lower case, with the place of each unit in what was typed.

/**
 * A text composed (NFC) and in lower case; for each unit of it the (start, end) typed for it. White
 * space stays as it is, for no word has any. Lower-casing goes letter by letter: no final sigma.
 *
 * @param {string} text
 */
export function bpeClean(text) {
  /** @type {number[]} */
  const starts = [];
  /** @type {number[]} */
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

/**
 * Cut a text wherever NFC of the two sides is NFC of the whole.
 *
 * @param {string} text
 */
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

/**
 * Whether a character belongs to the piece before it: a combining mark, or a Hangul vowel.
 *
 * @param {string} piece
 * @param {string} char
 */
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
 *
 * @param {string} char
 */
function bpeCombines(char) {
  if (!/\p{M}/u.test(char) || /[\u0f73\u0f75\u0f81]/.test(char)) return false;
  return char === "\u0345" || ("\u0345" + char).normalize("NFD")[0] !== "\u0345";
}
