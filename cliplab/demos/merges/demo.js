// @ts-check
// Byte-pair merges: chips with ids as you type, and the ladder of merges of one word.

import { createTokenizer } from "../lib/bpe.js";
import { demo } from "../lib/demo.js";
import { ladderOf, ladderSentence, tokensByWord } from "./ladder.js";
import { PRESETS } from "./presets.js";
import { drawLadder, drawWords, mergesView } from "./view.js";

/** @import { Context, Token } from "../lib/types.js" */
/** @typedef {{ text: string, word: number, step: number }} MergesState  as __init__.py declares it */

const ALL_STEPS = 99; // the most that the state holds: nearly every word's whole ladder

export default demo({
  title: "From letters to tokens",
  about: "This is CLIP's own vocabulary: 49,408 tokens, the same that Stable Diffusion 1.5 reads.",
  presets: PRESETS,
  start,
});

/** @param {Context<MergesState>} context */
async function start({ body, ask, say, set }) {
  const tokenizer = createTokenizer(await ask.json("clip_vocabulary"));
  /** @type {Token[][]} */
  let words = [];
  const view = mergesView({
    text: (text) => set({ text, word: 0, step: ALL_STEPS }),
    step: (step) => set({ step }),
  });
  body.append(...view.elements);

  /** @param {MergesState} state */
  function draw({ text, word, step }) {
    if (view.input.value !== text) view.input.value = text;
    words = tokensByWord(tokenizer, text);
    const chosen = Math.min(word, words.length - 1);
    const ladder = words.length ? ladderOf(tokenizer, text, words[chosen], step) : undefined;
    drawWords(view, words, chosen, (index) => set({ word: index, step: ALL_STEPS }));
    drawLadder(view, ladder);
    say(
      ladder
        ? ladderSentence(ladder)
        : "An empty text has no tokens of its own: the encoder sees only its start and end.",
    );
  }

  const table = () => ({
    caption: "Every token, with its id and the word that it belongs to",
    columns: ["place", "token", "id", "word"],
    rows: words.flat().map(({ text, id, word }, place) => [place + 1, text, id, word + 1]),
  });

  return { draw, table };
}
