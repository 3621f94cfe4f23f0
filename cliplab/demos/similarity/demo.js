// @ts-check
// Similarity and temperature: captions against pictures. Rows are captions, as in chapter 7.

import { tensor } from "../lib/ask.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { createMatcher } from "../lib/matching.js";
import { PAIRS, cellSentence, hitsSentence, lossSentence, pairsTable } from "./batch.js";
import { drawMatrix, markCell, matrixView } from "./matrix.js";
import { PRESETS } from "./presets.js";
import { drawTemperature, temperatureView } from "./temperature.js";

/** @import { Context } from "../lib/types.js" */
/** @import { Batch, TableName } from "./batch.js" */
/** @typedef {{ captions: string[], temperature: number, by: TableName }} SimilarityState */

export default demo({
  title: "Which caption, which picture?",
  about:
    "A miniature CLIP of 3.1 million parameters, trained on 1,426 emoji in eight other art " +
    "styles. Its mistakes are its own; the loss and the temperature are those of every CLIP.",
  presets: PRESETS,
  start,
});

/** @param {Context<SimilarityState>} context */
async function start({ body, ask, say, set, state }) {
  const matcher = await createMatcher(ask);
  const { width } = matcher;
  const images = tensor("float32", [PAIRS, width], matcher.images.slice(0, PAIRS * width));
  const pictures = matcher.names.slice(0, PAIRS).map(({ caption }) => caption);
  /** @type {Batch} */
  let batch;
  let at = [3, 3]; // the caption and the picture that the read-out speaks of

  /** @type {(caption: number, picture: number) => void} */
  function look(caption, picture) {
    at = [caption, picture];
    markCell(matrix, caption, picture);
    say(cellSentence(batch, caption, picture));
  }
  const matrix = matrixView(matcher, {
    look,
    edit(i, words) {
      set({ captions: state().captions.map((old, j) => (j === i ? words : old)) });
    },
    swap(i) {
      const captions = [...state().captions];
      [captions[i], captions[i + 1]] = [captions[i + 1], captions[i]];
      set({ captions });
    },
  });
  const choices = tableButtons((by) => set({ by }));
  const temperatures = temperatureView((temperature) => set({ temperature }));
  const loss = h("p", { class: "cld-number" });
  const hits = h("p", { class: "cld-hint" });
  body.append(
    choices.element,
    temperatures.element,
    matrix.element,
    h("div", {}, loss, hits),
    matcher.credit(),
  );

  /** @param {SimilarityState} asked */
  async function draw({ captions, temperature, by }) {
    const texts = await matcher.texts(captions);
    const found = await ask.run("similarity", {
      texts: tensor("float32", [PAIRS, width], texts),
      images,
      scale: tensor("float32", [], [1 / temperature]),
    });
    batch = { captions, pictures, found };
    choices.press(by);
    drawTemperature(temperatures, temperature);
    drawMatrix(matrix, batch, by);
    const [bold, rest] = lossSentence(batch);
    loss.replaceChildren(h("b", {}, bold), rest);
    hits.textContent = hitsSentence(batch);
    look(at[0], at[1]);
  }

  return { draw, table: () => pairsTable(batch) };
}

/**
 * What the cells may show, as buttons of which one is pressed.
 *
 * @param {(table: TableName) => void} choose
 */
function tableButtons(choose) {
  /** @type {Record<TableName, string>} */
  const words = {
    cosine: "cosines",
    row: "rows: which picture?",
    column: "columns: which caption?",
  };
  const buttons = /** @type {TableName[]} */ (Object.keys(words)).map((table) => {
    const props = { type: "button", class: "cld-button", onclick: () => choose(table) };
    return { table, button: h("button", props, words[table]) };
  });
  const element = h(
    "div",
    { class: "cld-row", role: "group", "aria-label": "What the cells show" },
    buttons.map(({ button }) => button),
  );
  const press = (/** @type {TableName} */ shown) =>
    buttons.forEach(({ table, button }) =>
      button.setAttribute("aria-pressed", String(table === shown)),
    );
  return { element, press };
}
