// @ts-check
// How Python reads text and numbers, where JavaScript would do it otherwise; and how the prompt
// grammars complain. Their sentences are those of cliplab's PromptError and PromptWarning.

/** Python's white space (str.isspace, and \s in its patterns), for use inside [ ]. */
export const PY_SPACE = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;

/** Python's \w and \d, for use inside [ ] of a pattern with the flag u. */
export const PY_WORD = String.raw`\p{L}\p{N}_`;
export const PY_DIGIT = String.raw`\p{Nd}`;

/**
 * A pattern for a word that stands alone, as Python's \b bounds it.
 *
 * @param {string} word
 */
export const pyWholeWord = (word) => new RegExp(`(?<![${PY_WORD}])${word}(?![${PY_WORD}])`, "gu");

const PY_LEFT = new RegExp(`^[${PY_SPACE}]+`);
const PY_RIGHT = new RegExp(`[${PY_SPACE}]$`);
const PY_DIGITS = "[0-9]+(?:_[0-9]+)*";
const PY_FLOAT = new RegExp(
  `^[+-]?(?:(?:${PY_DIGITS}\\.?(?:${PY_DIGITS})?|\\.${PY_DIGITS})(?:e[+-]?${PY_DIGITS})?` +
    "|inf(?:inity)?|nan)$",
  "i",
);
/** @type {Record<string, string>} */
const PY_NAMED = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\" };

/**
 * str.lstrip
 *
 * @param {string} text
 */
export const pyLstrip = (text) => text.replace(PY_LEFT, "");

/**
 * str.rstrip
 *
 * @param {string} text
 */
export function pyRstrip(text) {
  let end = text.length; // a pattern would begin anew at each blank
  while (end && PY_RIGHT.test(text[end - 1])) end--;
  return text.slice(0, end);
}

/**
 * str.strip
 *
 * @param {string} text
 */
export const pyStrip = (text) => pyLstrip(pyRstrip(text));

/**
 * float(text), or null where Python raises: digits of any script, underscores, inf, nan.
 *
 * @param {string} text
 */
export function pyFloat(text) {
  const plain = pyStrip(text).replace(/(?![0-9])\p{Nd}/gu, pyDigitValue);
  if (!PY_FLOAT.test(plain)) return null;
  if (/nan$/i.test(plain)) return NaN;
  if (/^[+-]?inf/i.test(plain)) return plain[0] === "-" ? -Infinity : Infinity;
  return Number(plain.replaceAll("_", ""));
}

/**
 * Digits come in rows from 0 to 9, so a digit's value is how far its row reaches before it.
 *
 * @param {string} digit
 */
function pyDigitValue(digit) {
  const code = codeOf(digit);
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String((code - first) % 10);
}

/**
 * The code point of a character.
 *
 * @param {string} char
 */
const codeOf = (char) => /** @type {number} */ (char.codePointAt(0));

/**
 * repr of a float: 1.0, 0.5, 1e+16, 1e-05.
 *
 * @param {number} number
 */
export function pyFloatRepr(number) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "nan" : number < 0 ? "-inf" : "inf";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return number.toExponential().replace(/([+-])(\d)$/, "$10$2");
  }
  const text = Object.is(number, -0) ? "-0" : String(number);
  return text.includes(".") ? text : `${text}.0`;
}

/**
 * repr of a str, cut after `most` characters.
 *
 * @param {string} text
 */
export function pyRepr(text, most = Infinity) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = [...text].map((char) => {
    if (char === quote) return `\\${char}`;
    if (PY_NAMED[char]) return PY_NAMED[char];
    if (char === " " || !/[\p{C}\p{Z}]/u.test(char)) return char;
    const code = codeOf(char).toString(16);
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
  return pyCut(quote + body.join("") + quote, most);
}

/**
 * The first `most` characters of a text.
 *
 * @param {string} text
 * @param {number} most
 */
export const pyCut = (text, most) => [...text].slice(0, most).join("");

/**
 * What a pattern with the flag y matches at a place; null if nothing.
 *
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} at
 */
export function pyMatch(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * An Error whose `position` is the place in the prompt, in UTF-16 units, where reading fails.
 *
 * @param {string} message
 * @param {number} position
 */
export function promptError(message, position) {
  return Object.assign(new Error(message), { name: "PromptError", position });
}
