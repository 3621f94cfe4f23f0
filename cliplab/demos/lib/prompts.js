// Prompt strings → weighted fragments → chunks of 77 tokens with a weight each, as cliplab has them
// (parse_prompt, PromptEncoder). Golden vectors hold the two together. Places are UTF-16 offsets.

import { readA1111 } from "./a1111.js";
import { readComfyui } from "./comfyui.js";
import { readCompel } from "./compel.js";

const PROMPT_GRAMMARS = {
  a1111: readA1111,
  comfyui: readComfyui,
  compel: readCompel,
  plain: (prompt) => [{ text: prompt, weight: 1, start: 0, end: prompt.length }],
};
const CHUNK_LENGTH = 77;
const CHUNK_ROOM = CHUNK_LENGTH - 2; // BOS and EOS are there already
const CHUNK_BREAK = { id: -1 }; // A1111's BREAK, between tokens: the chunk ends here

/**
 * {fragments: [{text, weight, start, end}], warnings: [{message, position}]} of a prompt.
 *
 * syntax  "a1111", "comfyui", "compel" or "plain". Throws an Error named "PromptError" with a
 *         `position` where cliplab raises PromptError, in the same words.
 */
export function parsePrompt(prompt, syntax) {
  if (!Object.hasOwn(PROMPT_GRAMMARS, syntax)) {
    throw new Error(
      `syntax is one of ${Object.keys(PROMPT_GRAMMARS).join(", ")}; not '${syntax}'.`,
    );
  }
  const warnings = [];
  const warn = (message, position) => warnings.push({ message, position });
  return { fragments: PROMPT_GRAMMARS[syntax](prompt, warn), warnings };
}

/**
 * Fragments tokenized one by one and cut as the tool cuts, in chunks of 77: [{ids, weights,
 * fragments}], each a list of 77; `fragments` has the number of a token's fragment, or null for
 * BOS, EOS and padding, which weigh 1.
 */
export function weightedTokens(tokenizer, fragments, syntax) {
  const groups = fragments.flatMap((fragment, k) => chunkGroups(tokenizer, fragment, k, syntax));
  const cut =
    syntax === "comfyui"
      ? cutComfyui(groups)
      : syntax === "compel"
        ? cutCompel(groups.flat())
        : cutA1111(groups.flat());
  return cut.map((chunk) => {
    const fill = (first, rest, last) => {
      const row = [first, ...rest];
      while (row.length < CHUNK_LENGTH) row.push(last);
      return row;
    };
    return {
      ids: fill(
        tokenizer.bos,
        chunk.map((token) => token.id),
        tokenizer.eos,
      ),
      weights: fill(
        1,
        chunk.map((token) => token.weight),
        1,
      ),
      fragments: fill(
        null,
        chunk.map((token) => token.fragment),
        null,
      ),
    };
  });
}

/** The tokens of a fragment; for ComfyUI in groups, which it keeps together in a chunk. */
function chunkGroups(tokenizer, { text, weight }, k, syntax) {
  if (syntax === "a1111" && text === "BREAK" && weight === -1) return [[CHUNK_BREAK]];
  const texts = syntax === "comfyui" ? text.split(/[ \n](?=embedding:)/) : [text];
  return texts.map((one) =>
    tokenizer.tokenize(one).map(({ id, text: symbol }) => ({ id, symbol, weight, fragment: k })),
  );
}

/** Cut when 75 are full; if a comma stands among the last 20, right after it; and at BREAK. */
function cutA1111(tokens) {
  const chunks = [];
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

/** Keep a weighted segment whole if it has fewer than 8 tokens, else cut it where 75 are full. */
function cutComfyui(groups) {
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

/** Cut after the last full stop among 75; or the last of . , ; : ; or the last whole word. */
function cutCompel(tokens) {
  const ends = [/^\.<\/w>$/, /^[.,;:]<\/w>$/, /<\/w>$/];
  const chunks = [];
  let rest = tokens;
  do {
    let end = CHUNK_ROOM;
    if (rest.length > CHUNK_ROOM) {
      const last = (rule) => rest.slice(0, CHUNK_ROOM).findLastIndex((t) => rule.test(t.symbol));
      end = ends.map((rule) => last(rule) + 1).find((found) => found > 0) ?? CHUNK_ROOM;
    }
    chunks.push(rest.slice(0, end));
    rest = rest.slice(end);
  } while (rest.length);
  return chunks;
}
