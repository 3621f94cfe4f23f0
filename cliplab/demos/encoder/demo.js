// @ts-check
// Through the encoder: which rows notice that a word has changed, layer by layer; what each head
// looks at; and the numbers of one row.

import { createTokenizer } from "../lib/bpe.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { createHeads } from "./heads.js";
import { encoderPresets } from "./presets.js";
import { createRow } from "./row.js";
import { createTower } from "./tower.js";
import { computeView } from "./trace.js";
import { encoderTable, sentenceOf, towerNote } from "./sentences.js";

/** @import { Look, State, Under } from "./types.js" */

export default demo({
  title: "Through the encoder",
  about:
    "This is the course's miniature, trained on names of emoji and on simple shapes: 4 layers " +
    "of width 128 with 4 heads; on a page its weights have 8 bits. Stable Diffusion 1.5 has 12 " +
    "layers of width 768 with 12 heads. It computes in the same way, but what its heads look at " +
    "is its own.",
  presets: encoderPresets,

  async start({ body, ask, say, set, state }) {
    const tokenizer = createTokenizer(await ask.json("mini_vocabulary"));
    /** @type {Look} */
    const look = {
      view: await computeView(ask, tokenizer, state()),
      under: null,
      chosenKey: null,
    };
    const acts = {
      set,
      layerNow: () => state().layer,
      rowNow: () => Math.min(state().row, look.view.shown - 1),
      /** @param {number} slot */
      chooseKey(slot) {
        look.chosenKey = slot;
        markKey();
      },
      /** @param {Under | null} under */
      tell(under) {
        look.under = under;
        markKey();
        say(sentenceOf(look));
      },
    };

    const prompts = createPrompts(set);
    const tower = createTower(look, acts);
    const note = h("p", { class: "cld-hint" });
    const layerName = h("p", { class: "cld-enc-part" });
    const [heads, row] = [createHeads(look, acts), createRow(look, acts)];
    const attention = h("div", { class: "cld-enc-attention" }, heads.element, row.element);
    body.append(
      prompts.element,
      h("div", { class: "cld-enc-storeys" }, tower.element, note),
      layerName,
      attention,
    );

    function markKey() {
      const { numbers } = look.view;
      if (!numbers) return;
      heads.mark();
      row.mark(numbers);
    }

    /** @param {State} wanted */
    async function draw(wanted) {
      if (!isAboutSameHead(wanted, look.view)) look.chosenKey = null;
      look.view = await computeView(ask, tokenizer, wanted, look.view);
      prompts.show(wanted);
      tower.draw();
      note.textContent = towerNote(look.view);
      layerName.replaceChildren(...layerSentence(look.view.layer));
      const { numbers } = look.view;
      attention.hidden = !numbers;
      if (numbers) {
        heads.draw();
        row.draw(numbers);
        markKey();
      }
      say(sentenceOf(look));
    }
    return { draw, table: () => encoderTable(look.view) };
  },
});

/**
 * @param {State} one
 * @param {State} other
 */
const isAboutSameHead = (one, other) =>
  one.prompt === other.prompt && one.layer === other.layer && one.head === other.head;

/**
 * The prompt, and the one that it is compared with.
 *
 * @param {(patch: Partial<State>) => void} set
 */
function createPrompts(set) {
  const prompt = promptField("Prompt", (text) => set({ prompt: text }));
  const other = promptField(
    "Change a word: who notices?",
    (text) => set({ other: text }),
    "empty: nothing is compared",
  );
  return {
    element: h("div", { class: "cld-enc-prompts" }, prompt.label, other.label),
    /** @param {State} state */
    show(state) {
      prompt.show(state.prompt);
      other.show(state.other);
    },
  };
}

/**
 * @param {string} name
 * @param {(text: string) => void} write
 * @param {string} [placeholder]
 */
function promptField(name, write, placeholder) {
  const input = h("input", {
    class: "cld-text",
    type: "text",
    maxlength: "200",
    placeholder,
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => write(input.value),
  });
  return {
    label: h("label", { class: "cld-label" }, name, input),
    /** @param {string} text */
    show(text) {
      if (input.value !== text) input.value = text;
    },
  };
}

/**
 * What the heads below belong to.
 *
 * @param {number} layer
 */
function layerSentence(layer) {
  if (!layer) {
    return [
      "No layer has run yet, so no row knows of another. Go up to layer 1 to see them look around.",
    ];
  }
  const H = (/** @type {number} */ after) => ["H", h("sub", {}, String(after))];
  return [
    `Layer ${layer} (layers.${layer - 1} in code) makes `,
    ...H(layer),
    " from ",
    ...H(layer - 1),
    ". What its heads look at:",
  ];
}
