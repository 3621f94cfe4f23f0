// Prompt to picture with weights: words as chips in step with the text, and two pictures from the
// same noise, as written and weighted.

import { a1111Outside } from "../lib/a1111_outside.js";
import { bareToken } from "../lib/bpe.js";
import { showPixels } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h, markedPrompt } from "../lib/elements.js";
import { clamp, watched } from "../lib/explore.js";
import { createPainter, PAINT_SEEDS, PAINT_STEPS } from "../lib/painting.js";
import { parsePrompt } from "../lib/prompts.js";
import { count } from "../lib/wording.js";

const LIMIT = 300; // characters
const HEAVIEST = 10;
const PAUSE = 300; // milliseconds without a change, before it is painted
const KEPT = 40; // films, the latest used
const SHOWN = 4; // every so many steps, while they come
const VISIBLE = 16; // of 255, in the channel that differs most: then a pixel has changed
const METHODS = {
  from_empty: {
    name: "moved from the empty prompt",
    does: (w) =>
      w ? `goes ${w} times as far from the empty prompt's` : "becomes the empty prompt's",
  },
  scale: {
    name: "scaled",
    does: (w) => (w ? `is multiplied by ${w}` : "becomes zero"),
  },
  restore_mean: {
    name: "scaled, mean restored",
    does: (w) => `${METHODS.scale.does(w)}; then one factor for all rows restores the mean`,
  },
  attention: {
    name: "weighted in the U-Net's attention",
    does: (w) => `stays as it is, and the U-Net's attention to it is multiplied by ${w}`,
  },
};
const short = (number) => String(Number(number.toFixed(3)));

/**
 * Fragments → { pieces, words }: the prompt in pieces, of which some are words.
 *
 * A piece is { text, weight }; white space and BREAK have no weight. A word is { text, weight,
 * symbols, row, piece }: its tokens, the row of the first (none beyond the `placed` first tokens),
 * and which piece it is.
 */
function cutWords(fragments, tokenizer, placed) {
  const pieces = [];
  const words = [];
  let tokens = 0;
  for (const { text, weight } of fragments) {
    let done = 0;
    const isBreak = text === "BREAK" && weight === -1;
    for (const token of isBreak ? [] : tokenizer.tokenize(text)) {
      if (token.start > done) pieces.push({ text: text.slice(done, token.start) });
      const goesOn = words.length && words.at(-1).number === token.word && done;
      if (!goesOn) {
        const row = tokens < placed ? tokens + 1 : undefined;
        words.push({ weight, symbols: [], row, piece: pieces.length, number: token.word });
        pieces.push({ text: "", weight });
      }
      const { symbols, piece } = words.at(-1);
      pieces[piece].text += text.slice(Math.max(done, token.start), token.end);
      words.at(-1).text = pieces[piece].text;
      symbols.push(token.text);
      tokens += 1;
      done = Math.max(done, token.end);
    }
    if (isBreak) pieces.push({ text: " BREAK " });
    else if (done < text.length) pieces.push({ text: text.slice(done) });
  }
  return { pieces, words };
}

/** Neighbors of one weight, joined with the white space between them. */
function runsOf(pieces) {
  const runs = [];
  for (const { text, weight } of pieces) {
    const [last, before] = [runs.at(-1), runs.at(-2)];
    const isGap = last && last.weight === undefined && !last.text.trim();
    if (last && last.weight === weight) last.text += text;
    else if (isGap && before?.weight === weight) {
      before.text += last.text + text;
      runs.pop();
    } else runs.push({ text, weight });
  }
  return runs;
}

/** The prompt in Automatic1111's syntax. */
function writePrompt(pieces) {
  return runsOf(pieces)
    .map(({ text, weight }) => {
      if (weight === undefined) return text;
      const safe = text.replace(/[()[\]\\]/g, "\\$&");
      return weight === 1 ? safe : `(${safe}:${short(weight)})`;
    })
    .join("");
}

/** How many of two pictures' pixels differ visibly, in percent. */
function changedPercent(one, other) {
  const differs = (at) => Math.abs(one[at] - other[at]) > VISIBLE;
  const pixels = one.length / 3;
  let changed = 0;
  for (let i = 0; i < pixels; i++) {
    if (differs(3 * i) || differs(3 * i + 1) || differs(3 * i + 2)) changed += 1;
  }
  return Math.round((100 * changed) / pixels);
}

export default demo({
  title: "From prompt to picture, with weights",
  about:
    "The painter is a miniature with 3.7 million parameters that knows colored shapes only: " +
    "eight colors, six shapes, three sizes, white, black and gray grounds. It was trained so " +
    "that weights act on a word's own row; Stable Diffusion 1.5, with a billion parameters, was " +
    "not. A pixel counts as changed if its red, green or blue differs by more than 16 of 255.",
  presets: [
    {
      label: "a color of weight 0",
      state: { prompt: "a large (red:0) circle", seed: 6 },
      question:
        "The word for the color gets weight 0. Will the circle be gone, be gray, or have a " +
        "color?",
      answer:
        "Nothing asks for red any more, but nothing asks for gray either, and every thing in " +
        "training had a color. So the model takes what the noise suggests, at times even red. " +
        "Try other seeds.",
    },
    {
      label: "below zero",
      state: { prompt: "a (large:-1) red circle" },
      question: "“large” gets weight −1. Is the opposite of “large” “small”?",
      answer:
        "Nothing says so. Its row lies as far on the other side of the empty prompt's, where " +
        "no word stands and nothing was trained: what you see is the model's guess. For a small " +
        "thing there is the word “small”.",
    },
    {
      label: "all words alike",
      state: { prompt: "(a large red circle:1.5)", method: "restore_mean" },
      question: "Every word gets weight 1.5, and the mean is restored. Do the weights cancel out?",
      answer:
        "No. Words fill four of the 77 rows; the other 73, for start, end and padding, keep " +
        "weight 1. One factor for all rows restores the mean, and leaves the words 1.5 times as " +
        "heavy as the rest. Weights are relative, but to the padding, too.",
    },
  ],

  async start({ body, ask, say, set, state }) {
    const [painter, first] = await Promise.all([createPainter(ask), ask.json("picture_films")]);
    const moving = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    const kept = new Map(); // films that are finished, by what makes them
    let reading; // the prompt as it is read now
    let chips = [];
    let near; // the number of the word that the reader points at, or has focused
    let step = PAINT_STEPS;
    let result = "";

    /** What the reader asks for is shown at once, and painted when a moment has passed. */
    function change(patch) {
      set(patch);
      sync(state());
    }

    // The prompt, as text and as chips.

    const input = h("textarea", {
      class: "cld-text",
      rows: "1",
      maxlength: String(LIMIT),
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => change({ prompt: input.value }),
    });
    const notes = h("div", { class: "cld-pic-notes" });
    const words = h("div", {
      class: "cld-pic-words",
      role: "group",
      "aria-label": "Words and weights",
    });

    function weigh(index, weight) {
      const { piece } = reading.words[index];
      const pieces = reading.pieces.map((one, i) => (i === piece ? { ...one, weight } : one));
      const prompt = writePrompt(pieces);
      if ([...prompt].length <= LIMIT) change({ prompt });
      else say(`That would make the prompt longer than ${LIMIT} characters.`);
    }

    function chip({ text }, index) {
      const turn = (by) => () => {
        const { weight } = reading.words[index];
        if (by < 0 ? weight > 0 : weight < 2) {
          weigh(index, clamp(Number((weight + by).toFixed(3)), 2));
        }
      };
      const button = (by, sign, name) =>
        h(
          "button",
          {
            type: "button",
            class: "cld-button cld-pic-turn",
            "aria-label": name,
            onclick: turn(by),
          },
          sign,
        );
      const less = button(-0.1, "−", `Less weight for ${text}`);
      const more = button(0.1, "+", `More weight for ${text}`);
      const slider = h("input", {
        type: "range",
        min: "0",
        max: "2",
        step: "any",
        "aria-label": `Weight of ${text}`,
        oninput: () => weigh(index, Math.round(slider.value * 20) / 20),
        onkeydown: (event) => {
          const by = { ArrowRight: 0.1, ArrowUp: 0.1, ArrowLeft: -0.1, ArrowDown: -0.1 }[event.key];
          if (!by) return;
          event.preventDefault();
          turn(by)();
        },
      });
      const [number, parts] = [h("span", { class: "cld-number" }), h("small", {})];
      const look = (on) => {
        near = on ? index : undefined;
        tell();
      };
      const element = h(
        "div",
        {
          class: "cld-pic-word",
          ...watched(look),
        },
        h("p", { class: "cld-pic-name" }, h("span", {}, text, " ", parts), number),
        h("div", { class: "cld-pic-turns" }, less, slider, more),
      );

      function show({ weight, symbols, row }) {
        element.classList.toggle("cld-pic-heavy", weight !== 1);
        number.textContent = short(weight);
        parts.textContent =
          row === undefined ? "left out" : symbols.length > 1 ? count(symbols.length, "piece") : "";
        slider.value = String(weight);
        slider.setAttribute("aria-valuetext", short(weight));
        less.setAttribute("aria-disabled", String(weight <= 0));
        more.setAttribute("aria-disabled", String(weight >= 2));
      }
      return { text, element, show };
    }

    /** While only weights change chips stay: no slider is taken out of the reader's hand. */
    function showWords() {
      const texts = (all) => all.map(({ text }) => text).join(" ");
      if (texts(chips) !== texts(reading.words)) {
        near = undefined;
        chips = reading.words.map(chip);
        words.replaceChildren(...chips.map(({ element }) => element));
      }
      chips.forEach(({ show }, i) => show(reading.words[i]));
    }

    /** { pieces, words, read, notes }; or { error } and no words, where it cannot be read. */
    function readPrompt(prompt) {
      try {
        const { fragments, warnings } = parsePrompt(prompt, "a1111");
        const heavy = fragments.find(({ weight }) => !(Math.abs(weight) <= HEAVIEST));
        if (heavy) {
          const sentence = `This demo takes weights from −${HEAVIEST} to ${HEAVIEST}.`;
          throw Object.assign(new Error(sentence), { position: heavy.start });
        }
        const read = painter.read(fragments);
        const lost =
          read.lost &&
          "The painter reads one chunk of 77 rows. Beyond it, " +
            `${count(read.lost, "token is", "tokens are")} left out.`;
        const sentences = [...warnings.map(({ message }) => message), a1111Outside(prompt), lost];
        return {
          ...cutWords(fragments, painter.tokenizer, read.tokens.length),
          read,
          notes: sentences.filter(Boolean),
        };
      } catch (error) {
        if (error.position === undefined) throw error;
        return { pieces: [], words: [], notes: [], error };
      }
    }

    /** The sentence about a prompt that cannot be read, after a copy with the place marked. */
    function showNotes(prompt) {
      const { error } = reading;
      input.setAttribute("aria-invalid", String(Boolean(error)));
      if (!error) return notes.replaceChildren(...reading.notes.map((note) => h("p", {}, note)));
      return notes.replaceChildren(markedPrompt(prompt, error.position));
    }

    // What else makes a picture.

    const method = h(
      "select",
      { class: "cld-text", onchange: () => change({ method: method.value }) },
      Object.keys(METHODS).map((value) => h("option", { value }, value)),
    );
    const seed = h("input", {
      class: "cld-text",
      type: "number",
      min: "0",
      max: String(PAINT_SEEDS - 1),
      step: "1",
      oninput: () => {
        if (seed.value && seed.validity.valid) change({ seed: seed.valueAsNumber });
      },
      onblur: () => {
        seed.value = String(state().seed);
      },
    });
    const another = h(
      "button",
      {
        type: "button",
        class: "cld-button",
        onclick: () => change({ seed: (state().seed + 1) % PAINT_SEEDS }),
      },
      "Another seed",
    );
    const guidanceName = h("span", {});
    const guidance = h("input", {
      type: "range",
      min: "1",
      max: "8",
      step: "0.5",
      oninput: () => change({ guidance: Number(guidance.value) }),
    });

    // The two pictures, and their steps.

    const panels = ["As written", "Weighted"].map((name) => {
      const canvas = h("canvas", { width: "32", height: "32", role: "img", "aria-label": name });
      const under = h("small", {});
      return {
        name,
        canvas,
        under,
        film: undefined, // and what is drawn: key, shown, wanted
        figure: h(
          "figure",
          { class: "cld-pic-figure" },
          canvas,
          h("figcaption", {}, h("b", {}, name), " ", under),
        ),
      };
    });
    const stepName = h("span", {}, "Step");
    const steps = h("input", {
      type: "range",
      min: "0",
      max: String(PAINT_STEPS),
      step: "1",
      oninput: () => {
        step = Number(steps.value);
        showStep();
      },
    });
    body.append(
      h("label", { class: "cld-label" }, "Your prompt, in Automatic1111's syntax", input),
      notes,
      words,
      h(
        "div",
        { class: "cld-pic-work" },
        h(
          "div",
          { class: "cld-pic-stage" },
          panels.map(({ figure }) => figure),
          h("label", { class: "cld-label" }, stepName, steps),
        ),
        h(
          "div",
          { class: "cld-pic-controls" },
          h("label", { class: "cld-label" }, "Method", method),
          h("label", { class: "cld-label" }, guidanceName, guidance),
          h(
            "div",
            { class: "cld-row cld-pic-seed" },
            h("label", { class: "cld-label" }, `Seed, 0 to ${PAINT_SEEDS - 1}`, seed),
            another,
          ),
        ),
      ),
    );

    /** What makes the two films: without weights, and with them. They are one where all are 1. */
    function keysOf({ ids, weights }, { seed: from, guidance: g, method: how }) {
      const plain = [ids, from, g].join(" ");
      return [plain, weights.every((w) => w === 1) ? plain : [plain, weights, how].join(" ")];
    }

    /** Shows the text, chips and controls; dims the pictures that no longer belong to them. */
    function sync(now) {
      if (input.value !== now.prompt) input.value = now.prompt;
      reading = readPrompt(now.prompt);
      showNotes(now.prompt);
      showWords();
      method.value = now.method;
      guidance.value = String(now.guidance);
      guidanceName.textContent = `Guidance ${short(now.guidance)}`;
      if (document.activeElement !== seed) seed.value = String(now.seed);
      panels[0].under.textContent = "every weight 1";
      panels[1].under.textContent = METHODS[now.method].name;
      const { error, read } = reading;
      const keys = error ? [] : keysOf(read, now);
      panels.forEach((one, i) => one.figure.classList.toggle("cld-pic-old", one.key !== keys[i]));
      if (panels.some(({ key }, i) => key !== keys[i] || !kept.has(key))) {
        steps.disabled = true;
        result = "Painting …";
      }
      if (error) {
        const at = [...now.prompt.slice(0, error.position)].length + 1;
        result = `At character ${at}: ${error.message}`;
      }
      tell();
    }

    /** Paints what the state asks for; gives up as soon as it asks for something else. */
    async function draw(now) {
      sync(now);
      const { read, error } = reading;
      if (error) return;
      const cancelled = () => JSON.stringify(state()) !== JSON.stringify(now);
      const keys = keysOf(read, now);
      const films = keys.map((key) => kept.get(key) ?? { key, latents: [], pictures: [] });
      if (keys[0] === keys[1]) films[1] = films[0];
      films.filter(({ key }) => kept.delete(key)).forEach((film) => kept.set(film.key, film));
      const open = [...new Set(films)].filter(({ key }) => !kept.has(key));
      const isFirst = panels[0].film === undefined;
      if (open.length && !isFirst) await new Promise((resolve) => setTimeout(resolve, PAUSE));
      if (cancelled()) return;

      panels.forEach((one, i) => {
        if (one.film !== films[i]) [one.film, one.wanted] = [films[i], undefined];
        if (kept.has(keys[i])) put(one, PAINT_STEPS);
      });
      const made = open.length ? await painter.contexts(read) : {};
      const inAttention = now.method === "attention"; // which leaves the context alone
      await Promise.all(
        open.map((film) => {
          const plain = film.key === keys[0];
          return paint(film, open, {
            context: plain || inAttention ? made.plain : made[now.method],
            factors: plain || !inAttention ? undefined : read.weights,
            seed: now.seed,
            guidance: now.guidance,
            cancelled,
            shown: moving && !isFirst,
          });
        }),
      );
      if (cancelled()) return;
      step = PAINT_STEPS;
      await showStep();
      steps.disabled = false;
      if (isFirst) warm(read, now);
    }

    /** Fetches the rest of the painter while the reader looks, by a step that nobody sees. */
    async function warm(read, { seed: from, guidance: g }) {
      let done = 0;
      try {
        const { plain } = await painter.contexts(read);
        const cancelled = () => done++ > 0;
        await painter.paint({ context: plain, seed: from, guidance: g, cancelled });
      } catch {
        // It is said when a picture is asked for.
      }
    }

    /** Paints a film; what is `open` is painted at the same time. Only a whole film is kept. */
    async function paint(film, open, { shown, ...how }) {
      const latents = await painter.paint({
        ...how,
        onStep: (i, now) => {
          film.latents[i] = now;
          const done = Math.min(...open.map((one) => Math.max(one.latents.length - 1, 0)));
          stepName.textContent = `Painting, step ${done} of ${PAINT_STEPS}`;
          steps.value = String(done);
          if (shown && i % SHOWN === 0) {
            panels.filter((one) => one.film === film).forEach((one) => put(one, i));
          }
        },
      });
      if (!latents) return;
      film.latents = latents;
      kept.set(film.key, film);
      if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    }

    /** Shows a step of a panel's film, unless another is wanted before it is decoded. */
    async function put(one, at) {
      const { film } = one;
      film.pictures[at] ??= painter.pixels([film.latents[at]]).then(([made]) => made);
      const wanted = film.pictures[at];
      one.wanted = wanted;
      const pixels = await wanted.catch((error) => {
        delete film.pictures[at]; // to be tried again
        throw error;
      });
      if (one.wanted !== wanted) return;
      showPixels(one.canvas, pixels);
      const sums = [0, 0, 0];
      pixels.forEach((value, i) => {
        sums[i % 3] += value;
      });
      [one.shown, one.key] = [pixels, film.key];
      one.figure.classList.remove("cld-pic-old");
      const [red, green, blue] = sums.map((sum) => Math.round((3 * sum) / pixels.length));
      one.canvas.setAttribute(
        "aria-label",
        `${one.name}, after step ${at} of ${PAINT_STEPS}. Mean ` +
          `color: red ${red}, green ${green}, blue ${blue} of 255.`,
      );
    }

    async function showStep() {
      stepName.textContent = `Step ${step} of ${PAINT_STEPS}`;
      steps.value = String(step);
      const at = step;
      await Promise.all(panels.map((one) => put(one, at)));
      if (at !== step) return;
      const heavy = runsOf(reading.pieces).filter(({ weight }) => (weight ?? 1) !== 1);
      const said = heavy.map(({ text, weight }) => `“${text}” ${short(weight)}`).join(", ");
      const percent = changedPercent(panels[0].shown, panels[1].shown);
      const when = at < PAINT_STEPS ? `, after step ${at}` : "";
      result = heavy.length
        ? `${said}: ${percent} % of the pixels changed${when}.`
        : "Every weight is 1, so both pictures are the same. Give a word another weight.";
      tell();
    }

    /** The word at hand, and what the weights have changed. */
    function tell() {
      const word = reading.words[near];
      if (word?.row === undefined) return say(result);
      const {
        text,
        weight,
        symbols: { length },
        row,
      } = word;
      const where =
        length === 1
          ? `one token, row ${row} of 77`
          : `${length} pieces that training never saw, rows ${row} to ${row + length - 1} of 77`;
      const w = Number(short(weight));
      const does = w === 1 ? "stays as it is" : METHODS[state().method].does(w);
      const which = length === 1 ? "its" : "each";
      return say(`“${text}” is ${where}. At weight ${w} ${which} row ${does}. ${result}`);
    }

    keysOf(readPrompt(first.state.prompt).read, first.state).forEach((key, i) => {
      const latents = first.films[i].map((numbers) => Float32Array.from(numbers));
      kept.set(key, { key, latents, pictures: [] });
    });
    return {
      draw,
      table: () => ({
        caption: "Words as the painter reads them; start, end and padding have weight 1",
        columns: ["word", "weight", "pieces", "first row"],
        rows: reading.words.map(({ text, weight, symbols, row }) => [
          text,
          short(weight),
          symbols.map(bareToken).join(" + "),
          row ?? "left out",
        ]),
      }),
    };
  },
});
