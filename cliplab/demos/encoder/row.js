// @ts-check
// Where one row looks: a line of numbers for each key, and the formula with the numbers of one.

import { h } from "../lib/elements.js";
import { HEAD_WIDTH } from "./trace.js";
import { formulaKey, scoreOf, slotName, slotsOf, twoDecimals, wordAt } from "./view.js";

/** @import { Child } from "../lib/types.js" */
/** @import { Acts, Look, RowNumbers, View } from "./types.js" */

/**
 * @param {Look} look
 * @param {Acts} acts
 */
export function createRow(look, acts) {
  const name = h("p", { class: "cld-enc-part" });
  const lines = h("tbody", {});
  const sums = h("tr", {});
  const formula = h("div", { class: "cld-enc-formula cld-number" });
  const column = (/** @type {Child[]} */ ...words) => h("th", { scope: "col" }, ...words);
  const head = [
    column("key"),
    column("score S"),
    column("e", h("sup", {}, "S − max")),
    column("weight"),
  ];

  /** @param {RowNumbers} numbers */
  function draw(numbers) {
    const { view } = look;
    name.replaceChildren(`Head ${view.head}: where ${slotName(view, view.row)} looks`);
    lines.replaceChildren(...slotsOf(view).map((slot) => keyLine(view, numbers, slot, acts)));
    sums.replaceChildren(
      h("th", { scope: "row" }, "sum"),
      h("td", {}),
      h("td", {}, twoDecimals(numbers.total.data[0])),
      h("td", {}, h("span", {}, "1.00")),
    );
  }
  /**
   * Marks the key that the formula is about, and writes the formula with its numbers.
   *
   * @param {RowNumbers} numbers
   */
  function mark(numbers) {
    const { view } = look;
    const key = formulaKey(look);
    [...lines.children].forEach((line, i) => line.toggleAttribute("data-here", i === key));
    formula.replaceChildren(scoreFormula(view, numbers, key), weightFormula(view, numbers, key));
  }
  return {
    element: h(
      "div",
      { class: "cld-enc-numbers" },
      name,
      h(
        "table",
        { class: "cld-enc-softmax" },
        h("thead", {}, h("tr", {}, head)),
        lines,
        h("tfoot", {}, sums),
      ),
      formula,
    ),
    draw,
    mark,
  };
}

/**
 * From a key's score to its weight.
 *
 * @param {View} view
 * @param {RowNumbers} numbers
 * @param {number} slot
 * @param {Acts} acts
 */
function keyLine(view, { scores, shares, weights }, slot, { chooseKey, tell }) {
  const isHidden = slot > view.row; // by the mask, and hatched over its whole width
  const bar = h("span", { class: "cld-enc-share" });
  bar.style.width = `${isHidden ? 100 : 100 * weights.data[slot]}%`;
  return h(
    "tr",
    {
      "data-hidden": isHidden,
      onpointerenter: ({ pointerType }) =>
        pointerType === "mouse" && tell({ part: "field", place: [view.row, slot] }),
      onpointerleave: () => tell(null),
      onclick: () => {
        chooseKey(slot);
        tell({ part: "field" });
      },
    },
    h("th", { scope: "row" }, wordAt(view, slot)),
    h("td", {}, twoDecimals(scores.data[slot])),
    h("td", {}, twoDecimals(shares.data[slot])),
    h("td", {}, h("span", {}, twoDecimals(weights.data[slot])), bar),
  );
}

/**
 * S = q · k / √K, where K is the width of a head.
 *
 * @param {View} view
 * @param {RowNumbers} numbers
 * @param {number} key
 */
function scoreFormula(view, { product }, key) {
  const { row } = view;
  const below = (/** @type {number[]} */ ...indices) => h("sub", {}, indices.join(","));
  const [dot, root] = [product.data[key], Math.sqrt(HEAD_WIDTH)].map(twoDecimals);
  return h(
    "p",
    {},
    ...["S", below(row, key), " = q", below(row), " · k", below(key)],
    ` / √${HEAD_WIDTH} = ${dot} / ${root} = `,
    h("b", {}, twoDecimals(scoreOf(view, row, key))),
  );
}

/**
 * The softmax of the row at this key.
 *
 * @param {View} view
 * @param {RowNumbers} numbers
 * @param {number} key
 */
function weightFormula(view, { scores, shares, total, weights }, key) {
  const { row } = view;
  if (key > row) {
    return h(
      "p",
      {},
      `Slot ${key} comes after slot ${row}: the mask puts −∞ in its place, and the weight is `,
      h("b", {}, "0"),
      ".",
    );
  }
  const [score, share] = [scoreOf(view, row, key), shares.data[key]].map(twoDecimals);
  const sum = twoDecimals(total.data[0]);
  const largest = twoDecimals(Math.max(...scores.data)).replace(/^−.*/, "($&)");
  return h(
    "p",
    {},
    "weight = e",
    h("sup", {}, `${score} − ${largest}`),
    ` / ${sum} = ${share} / ${sum} = `,
    h("b", {}, twoDecimals(weights.data[key])),
  );
}
