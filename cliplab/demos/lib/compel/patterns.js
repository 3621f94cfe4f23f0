// @ts-check
// The words of Compel's grammar.

import { PY_DIGIT, PY_SPACE } from "../prompt_text.js";

const COMPEL_BLANK = String.raw`[ \t\r\n]*`; // what pyparsing skips
const COMPEL_NUMBER = String.raw`(?:[+\-]?(?:${PY_DIGIT}+\.${PY_DIGIT}*|\.${PY_DIGIT}+)|-?[0-9]+)`;
const COMPEL_NAME = String.raw`[A-Za-z0-9_\-]+`;
const COMPEL_WEIGHT = String.raw`(\++|-+|${PY_DIGIT}+\.${PY_DIGIT}*|\.${PY_DIGIT}+|[0-9]+)`;

export const COMPEL = compelPatterns(COMPEL_BLANK, COMPEL_NUMBER, COMPEL_NAME, COMPEL_WEIGHT);

/**
 * @param {string} B
 * @param {string} number
 * @param {string} name
 * @param {string} weight
 */
function compelPatterns(B, number, name, weight) {
  const sign = String.raw`\t\r\n()",.+=\-`; // ends a word, as does a space
  const at = (/** @type {string} */ source) => new RegExp(source, "uy");
  return {
    skip: at(B),
    opener: /(?<!\\)\(/g,
    comma: new RegExp(`,[^${PY_SPACE}]`, "gu"),
    word: at(`(?:\\\\[()",.+=\\-]|[+\\-](?![ ${sign}]|$)|[^ \\f\\v${sign}])+`),
    freeWord: at(String.raw`[^ \t\n\r\v\f]+`),
    // pyparsing's White() passes over other blanks before its own; \f gets by in no other way.
    gap: at(String.raw`[\f\xa0\u1680\u180e\u2000-\u200b\u202f\u205f\u3000]*[ \t\r\n]+`),
    afterWord: at(String.raw`(\++|-+)`),
    afterGroup: at(weight),
    attend: at(String.raw`\.attend${B}\(${B}${weight}${B}\)`),
    swap: at(String.raw`\.swap${B}\(`),
    swaps: new RegExp(String.raw`\.swap${B}\(`, "gu"),
    lora: at(String.raw`(?:useLora|withLora)${B}\(${B}(${name})(?:${B},${B}(${number}))?${B}\)`),
    option: at(`(${name})${B}=${B}(?:(${number})|(${name}))|(${number})|(${name})`),
    operator: at(String.raw`(\.blend|\.and|\.add)${B}\(`),
    quote: at(String.raw`"((?:\\"|[^"\n\r])*)`),
    // pyparsing turns these into characters. Its digits are single: a slip in its own pattern.
    character: /\\(?:[tnfr]|[0-7]3|0|x[0-9a-fA-F]2|u[0-9a-fA-F]4)/g,
    escapes: /(\\+)([()"]?)/g,
  };
}
