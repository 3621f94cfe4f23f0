// Byte-pair merges: chips with ids as you type, and the ladder of merges of one word.

import { bareToken, createTokenizer } from "../lib/bpe.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { count } from "../lib/wording.js";

const LIMIT = 75;

export default demo({
  title: "From letters to tokens",
  about: "This is CLIP's own vocabulary: 49,408 tokens, the same that Stable Diffusion 1.5 reads.",
  presets: [
    {
      label: "a typo",
      state: { text: "an astronaut, an astronuat", word: 4 },
      question:
        "“astronaut” is one token. Two letters change places: how many tokens is “astronuat”?",
      answer:
        "Three: astron, u and at. No merge joins “astron” with “u”, so the typo falls apart into " +
        "pieces, and the encoder has to guess the word from them.",
    },
    {
      label: "an emoji",
      state: { text: "🐕‍🦺", word: 0 },
      question: "A service dog is one picture on your screen. How many tokens does it take?",
      answer:
        "Five. It is a dog, an invisible joiner and a vest: eleven bytes, of which merges join " +
        "some. The tokenizer sees bytes, never pictures.",
    },
    {
      label: "a long word",
      state: { text: "antidisestablishmentarianism", word: 0 },
      question: "Twenty-eight letters without a gap. How many of the 75 places do they take?",
      answer:
        "Six, one more than a dog emoji: anti, dise, stab, lish, ment, arianism. What counts is " +
        "not letters but how often a piece stood in the text from which the merges were learned.",
    },
  ],

  async start({ body, ask, say, set }) {
    const tokenizer = createTokenizer(await ask.json("clip_vocabulary"));
    let words = [];
    let steps = [];

    const input = h("textarea", {
      class: "cld-text",
      rows: "2",
      maxlength: "400",
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => set({ text: input.value, word: 0, step: 99 }),
    });
    const counted = h("p", { class: "cld-number" });
    const filled = h("span", {});
    const bar = h("span", { class: "cld-filled", "aria-hidden": "true" }, filled);
    const chips = h("div", {
      class: "cld-tokens",
      role: "group",
      "aria-label": "Words and their tokens",
    });
    const slider = h("input", {
      type: "range",
      min: "0",
      oninput: () => set({ step: Number(slider.value) }),
    });
    const ladderName = h("span", {});
    const ladder = h("ol", { class: "cld-ladder cld-mono", start: "0" });

    body.append(
      h("label", { class: "cld-label" }, "Your text", input),
      h("div", { class: "cld-row" }, counted, bar),
      chips,
      h("label", { class: "cld-label" }, ladderName, slider),
      ladder,
    );

    /** A word as a button that holds its tokens; a dashed edge says "goes on from the last one". */
    function wordButton(tokens, index, chosen) {
      return h(
        "button",
        {
          type: "button",
          class: "cld-word",
          "aria-pressed": String(index === chosen),
          onclick: () => set({ word: index, step: 99 }),
        },
        tokens.map((token, i) =>
          h(
            "span",
            { class: i ? "cld-token cld-inner" : "cld-token" },
            h("span", {}, bareToken(token.text)),
            h("small", {}, String(token.id)),
          ),
        ),
      );
    }

    /** One state of the word; the piece that the last merge has made is framed. */
    function rung(pieces, note, made) {
      return h(
        "li",
        {},
        pieces.map((piece) =>
          h(
            "span",
            {
              class: piece === made ? "cld-piece cld-new" : "cld-piece",
            },
            bareToken(piece),
            piece.endsWith("</w>") && h("small", {}, "</w>"),
          ),
        ),
        h("small", {}, note),
      );
    }

    /** The letters of a word, or the bytes of those that have no letter of their own. */
    function firstRung(bytes) {
      const plain = bytes.every(({ byte }) => byte < 128);
      const hex = bytes
        .map(({ byte }) => byte.toString(16).toUpperCase().padStart(2, "0"))
        .join(" ");
      return rung(
        bytes.map(({ piece }) => piece),
        plain ? "letters" : `bytes ${hex}`,
      );
    }

    return {
      draw({ text, word, step }) {
        if (input.value !== text) input.value = text;
        words = [];
        for (const token of tokenizer.tokenize(text)) (words[token.word] ??= []).push(token);
        const total = words.reduce((sum, tokens) => sum + tokens.length, 0);
        counted.textContent =
          `${count(total, "token")} of ${LIMIT}` +
          (total > LIMIT ? `; the last ${total - LIMIT} would be cut off` : "");
        filled.style.width = `${Math.min(total / LIMIT, 1) * 100}%`;

        const chosen = Math.min(word, words.length - 1);
        const focused = [...chips.children].indexOf(document.activeElement);
        chips.replaceChildren(...words.map((tokens, i) => wordButton(tokens, i, chosen)));
        if (focused >= 0) chips.children[focused]?.focus({ preventScroll: true });

        slider.disabled = chosen < 0;
        if (chosen < 0) {
          steps = [];
          ladderName.textContent = "Merges";
          ladder.replaceChildren();
          say("An empty text has no tokens of its own: the encoder sees only its start and end.");
          return;
        }
        const [first, last] = [words[chosen][0], words[chosen].at(-1)];
        const raw = text.slice(first.start, last.end);
        const special = /^<\|(startof|endof)text\|>$/.test(first.text);
        const bytes = special ? [] : tokenizer.bytes(raw);
        steps = special ? [] : tokenizer.mergeSteps(raw);
        const at = Math.min(step, steps.length);
        slider.max = String(steps.length);
        slider.value = String(at);
        slider.setAttribute("aria-valuetext", `after ${count(at, "merge")} of ${steps.length}`);
        ladderName.textContent = `Merges of “${raw}”: ${at} of ${steps.length} done`;
        ladder.replaceChildren(
          firstRung(bytes),
          ...steps
            .slice(0, at)
            .map(({ pair, rank, pieces }) =>
              rung(pieces, `rank ${rank.toLocaleString("en")}`, pair.join("")),
            ),
        );
        const pieces = at ? steps[at - 1].pieces : bytes.map(({ piece }) => piece);
        const names = words[chosen].map((token) => bareToken(token.text)).join(" + ");
        say(
          at === steps.length
            ? `“${raw}” becomes ${count(words[chosen].length, "token")}: ${names}.` +
                (steps.length
                  ? ` ${count(steps.length, "merge")} led there.`
                  : " No merge was needed.")
            : `After ${count(at, "merge")} “${raw}” is ${count(pieces.length, "piece")}: ` +
                `${pieces.map(bareToken).join(" + ")}. ` +
                `Next: ${steps[at].pair.map(bareToken).join(" with ")}.`,
        );
      },
      table: () => ({
        caption: "Every token, with its id and the word that it belongs to",
        columns: ["place", "token", "id", "word"],
        rows: words
          .flatMap((tokens, i) => tokens.map((token) => [token, i]))
          .map(([token, i], place) => [place + 1, token.text, token.id, i + 1]),
      }),
    };
  },
});
