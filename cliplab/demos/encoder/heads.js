// @ts-check
// What the heads look at: a field of attention weights for each, and the chosen one in large.

import { fullness, heatmap } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { cellUnder, clamp, explore } from "../lib/explore.js";
import { HEADS } from "./trace.js";
import { formulaKey, slotsOf, weightOf, wordAt } from "./view.js";

/** @import { Acts, Look, View } from "./types.js" */

/**
 * @param {Look} look
 * @param {Acts} acts
 */
export function createHeads(look, acts) {
  const chips = Array.from({ length: HEADS }, (_, head) => headChip(head, acts));
  const buttons = chips.map(({ button }) => button);
  const field = attentionField(look, acts);
  const rowLabels = h("div", { class: "cld-enc-rowlabels", "aria-hidden": "true" });
  const keyLabels = h("div", { class: "cld-enc-keylabels", "aria-hidden": "true" });
  const axes = h("small", { class: "cld-enc-axes" }, "key →", h("br"), "query ↓");

  function draw() {
    const { view } = look;
    chips.forEach(({ button, canvas }, head) => {
      button.setAttribute("aria-pressed", String(head === view.head));
      drawWeights(canvas, view, head, 6);
    });
    drawWeights(field.picture, view, view.head, 24);
    rowLabels.replaceChildren(...slotLabels(view, view.row));
    keyLabels.replaceChildren(...slotLabels(view));
  }
  return {
    element: h(
      "div",
      { class: "cld-enc-heads" },
      h("div", { class: "cld-enc-headchips", role: "group", "aria-label": "Heads" }, buttons),
      h("div", { class: "cld-enc-plot" }, axes, keyLabels, rowLabels, field.element),
    ),
    draw,
    mark: field.mark,
  };
}

/**
 * @param {number} head
 * @param {Acts} acts
 */
function headChip(head, { set }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const button = h(
    "button",
    { type: "button", class: "cld-enc-headchip", onclick: () => set({ head }) },
    canvas,
    h("span", {}, `head ${head}`),
  );
  return { button, canvas };
}

/**
 * The chosen head in large. Its places are [row, key].
 *
 * @param {Look} look
 * @param {Acts} acts
 */
function attentionField(look, { set, rowNow, chooseKey, tell }) {
  const picture = h("canvas", { "aria-hidden": "true" });
  const band = h("span", { class: "cld-enc-band" });
  const mark = h("span", { class: "cld-enc-mark" });
  const element = h("div", { class: "cld-enc-square" }, picture, band, mark);
  explore(element, {
    label: "Attention weights: queries up and down, keys left and right",
    where: (event) => cellUnder(element, event, look.view.shown),
    from: () => [rowNow(), formulaKey(look)],
    to([row, key]) {
      set({ row: clamp(row, look.view.shown - 1) });
      chooseKey(clamp(key, look.view.shown - 1));
    },
    over: (on, place) => tell(on ? { part: "field", place } : null),
  });

  /** Marks the row, and in it the key that the formula is about. */
  function markKey() {
    const share = 100 / look.view.shown;
    for (const [{ style }, key] of /** @type {const} */ ([
      [band, 0],
      [mark, formulaKey(look)],
    ])) {
      style.top = `${look.view.row * share}%`;
      style.left = `${key * share}%`;
      style.height = `${share}%`;
    }
    mark.style.width = `${share}%`;
  }
  return { element, picture, mark: markKey };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {View} view
 * @param {number} head
 * @param {number} side
 */
const drawWeights = (canvas, view, head, side) =>
  heatmap(canvas, {
    rows: view.shown,
    columns: view.shown,
    side,
    value: (row, key) => fullness(weightOf(view, row, key, head)),
    blocked: (row, key) => key > row,
  });

/**
 * @param {View} view
 * @param {number} [chosen]
 */
const slotLabels = (view, chosen) =>
  slotsOf(view).map((slot) =>
    h("span", { "data-row": slot === chosen }, h("span", {}, wordAt(view, slot))),
  );
