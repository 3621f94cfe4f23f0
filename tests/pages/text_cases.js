// @ts-check
// Runs the golden vectors of tests/data/golden_text.json through the demos' JavaScript, and gives
// the cases whose answers differ from Python's, as sentences. tools/golden.py says what a case is.

/** @import { Blend, Item, Prompt } from "../../cliplab/demos/lib/compel/nodes.js" */
/** @import { Chunk, Tokenizer, Warning } from "../../cliplab/demos/lib/types.js" */

/** @typedef {(what: string, wanted: unknown, got: unknown) => void} Expect */

/**
 * What is put to the test.
 *
 * @typedef {object} Port
 * @property {typeof import("../../cliplab/demos/lib/bpe.js").createTokenizer} createTokenizer
 * @property {typeof import("../../cliplab/demos/lib/prompts.js").parsePrompt} parsePrompt
 * @property {typeof import("../../cliplab/demos/lib/chunks.js").weightedTokens} weightedTokens
 * @property {typeof import("../../cliplab/demos/lib/compel.js").parseCompel} parseCompel
 * @property {typeof import("../../cliplab/demos/lib/a1111_outside.js").a1111Outside} a1111Outside
 */

const MODULES = ["bpe.js", "prompts.js", "chunks.js", "compel.js", "a1111_outside.js"];

/**
 * @param {Record<string, any>} golden
 * @param {Record<string, { merges: number[] }>} vocabularies
 * @param {(path: string) => Promise<object>} load  imports a module of cliplab/demos/lib
 */
export async function differences(golden, vocabularies, load) {
  /** @type {Port} */
  const port = Object.assign({}, ...(await Promise.all(MODULES.map(load))));
  /** @type {string[]} */
  const found = [];
  /** @type {Expect} */
  const expect = (what, wanted, got) => {
    const [a, b] = [JSON.stringify(wanted), JSON.stringify(got)];
    if (a !== b) found.push(`${what}: Python has ${a}, JavaScript ${b}`);
  };
  /** @type {Record<string, Tokenizer>} */
  const tokenizers = {};
  for (const [name, data] of Object.entries(vocabularies)) {
    tokenizers[name] = port.createTokenizer(data);
  }
  for (const [name, cases] of Object.entries(golden.tokens)) {
    tokenCases(name, tokenizers[name], cases, expect);
  }
  const clip = tokenizers.clip_vocabulary;
  wordCases(clip, golden, expect);
  for (const [syntax, cases] of Object.entries(golden.prompts)) {
    for (const { prompt, ...wanted } of cases) {
      const got = promptCase(port, clip, prompt, syntax, wanted);
      for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
        expect(`${syntax}, ${key} of ${JSON.stringify(prompt)}`, wanted[key], got[key]);
      }
    }
  }
  return found;
}

/**
 * @param {string} name
 * @param {Tokenizer} tokenizer
 * @param {[string, any[][]][]} cases
 * @param {Expect} expect
 */
function tokenCases(name, { tokenize, encode, bos, eos, symbols, size }, cases, expect) {
  expect(`the size of ${name}`, size, symbols.length);
  for (const [text, tokens] of cases) {
    const what = `${name} on ${JSON.stringify(text)}`;
    const got = tokenize(text).map((t) => [t.id, t.text, t.start, t.end, t.word]);
    expect(what, tokens, got);
    expect(`encode with ${what}`, [bos, ...tokens.map(([id]) => id), eos], encode(text));
  }
}

/**
 * Ladders of words, and texts brought to a length.
 *
 * @param {Tokenizer} clip
 * @param {Record<string, any>} golden
 * @param {Expect} expect
 */
function wordCases(clip, golden, expect) {
  for (const [word, wanted] of golden.ladders) {
    const steps = attempt(() =>
      clip.mergeSteps(word).map((s) => [s.pair.join(" "), s.rank, s.pieces.join(" ")]),
    );
    expect(`the ladder of ${JSON.stringify(word)}`, wanted, steps.error?.[0] ?? steps.value);
  }
  for (const [text, length, pad, ids, lost] of golden.lengths) {
    const got = clip.lengthNormalize(clip.encode(text), length, pad ?? undefined);
    expect(`length ${length} of ${JSON.stringify(text)}`, { ids, lost }, got);
  }
}

/**
 * What the port makes of a prompt, in the form of a case.
 *
 * @param {Port} port
 * @param {Tokenizer} clip
 * @param {string} prompt
 * @param {any} syntax
 * @param {Record<string, any>} wanted
 */
function promptCase(port, clip, prompt, syntax, wanted) {
  /** @type {Record<string, any>} */
  const got = {};
  const { value: read, error } = attempt(() => port.parsePrompt(prompt, syntax));
  if (error) got.error = error;
  if (read) {
    got.fragments = read.fragments.map(itemRow);
    if (wanted.chunks) {
      got.chunks = port.weightedTokens(clip, read.fragments, syntax).map(chunkRows);
    }
    if (read.warnings.length) got.warnings = read.warnings.map(warningRow);
  }
  if (wanted.parts) {
    const whole = port.parseCompel(prompt);
    got.parts = whole.prompts.map(partRows);
    got.weights = whole.weights.map(number);
    got.loras = whole.loras.map((lora) => [lora.name, lora.weight]);
    if (whole.warnings.length) got.warnings = whole.warnings.map(warningRow);
  }
  if (syntax === "a1111") {
    const outside = attempt(() => port.a1111Outside(prompt));
    const said = outside.error ?? outside.value;
    if (said) got.outside = said;
  }
  return got;
}

/**
 * What reading gives, or the message and the place of its error.
 *
 * @template T
 * @param {() => T} read
 * @returns {{ value?: T, error?: [string, number] }}
 */
function attempt(read) {
  try {
    return { value: read() };
  } catch (error) {
    const { message, position } = /** @type {Error & { position: number }} */ (error);
    return { error: [message, position] };
  }
}

/**
 * A weight as JSON has it: what is not finite has no number there.
 *
 * @param {number} weight
 */
function number(weight) {
  if (Number.isFinite(weight)) return weight;
  return Number.isNaN(weight) ? "nan" : weight < 0 ? "-inf" : "inf";
}

/** @param {Warning} warning */
const warningRow = ({ message, position }) => [message, position];

/**
 * @param {Item} item
 * @returns {any}
 */
const itemRow = (item) =>
  "original" in item
    ? { swap: [item.original.map(itemRow), item.edited.map(itemRow)] }
    : [item.text, number(item.weight), item.start, item.end];

/**
 * @param {Prompt | Blend} part
 * @returns {any}
 */
const partRows = (part) =>
  "blend" in part
    ? {
        blend: part.blend.map(partRows),
        weights: part.weights.map(number),
        normalize: part.normalize,
      }
    : part.fragments.map(itemRow);

/**
 * [ids up to the first padding, [how many, weight, fragment] in runs over all 77].
 *
 * @param {Chunk} chunk
 */
function chunkRows({ ids, weights, fragments }) {
  if (ids.length !== 77 || weights.length !== 77 || fragments.length !== 77) return "not of 77";
  const short = [...ids];
  while (short.length > 1 && short.at(-1) === short.at(-2)) short.pop();
  /** @type {[number, string | number, number | null][]} */
  const runs = [];
  weights.forEach((weight, i) => {
    const last = runs[runs.length - 1];
    if (last && last[1] === number(weight) && last[2] === fragments[i]) last[0]++;
    else runs.push([1, number(weight), fragments[i]]);
  });
  return [short, runs];
}
