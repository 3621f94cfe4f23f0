// @ts-check
// Weighted fragments → chunks of 77 tokens with a weight each, cut as each tool cuts them; as
// cliplab's PromptEncoder does it.

/** @import { Chunk, Fragment, Syntax, Tokenizer } from "./types.js" */

/** @typedef {{ id: number, symbol: string, weight: number, fragment: number }} WeightedToken */

const CHUNK_LENGTH = 77;
const CHUNK_ROOM = CHUNK_LENGTH - 2; // BOS and EOS are there already
/** A1111's BREAK, between tokens: the chunk ends here. */
const CHUNK_BREAK = { id: -1, symbol: "", weight: -1, fragment: -1 };

/**
 * Fragments tokenized one by one and cut as the tool cuts, in chunks of 77.
 *
 * @param {Tokenizer} tokenizer
 * @param {Fragment[]} fragments
 * @param {Syntax} syntax
 * @returns {Chunk[]}
 */
export function weightedTokens(tokenizer, fragments, syntax) {
  const groups = fragments.flatMap((fragment, k) => chunkGroups(tokenizer, fragment, k, syntax));
  return cutGroups(groups, syntax).map((chunk) => ({
    ids: chunkRow(
      tokenizer.bos,
      chunk.map((token) => token.id),
      tokenizer.eos,
    ),
    weights: chunkRow(
      1,
      chunk.map((token) => token.weight),
      1,
    ),
    fragments: chunkRow(
      null,
      chunk.map((token) => token.fragment),
      null,
    ),
  }));
}

/**
 * 77 entries: one for BOS, the tokens' own, and one for EOS and each padding.
 *
 * @template T
 * @param {T} first
 * @param {T[]} rest
 * @param {T} last
 */
function chunkRow(first, rest, last) {
  const row = [first, ...rest];
  while (row.length < CHUNK_LENGTH) row.push(last);
  return row;
}

/**
 * The tokens of a fragment; for ComfyUI in groups, which it keeps together in a chunk.
 *
 * @param {Tokenizer} tokenizer
 * @param {Fragment} fragment
 * @param {number} k  its number
 * @param {Syntax} syntax
 * @returns {WeightedToken[][]}
 */
function chunkGroups(tokenizer, { text, weight }, k, syntax) {
  if (syntax === "a1111" && text === "BREAK" && weight === -1) return [[CHUNK_BREAK]];
  const texts = syntax === "comfyui" ? text.split(/[ \n](?=embedding:)/) : [text];
  return texts.map((one) =>
    tokenizer.tokenize(one).map(({ id, text: symbol }) => ({ id, symbol, weight, fragment: k })),
  );
}

/**
 * @param {WeightedToken[][]} groups
 * @param {Syntax} syntax
 */
function cutGroups(groups, syntax) {
  if (syntax === "comfyui") return cutComfyui(groups);
  return syntax === "compel" ? cutCompel(groups.flat()) : cutA1111(groups.flat());
}

/**
 * Cut when 75 are full; if a comma stands among the last 20, right after it; and at BREAK.
 *
 * @param {WeightedToken[]} tokens
 */
function cutA1111(tokens) {
  /** @type {WeightedToken[][]} */
  const chunks = [];
  /** @type {WeightedToken[]} */
  let chunk = [];
  let afterComma = 0;
  const close = (end = chunk.length) => {
    chunks.push(chunk.slice(0, end));
    chunk = chunk.slice(end);
    afterComma = 0;
  };
  for (const token of tokens) {
    if (token === CHUNK_BREAK) {
      close();
      continue;
    }
    if (token.symbol === ",</w>") afterComma = chunk.length + 1;
    else if (chunk.length === CHUNK_ROOM && afterComma && CHUNK_ROOM - afterComma < 20) {
      close(afterComma);
    }
    if (chunk.length === CHUNK_ROOM) close();
    chunk.push(token);
  }
  return chunk.length || !chunks.length ? [...chunks, chunk] : chunks;
}

/**
 * Keep a weighted segment whole if it has fewer than 8 tokens, else cut it where 75 are full.
 *
 * @param {WeightedToken[][]} groups
 */
function cutComfyui(groups) {
  /** @type {WeightedToken[][]} */
  const chunks = [[]];
  for (let group of groups) {
    for (let room; (room = CHUNK_ROOM - chunks[chunks.length - 1].length) < group.length;) {
      const fits = group.length >= 8 ? room : 0;
      chunks[chunks.length - 1].push(...group.slice(0, fits));
      group = group.slice(fits);
      chunks.push([]);
    }
    chunks[chunks.length - 1].push(...group);
  }
  return chunks;
}

/**
 * Cut after the last full stop among 75; or the last of . , ; : ; or the last whole word.
 *
 * @param {WeightedToken[]} tokens
 */
function cutCompel(tokens) {
  const ends = [/^\.<\/w>$/, /^[.,;:]<\/w>$/, /<\/w>$/];
  const chunks = [];
  let rest = tokens;
  do {
    let end = CHUNK_ROOM;
    if (rest.length > CHUNK_ROOM) {
      const last = (/** @type {RegExp} */ rule) =>
        rest.slice(0, CHUNK_ROOM).findLastIndex((t) => rule.test(t.symbol));
      end = ends.map((rule) => last(rule) + 1).find((found) => found > 0) ?? CHUNK_ROOM;
    }
    chunks.push(rest.slice(0, end));
    rest = rest.slice(end);
  } while (rest.length);
  return chunks;
}
