// Compel's prompt grammar, as cliplab/prompts/compel reads it: first what stands in the prompt (the
// reader), then which of Compel's three kinds the whole is, then the fragments (flatten).
//
// A node is {kind: "text", text, start, end}, {kind: "group", weight, children}, {kind: "lora", …}
// or {kind: "exchange", …}, a .swap(…). Readers give [node, where it ends] or null.

import { PY_DIGIT, PY_SPACE, promptError, pyFloat, pyFloatRepr } from "./prompt_text.js";
import { pyCut, pyLstrip, pyMatch, pyRepr, pyStrip } from "./prompt_text.js";

const COMPEL_PLUS = 1.1;
const COMPEL_MINUS = 0.9;
const COMPEL_SWAP_OPTIONS = ["s_start", "s_end", "t_start", "t_end", "shape_freedom"];

const COMPEL = compelPatterns();

function compelPatterns() {
  const B = String.raw`[ \t\r\n]*`; // what pyparsing skips
  const D = PY_DIGIT;
  const number = String.raw`(?:[+\-]?(?:${D}+\.${D}*|\.${D}+)|-?[0-9]+)`;
  const name = String.raw`[A-Za-z0-9_\-]+`;
  const weight = String.raw`(\++|-+|${D}+\.${D}*|\.${D}+|[0-9]+)`;
  const sign = String.raw`\t\r\n()",.+=\-`; // ends a word, as does a space
  const at = (source) => new RegExp(source, "uy");
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
    lora: at(String.raw`(?:useLora|withLora)${B}\(${B}(${name})(?:${B},${B}(${number}))?${B}\)`),
    option: at(`(${name})${B}=${B}(?:(${number})|(${name}))|(${number})|(${name})`),
    operator: at(String.raw`(\.blend|\.and|\.add)${B}\(`),
    quote: at(String.raw`"((?:\\"|[^"\n\r])*)`),
    // pyparsing turns these into characters. Its digits are single: a slip in its own pattern.
    character: /\\(?:[tnfr]|[0-7]3|0|x[0-9a-fA-F]2|u[0-9a-fA-F]4)/g,
    escapes: /(\\+)([()"]?)/g,
  };
}

/**
 * A whole prompt: {prompts, weights, loras, place, operator, warnings}.
 *
 * Each of `prompts` is {fragments}, where a .swap() is {original, edited, start, end}, or {blend:
 * [{fragments}, …], weights, normalize}. `operator` is "", ".and" or ".blend", at `place`.
 */
export function parseCompel(prompt) {
  const warnings = [];
  const tree = compelTree(prompt);
  const loras = [...tree.before];
  const dropped = [];
  let prompts = [];
  let weights = [];
  tree.parts.forEach((part, k) => {
    const flat = compelFlatten(part);
    loras.push(...flat.loras);
    dropped.push(...flat.unknown);
    if (!flat.fragments.length) return; // a part without words is no part
    prompts.push({ fragments: flat.fragments });
    weights.push(tree.weights[k]);
  });
  if (tree.operator === ".blend") {
    const swaps = prompts.some((part) => part.fragments.some((item) => item.original));
    if (prompts.length < tree.parts.length || swaps) {
      throw promptError(
        "A part of this blend is a swap, or holds no words, and Compel stops here. " +
          'Write words, or "" for the empty prompt.',
        tree.place,
      );
    }
    prompts = [{ blend: prompts, weights, normalize: tree.normalize }];
    weights = [1];
  }
  if (dropped.length) {
    const names = pyCut(dropped.map(([name]) => pyRepr(name)).join(", "), 80);
    const message = `Compel takes ${names} for options of .swap(), not for words.`;
    warnings.push({ message, position: dropped[0][1] });
  }
  const rest = pyStrip(prompt.slice(tree.end));
  if (rest) {
    const message = `Compel drops what comes after .and(…): ${pyRepr(rest, 80)}`;
    warnings.push({ message, position: tree.end });
  }
  const { place, operator } = tree;
  return { prompts, weights, loras: [...loras, ...tree.after], place, operator, warnings };
}

/** The fragments of a prompt that is one plain prompt; of a swap, its original's. */
export function readCompel(prompt, warn) {
  const { prompts, weights, loras, place, operator, warnings } = parseCompel(prompt);
  for (const { message, position } of warnings) warn(message, position);
  if (!prompts.length) {
    throw promptError(
      "There are no words in this prompt, and Compel crashes when it encodes it. Write some, " +
        'or "" for the empty prompt.',
      prompt.length - pyLstrip(prompt).length,
    );
  }
  if (weights.length > 1 || weights[0] !== 1 || prompts[0].blend) {
    throw promptError(
      `With ${operator}(…) this is more than one list of fragments. ` +
        "cliplab.prompts.compel.parse reads it.",
      place,
    );
  }
  const swaps = prompts[0].fragments.filter((item) => item.original);
  for (const { original, edited, start } of swaps) {
    if ([...original, ...edited].some((inner) => inner.original)) {
      const message = "Compel crashes when it encodes a swap in a swap. Write one of them.";
      throw promptError(message, start);
    }
  }
  if (swaps.length) {
    const message =
      "The fragments have the original of this .swap(); its edit happens in the U-Net.";
    warn(message, swaps[swaps.length - 1].start);
  }
  if (loras.length) {
    const names = pyCut(loras.map((lora) => pyRepr(lora.name)).join(", "), 80);
    warn(`The fragments leave out the LoRA ${names}.`, loras[0].start);
  }
  return prompts[0].fragments.flatMap((item) => item.original ?? [item]);
}

// The text that is read, with the place of each of its units (and of its end) in the prompt -------

/** The prompt with a space after each comma that had none. */
function compelSpaced(prompt) {
  const places = [];
  let text = "";
  let done = 0;
  const copy = (end) => {
    text += prompt.slice(done, end);
    while (done < end) places.push(done++);
  };
  for (const { index } of prompt.matchAll(COMPEL.comma)) {
    copy(index + 1);
    text += " ";
    places.push(index + 1);
  }
  copy(prompt.length);
  return { text, places: [...places, prompt.length] };
}

/** [what stands in the quotes that open at `start`, where they end], or null if they do not. */
function compelUnquoted({ text, places }, start) {
  const body = pyMatch(COMPEL.quote, text, start);
  if (!body) return null;
  let close = start + body[0].length;
  if (text[close] !== '"') {
    // The last quote with a backslash closes them, if there is no other on this line.
    close = text.slice(start + 1, close).lastIndexOf('\\"') + start + 2;
    if (close === start + 1) return null;
  }
  const inside = text.slice(start + 1, close);
  const first = start + 1;
  const at = [];
  const read = ["", ""];
  let done = 0;
  const copy = (end) => {
    read.push(inside.slice(done, end));
    at.push(...places.slice(first + done, first + end));
    done = end;
  };
  for (const { 0: match, index } of inside.matchAll(COMPEL.character)) {
    copy(index);
    let made = compelCharacter(match.slice(1));
    if (made === '"' && !(read[read.length - 1] || read.slice(-2).join("")).endsWith("\\")) {
      made = '\\"';
    }
    read.push(made);
    for (let unit = 0; unit < made.length; unit++) at.push(places[first + index]);
    done = index + match.length;
  }
  copy(inside.length);
  at.push(places[first + inside.length]);
  return [{ text: read.join(""), places: at }, close + 1];
}

/** The character that stands for a backslash and this name; the name, if it is two digits. */
function compelCharacter(name) {
  const blank = { t: "\t", n: "\n", f: "\f", r: "\r", 0: "\0" }[name];
  return blank ?? (/^[xu]/.test(name) ? String.fromCharCode(parseInt(name.slice(1), 16)) : name);
}

// The reader: brackets from the last to the first, so that what one holds has been read -----------

function compelReader(source) {
  const { text, places } = source;
  // For each bracket and quote that opens: [group, end], null, or the Error of whoever comes by.
  const groups = new Map();
  const swaps = new Map();

  function attempt(read, opener) {
    try {
      return read(opener);
    } catch (crash) {
      if (crash.name !== "PromptError") throw crash;
      return crash;
    }
  }

  function lookUp(table, opener) {
    const found = table.get(opener);
    if (found instanceof Error) throw found;
    return found;
  }

  const skip = (i) => i + pyMatch(COMPEL.skip, text, i)[0].length;
  const textNode = (start, end) => ({
    kind: "text",
    text: text.slice(start, end),
    start: places[start],
    end: places[end],
  });

  /** Anything at all; it ends early only at a blank that is none for pyparsing. */
  function readPrompt(start) {
    const children = [];
    let i = skip(start);
    for (; i < text.length; i = skip(i)) {
      let found = readItem(i, false);
      if (!found || found[0].kind === "text") {
        const word = pyMatch(COMPEL.freeWord, text, i);
        const gap = pyMatch(COMPEL.gap, text, i);
        if (word) {
          found = [textNode(i, i + word[0].length), i + word[0].length];
        } else if (gap) {
          i += gap[0].length;
          continue;
        } else {
          break;
        }
      }
      if (!compelIsNothing(found[0])) children.push(found[0]);
      i = found[1];
    }
    return [children, i];
  }

  function readItems(start, commas) {
    const children = [];
    let i = skip(start);
    for (let found; (found = readItem(i, commas)); i = skip(found[1])) {
      if (!compelIsNothing(found[0])) children.push(found[0]);
    }
    return [children, i];
  }

  function readItem(i, commas) {
    const lora = pyMatch(COMPEL.lora, text, i);
    if (lora) {
      const end = i + lora[0].length;
      const weight = lora[2] ? pyFloat(lora[2]) : 1;
      return [{ kind: "lora", name: lora[1], weight, start: places[i], end: places[end] }, end];
    }
    const target = readTarget(i);
    if (target) return readSuffix(...target, i);
    return commas && (text[i] === "," || text[i] === ".") ? [textNode(i, i + 1), i + 1] : null;
  }

  function readTarget(i) {
    if (text[i] === "(" || text[i] === '"') {
      if (!groups.has(i)) groups.set(i, attempt(readQuote, i));
      return lookUp(groups, i);
    }
    const word = pyMatch(COMPEL.word, text, i);
    return word && [textNode(i, i + word[0].length), i + word[0].length];
  }

  /** A weight or a swap after a target; the target itself if there is none. */
  function readSuffix(node, end, start) {
    const after = skip(end);
    let from = end;
    let written = pyMatch(node.kind === "text" ? COMPEL.afterWord : COMPEL.afterGroup, text, end);
    if (!written) {
      if (text[after] !== ".") return [node, end];
      from = after;
      written = pyMatch(COMPEL.attend, text, after);
    }
    if (written) {
      const weight = readWeight(written[1], from + written[0].indexOf(written[1]));
      const children = node.kind === "text" ? [node] : node.children;
      return [{ kind: "group", weight, children }, from + written[0].length];
    }
    const swap = pyMatch(COMPEL.swap, text, after);
    const inside = after + (swap?.[0].length ?? 0);
    const found = swap && lookUp(swaps, inside - 1);
    if (!found) return [node, end];
    const original = compelIsNothing(node) ? [] : [node];
    const spot = { start: places[start], inside: places[inside], end: places[found.close] };
    return [{ kind: "exchange", original, ...found, ...spot }, found.close];
  }

  function readWeight(written, at) {
    if (!/[+-]/.test(written[0])) return pyFloat(written);
    const power = compelPower(written[0] === "+" ? COMPEL_PLUS : COMPEL_MINUS, written.length);
    if (power < Infinity) return power;
    throw promptError(
      `Compel crashes on ${written.length} plus signs: 1.1 to that power is beyond what a number ` +
        "holds. Write (words)1.5 with the weight that you mean.",
      places[at],
    );
  }

  function readBracket(opener) {
    const [children, end] = readItems(opener + 1, true);
    return text[end] === ")" ? [{ kind: "group", weight: null, children }, end + 1] : null;
  }

  function readQuote(opener) {
    const found = compelUnquoted(source, opener);
    if (!found) return null;
    const [inner, end] = found;
    const place = inner.places[0];
    let children = [{ kind: "text", text: "", start: place, end: place }];
    if (pyStrip(inner.text)) {
      const [items, stop] = compelReader(inner).readItems(0, true);
      if (stop < inner.text.length) return null;
      children = items;
    }
    return [{ kind: "group", weight: null, children }, end];
  }

  function readSwap(opener) {
    let written = [];
    let [edited, close] = readItems(opener + 1, false);
    if (text[close] === ",") [written, close] = readOptions(close + 1);
    if (text[close] !== ")") return null;
    // A name typed again keeps its first turn and takes its last value, as in Python's dict.
    const typed = new Map(written.map(({ name, value, at }) => [name, { value, at }]));
    const freedom = typed.get("shape_freedom");
    if (typeof freedom?.value === "string") {
      throw promptError(
        "Compel crashes here: shape_freedom wants a number. Write shape_freedom=0.5.",
        freedom.at,
      );
    }
    const unknown = [...typed].filter(([name]) => !COMPEL_SWAP_OPTIONS.includes(name));
    return { edited, unknown: unknown.map(([name, { at }]) => [name, at]), close: close + 1 };
  }

  /** [{name, value, at}, …]; a number alone is its own name, and a name alone has the value "". */
  function readOptions(start) {
    const found = [];
    let end = start;
    let i = skip(start);
    for (let option; (option = pyMatch(COMPEL.option, text, i)); i = skip(end + 1)) {
      const [whole, name, number, word, alone, flag] = option;
      found.push({
        name: name ?? flag ?? pyFloatRepr(pyFloat(alone)),
        value: number ? pyFloat(number) : (word ?? ""),
        at: places[i],
      });
      end = skip(i + whole.length);
      if (text[end] !== ",") return [found, end];
    }
    return [found, skip(end)];
  }

  if (text.includes("(")) {
    const swapOpeners = new Set();
    for (const swap of text.matchAll(new RegExp(COMPEL.swap.source, "gu"))) {
      swapOpeners.add(swap.index + swap[0].length - 1);
    }
    for (const { index } of [...text.matchAll(COMPEL.opener)].reverse()) {
      groups.set(index, attempt(readBracket, index));
      if (swapOpeners.has(index)) swaps.set(index, attempt(readSwap, index));
    }
  }
  const readers = { readPrompt, readItems, readItem, readTarget, readOptions };
  return { text, places, source, skip, ...readers };
}

/** Brackets with nothing in them, of which nothing is left. */
function compelIsNothing(node) {
  return node.kind === "group" && node.weight === null && !node.children.length;
}

/** base to the power of n, rounded once, as C's pow: JavaScript's may be off in the last digit. */
function compelPower(base, n) {
  const near = base ** n;
  if (near > 1e300 || near < 1e-290) return near;
  const whole = BigInt(base * 2 ** 53) ** BigInt(n); // the power is exactly whole / 2⁵³ⁿ
  const extra = Math.max(0, whole.toString(16).length * 4 - 68); // bits beyond those to round from
  const top = whole >> BigInt(extra);
  const rest = top << BigInt(extra) === whole ? 0n : 1n;
  return Number(top | rest) * 2 ** (extra - 53 * n);
}

// The whole prompt: parts with .and or .blend, or one prompt --------------------------------------

function compelTree(prompt) {
  const one = { operator: "", place: 0, weights: [1], before: [], after: [], end: prompt.length };
  if (!pyStrip(prompt)) return { ...one, parts: [[{ kind: "text", text: "", start: 0, end: 0 }]] };
  const reader = compelReader(compelSpaced(prompt));
  const start = reader.skip(0);
  let found = compelParts(reader, start);
  if (found && found.operator !== ".blend") return compelCombined(reader, found, []);
  const [before, i] = compelLoras(reader, start);
  if (before.length) found = compelParts(reader, i);
  if (found?.operator === ".blend") return compelCombined(reader, found, before);
  const [children, end] = reader.readPrompt(i);
  compelRequireEnd(reader, end);
  return { ...one, parts: [children], before };
}

function compelParts(reader, i) {
  const { text } = reader;
  if (text[i] !== "(") return null;
  const parts = [];
  let end = i;
  while (!parts.length || text[end] === ",") {
    const start = reader.skip(end + 1);
    const found = reader.readTarget(start) ?? compelQuotedPrompt(reader, start);
    if (!found) return null;
    parts.push([found[0]]);
    end = reader.skip(found[1]);
  }
  const at = text[end] === ")" ? reader.skip(end + 1) : text.length;
  const match = pyMatch(COMPEL.operator, text, at);
  if (!match) return null;
  const [options, close] = reader.readOptions(at + match[0].length);
  const [, operator] = match;
  return text[close] === ")" ? { parts, operator, options, at, end: close + 1 } : null;
}

/** A part in quotes may hold what no other quotes may: any prompt. */
function compelQuotedPrompt(reader, opener) {
  const found = reader.text[opener] === '"' ? compelUnquoted(reader.source, opener) : null;
  if (!found) return null;
  const [source, end] = found;
  const [children, stop] = compelReader(source).readPrompt(0);
  return stop < source.text.length ? null : [{ kind: "group", weight: null, children }, end];
}

function compelCombined(reader, found, before) {
  const { parts, options } = found;
  const operator = found.operator === ".add" ? ".and" : found.operator;
  const last = options[options.length - 1];
  const normalize = !(operator === ".blend" && last?.name === "no_normalize");
  let weights = (normalize ? options : options.slice(0, -1)).map(compelNumber);
  const place = reader.places[found.at];
  if (weights.length && weights.length !== parts.length) {
    throw promptError(
      `${found.operator}(…) has ${weights.length} weights for ${parts.length} parts, and Compel ` +
        "stops here. Give one weight to each part, or none at all.",
      place,
    );
  }
  let after = [];
  let { end } = found;
  if (operator === ".blend") {
    [after, end] = compelLoras(reader, end);
    compelRequireEnd(reader, end);
  }
  if (!weights.length) weights = parts.map(() => 1);
  return { operator, place, parts, weights, normalize, before, after, end: reader.places[end] };
}

function compelLoras(reader, start) {
  const found = [];
  let i = reader.skip(start);
  for (let lora; pyMatch(COMPEL.lora, reader.text, i); i = reader.skip(lora[1])) {
    lora = reader.readItem(i, false);
    found.push(lora[0]);
  }
  return [found, i];
}

function compelNumber({ name, at }) {
  const number = pyFloat(name);
  if (number !== null) return number;
  throw promptError(
    `Compel crashes here: ${pyRepr(name, 40)} is no weight. Write a number, such as 0.5; ` +
      "no_normalize stands last, and in .blend() alone.",
    at,
  );
}

/** Compel stops where its grammar ends before the prompt does. */
function compelRequireEnd(reader, stop) {
  const end = reader.skip(stop);
  if (end === reader.text.length) return;
  const char = reader.text[end];
  throw promptError(
    char === "\v" || char === "\f"
      ? `Compel stops at a ${pyRepr(char)}. Write a space or a line break.`
      : "Compel stops here: nothing may follow .blend(…) but withLora(…). Put these words into " +
          "the parts of the blend.",
    reader.places[end],
  );
}

// The fragments: weights multiplied from the outermost bracket inward, equal neighbors joined -----

function compelFlatten(children) {
  const fragments = [];
  const loras = [];
  const unknown = [];
  const lists = [[fragments, null]];
  const stack = [{ nodes: children, next: 0, scale: 1, out: fragments }];
  while (stack.length) {
    const top = stack[stack.length - 1];
    const { scale, out } = top;
    const node = top.nodes[top.next++];
    if (!node) {
      stack.pop();
    } else if (node.kind === "text") {
      const last = out[out.length - 1];
      if (last?.texts && last.weight === scale) last.texts.push(node);
      else out.push({ weight: scale, texts: [node] });
    } else if (node.kind === "group") {
      const weight = node.weight === null ? scale : scale * node.weight;
      stack.push({ nodes: node.children, next: 0, scale: weight, out });
    } else if (node.kind === "lora") {
      const { name, weight, start, end } = node;
      loras.push({ name, weight, start, end });
    } else {
      const swap = { original: [], edited: [], start: node.start, end: node.end };
      out.push(swap);
      unknown.push(...node.unknown);
      for (const [into, side, at] of [
        [swap.edited, node.edited, node.inside],
        [swap.original, node.original, node.start],
      ]) {
        const nothing = [{ kind: "text", text: "", start: at, end: at }];
        lists.push([into, at]);
        stack.push({ nodes: side.length ? side : nothing, next: 0, scale, out: into });
      }
    }
  }
  for (const [out, at] of lists) {
    out.forEach((item, i) => (out[i] = item.texts ? compelJoin(item) : item));
    if (!out.length && at !== null) out.push({ text: "", weight: 1, start: at, end: at });
  }
  return { fragments, loras, unknown };
}

/** Compel unescapes a text each time it makes a fragment: twice, and again for each that joins. */
function compelJoin({ weight, texts }) {
  const times = texts.length + 2;
  const read = texts.map(({ text }, n) =>
    text.replace(COMPEL.escapes, (_, slashes, char) =>
      char ? slashes.slice(times - Math.max(n, 1)) + char : slashes,
    ),
  );
  return { text: read.join(" "), weight, start: texts[0].start, end: texts[texts.length - 1].end };
}
