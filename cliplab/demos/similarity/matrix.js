// @ts-check
// The matrix: a line for each pair, with its picture, its caption, what it costs, and the numbers of
// this caption with all pictures.

import { showPixels } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { arrowStep, clamp } from "../lib/explore.js";
import { signed } from "../lib/wording.js";
import { PAIRS, PLACES, leads, numberOf } from "./batch.js";

/** @import { Matcher } from "../lib/pictures.js" */
/** @import { Batch, TableName } from "./batch.js" */
/** @typedef {ReturnType<typeof matrixView>} MatrixView */
/**
 * @typedef {object} MatrixEvents
 * @property {(caption: number, words: string) => void} edit  the reader types a caption
 * @property {(caption: number) => void} swap  the reader swaps it with the next
 * @property {(caption: number, picture: number) => void} look  the reader points at a cell
 */

/**
 * @param {Matcher} matcher
 * @param {MatrixEvents} on
 */
export function matrixView(matcher, { edit, swap, look }) {
  const inputs = PLACES.map((i) => captionField(i, edit));
  const costs = PLACES.map(() => h("span", { class: "cld-cost cld-number" }));
  const pictures = PLACES.map((i) => pairPicture(matcher, i));
  const heads = PLACES.map((i) => h("span", { class: "cld-hint" }, String(i + 1)));
  const cells = cellButtons(look);
  const element = h(
    "div",
    {
      class: "cld-matrix",
      role: "group",
      "aria-label": "Captions and pictures. Among the numbers, use the arrow keys.",
    },
    h("div", { class: "cld-line" }, h("span", { class: "cld-hint" }, "picture"), heads),
    PLACES.map((i) =>
      h(
        "div",
        { class: "cld-line cld-pair" },
        h("div", { class: "cld-shown", "data-number": String(i + 1) }, pictures[i]),
        inputs[i],
        swapButton(i, swap),
        costs[i],
        cells[i],
      ),
    ),
  );
  return { element, inputs, costs, cells, pictures, heads };
}

/**
 * The picture's name is what the model should say, so it is told only in words.
 *
 * @param {Matcher} matcher
 * @param {number} i
 */
function pairPicture(matcher, i) {
  const canvas = h("canvas", {
    class: "cld-seen",
    role: "img",
    "aria-label": `Picture ${i + 1}: ${matcher.names[i].caption}`,
  });
  showPixels(canvas, matcher.pixels(i));
  return canvas;
}

/**
 * @param {number} i
 * @param {MatrixEvents["edit"]} edit
 */
function captionField(i, edit) {
  const field = h("input", {
    class: "cld-text",
    maxlength: "80",
    "aria-label": `Caption ${i + 1}`,
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => edit(i, field.value),
  });
  return field;
}

/**
 * A button between a caption and the next; below the last there is none.
 *
 * @param {number} i
 * @param {MatrixEvents["swap"]} swap
 */
function swapButton(i, swap) {
  if (i === PAIRS - 1) return h("span", { class: "cld-swap" });
  return h(
    "button",
    {
      type: "button",
      class: "cld-button cld-swap",
      onclick: () => swap(i),
      "aria-label": `Swap captions ${i + 1} and ${i + 2}`,
      title: "Swap with the next caption",
    },
    "⇅",
  );
}

/**
 * The cells, caption by caption; arrow keys lead from one to another.
 *
 * @param {MatrixEvents["look"]} look
 */
function cellButtons(look) {
  const cells = PLACES.map((caption) =>
    PLACES.map((picture) => {
      const here = () => look(caption, picture);
      return h("button", {
        type: "button",
        class: caption === picture ? "cld-cell cld-own" : "cld-cell",
        onfocus: here,
        onclick: here,
        onpointerenter: here,
        onkeydown(/** @type {KeyboardEvent} */ event) {
          const step = arrowStep(event);
          if (!step) return;
          const [down, across] = step;
          cells[clamp(caption + down, PAIRS - 1)][clamp(picture + across, PAIRS - 1)].focus();
        },
      });
    }),
  );
  return cells;
}

/**
 * The captions, what each pair costs, and one of the tables.
 *
 * @param {MatrixView} view
 * @param {Batch} batch
 * @param {TableName} table
 */
export function drawMatrix({ element, inputs, costs, cells }, batch, table) {
  element.dataset.by = table;
  for (const i of PLACES) {
    if (inputs[i].value !== batch.captions[i]) inputs[i].value = batch.captions[i];
    const cost = batch.found.losses.data[i];
    costs[i].textContent = cost.toFixed(2);
    costs[i].style.setProperty("--cld-full", String(Math.min(cost / 4, 1)));
    for (const j of PLACES) drawCell(cells[i][j], batch, table, i, j);
  }
}

/**
 * @param {HTMLElement} cell
 * @param {Batch} batch
 * @param {TableName} table
 * @param {number} caption
 * @param {number} picture
 */
function drawCell(cell, batch, table, caption, picture) {
  const value = numberOf(batch, table, caption, picture);
  const leading = leads(batch, table, caption, picture);
  cell.textContent = signed(value);
  cell.style.setProperty("--cld-full", String(Math.max(value, 0)));
  cell.classList.toggle("cld-lead", leading);
  cell.classList.toggle("cld-wrong", leading && caption !== picture);
  cell.setAttribute(
    "aria-label",
    `caption ${caption + 1}, picture ${picture + 1}: ${signed(value)}` +
      `${caption === picture ? ", a pair" : ""}${leading ? ", the largest" : ""}`,
  );
}

/**
 * Puts one cell into the order of the Tab key, takes all others out of it, and marks its picture.
 *
 * @param {MatrixView} view
 * @param {number} caption
 * @param {number} picture
 */
export function markCell({ cells, pictures, heads }, caption, picture) {
  for (const cell of cells.flat()) cell.tabIndex = -1;
  cells[caption][picture].tabIndex = 0;
  for (const all of [pictures, heads])
    all.forEach((one, i) => one.toggleAttribute("data-on", i === picture));
}
