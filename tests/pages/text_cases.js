// Runs the golden vectors of tests/data/golden_text.json through the demos' JavaScript, and gives
// the cases whose answers differ from Python's, as sentences.

/** `load(path)` imports a module of cliplab/demos/lib; `vocabularies` are parsed JSON by name. */
export async function differences(golden, vocabularies, load) {
  const { createTokenizer } = await load("bpe.js");
  const { parsePrompt } = await load("prompts.js");
  const { weightedTokens } = await load("chunks.js");
  const { parseCompel } = await load("compel.js");
  const { a1111Outside } = await load("a1111_outside.js");
  const found = [];
  const expect = (what, wanted, got) => {
    const [a, b] = [JSON.stringify(wanted), JSON.stringify(got)];
    if (a !== b) found.push(`${what}: Python has ${a}, JavaScript ${b}`);
  };
  const attempt = (read) => {
    try {
      return read();
    } catch (error) {
      return { error: [error.message, error.position] };
    }
  };

  const tokenizers = {};
  for (const [name, data] of Object.entries(vocabularies)) {
    tokenizers[name] = createTokenizer(data);
  }
  for (const [name, cases] of Object.entries(golden.tokens)) {
    const { tokenize, encode, bos, eos, symbols, size } = tokenizers[name];
    expect(`the size of ${name}`, size, symbols.length);
    for (const [text, tokens] of cases) {
      const what = `${name} on ${JSON.stringify(text)}`;
      const got = tokenize(text);
      expect(
        what,
        tokens,
        got.map((t) => [t.id, t.text, t.start, t.end, t.word]),
      );
      expect(`encode with ${what}`, [bos, ...tokens.map(([id]) => id), eos], encode(text));
    }
  }

  const clip = tokenizers.clip_vocabulary;
  for (const [word, wanted] of golden.ladders) {
    const steps = attempt(() =>
      clip.mergeSteps(word).map((s) => [s.pair.join(" "), s.rank, s.pieces.join(" ")]),
    );
    expect(`the ladder of ${JSON.stringify(word)}`, wanted, steps.error ? steps.error[0] : steps);
  }
  for (const [text, length, pad, ids, lost] of golden.lengths) {
    const got = clip.lengthNormalize(clip.encode(text), length, pad ?? undefined);
    expect(`length ${length} of ${JSON.stringify(text)}`, { ids, lost }, got);
  }

  const number = (weight) => {
    if (Number.isFinite(weight)) return weight;
    return Number.isNaN(weight) ? "nan" : weight < 0 ? "-inf" : "inf";
  };
  const said = (warnings) => warnings.map((w) => [w.message, w.position]);
  const row = (f) => [f.text, number(f.weight), f.start, f.end];
  const items = (list) =>
    list.map((item) =>
      item.original ? { swap: [items(item.original), items(item.edited)] } : row(item),
    );
  const part = (one) =>
    one.blend
      ? {
          blend: one.blend.map(part),
          weights: one.weights.map(number),
          normalize: one.normalize,
        }
      : items(one.fragments);
  const chunk = ({ ids, weights, fragments }) => {
    if (ids.length !== 77 || weights.length !== 77 || fragments.length !== 77) return "not of 77";
    const short = [...ids];
    while (short.length > 1 && short.at(-1) === short.at(-2)) short.pop();
    const runs = [];
    weights.forEach((weight, i) => {
      const [last, now] = [runs.at(-1), [number(weight), fragments[i]]];
      if (last && last[1] === now[0] && last[2] === now[1]) last[0]++;
      else runs.push([1, ...now]);
    });
    return [short, runs];
  };

  for (const [syntax, cases] of Object.entries(golden.prompts)) {
    for (const { prompt, ...wanted } of cases) {
      const got = {};
      const read = attempt(() => parsePrompt(prompt, syntax));
      if (read.error) {
        got.error = read.error;
      } else {
        got.fragments = read.fragments.map(row);
        if (wanted.chunks) got.chunks = weightedTokens(clip, read.fragments, syntax).map(chunk);
        if (read.warnings.length) got.warnings = said(read.warnings);
      }
      if (wanted.parts) {
        const whole = parseCompel(prompt);
        got.parts = whole.prompts.map(part);
        got.weights = whole.weights.map(number);
        got.loras = whole.loras.map((lora) => [lora.name, lora.weight]);
        if (whole.warnings.length) got.warnings = said(whole.warnings);
      }
      if (syntax === "a1111") {
        const outside = attempt(() => a1111Outside(prompt));
        if (outside) got.outside = outside.error ?? outside;
      }
      for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
        expect(`${syntax}, ${key} of ${JSON.stringify(prompt)}`, wanted[key], got[key]);
      }
    }
  }
  return found;
}
