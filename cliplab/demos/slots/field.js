// @ts-check
// Who looks at whom as a field of 77 × 77, and beside it how far each row moved.

import { fullness, heatmap } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { cellUnder, clamp, explore } from "../lib/explore.js";
import { SLOTS, lastSeen } from "./filling.js";
import { movedSentence, unmoved } from "./wording.js";

/** @import { Pointing } from "./strip.js" */
/** @import { Shown } from "./wording.js" */
/** @typedef {ReturnType<typeof fieldView>} FieldView */

const AXIS = 1.5; // where the bars' axis ends, in lengths of a row

/** The elements, in their order on the page. */
export function fieldView() {
  const changed = h("p", {});
  const canvas = h("canvas", { role: "img" });
  const cell = h("div", { class: "cld-slots-at", hidden: true });
  const field = h("div", { class: "cld-slots-field" }, canvas, cell);
  const bars = Array.from({ length: SLOTS }, () => h("i", { class: "cld-moving" }));
  const same = h("p", { class: "cld-slots-same" }, h("span", {}));
  const moves = h("div", { class: "cld-slots-moves" }, bars, same);
  const line = h("div", { class: "cld-slots-line" });
  const ends = h("div", { class: "cld-slots-ends" });
  const plot = h(
    "div",
    { class: "cld-slots-plot" },
    h("p", { class: "cld-hint" }, "Row (down) looks at slot (across)"),
    h("p", { class: "cld-hint" }, "How far it moved"),
    h("div", { class: "cld-slots-both" }, field, moves, line, ends),
    h("span", {}),
    h(
      "p",
      { class: "cld-slots-axis cld-hint", "aria-hidden": "true" },
      h("span", {}, "0"),
      h("span", {}, "1"),
      h("span", {}, String(AXIS)),
    ),
  );
  const legend = h(
    "p",
    { class: "cld-hint" },
    "Hatched: hidden by the mask. Dashed: padding. Stronger blue: " +
      "more of the row’s attention (mean of all layers and heads). Moved: the distance from " +
      "the row that SD 1.5’s mask gives, in lengths of that row.",
  );
  const elements = [changed, plot, legend];
  return { elements, changed, canvas, cell, field, bars, same, moves, line, ends };
}

/**
 * Each row's attention, against the largest of the row, and how far the row moved.
 *
 * @param {FieldView} view
 * @param {Shown} shown
 */
export function drawNumbers(view, shown) {
  const { filling, mask, numbers } = shown;
  const { moved, looks } = numbers;
  const most = Array.from({ length: SLOTS }, (_, row) =>
    Math.max(...looks.subarray(row * SLOTS, (row + 1) * SLOTS)),
  );
  heatmap(view.canvas, {
    rows: SLOTS,
    columns: SLOTS,
    side: 5,
    value: (row, slot) => fullness(looks[row * SLOTS + slot] / most[row]),
    blocked: (row, slot) => slot > lastSeen(filling, mask, row),
  });
  const sentence = movedSentence(shown);
  view.changed.textContent = sentence;
  view.canvas.setAttribute("aria-label", `The attention of 77 rows to 77 columns. ${sentence}`);
  view.bars.forEach((bar, row) => {
    bar.style.width = `${Math.min(moved[row] / AXIS, 1) * 100}%`;
    bar.style.minWidth = moved[row] ? "2px" : "0"; // what is not quite 0 must be seen
  });
  const equal = unmoved(moved);
  view.same.hidden = equal === 0;
  view.same.style.height = `${(equal / SLOTS) * 100}%`;
  const why = mask === "causal" ? "SD 1.5’s own mask" : "exactly 0";
  /** @type {Node} */ (view.same.firstChild).textContent = why;
  view.ends.hidden = filling.end === SLOTS - 1;
  view.ends.style.setProperty("--cld-end", `${((filling.end + 1) / SLOTS) * 100}%`);
}

/**
 * Marks the row that is looked at, and the slot in it that is pointed at.
 *
 * @param {FieldView} view
 * @param {number} row
 * @param {number | null} slot
 */
export function markField({ line, cell }, row, slot) {
  line.style.top = `${(row / SLOTS) * 100}%`;
  cell.hidden = slot === null;
  cell.style.top = line.style.top;
  cell.style.left = `${((slot ?? 0) / SLOTS) * 100}%`;
}

/**
 * Pointer and arrow keys on the field; the pointer also on the bars, whose rows are those of the
 * field, which the keyboard reaches.
 *
 * @param {FieldView} view
 * @param {Pointing} pointing
 * @param {() => number | null} column  the slot that is pointed at
 */
export function exploreField({ field, moves }, { chosen, look, choose }, column) {
  explore(field, {
    label: "Rows that look, columns that are looked at",
    where: (event) => cellUnder(field, event, SLOTS),
    from: () => [chosen(), column() ?? chosen()],
    to: ([row, slot]) => choose(clamp(row, SLOTS - 1), clamp(slot, SLOTS - 1)),
    over(on, place) {
      if (!on) look(null);
      else if (place) look(...place);
      else look(null, column());
    },
  });
  const rowUnder = (/** @type {MouseEvent} */ event) => cellUnder(moves, event, SLOTS, 1)[0];
  moves.addEventListener("pointerleave", () => look(null));
  moves.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") look(rowUnder(event));
  });
  moves.addEventListener("click", (event) => choose(rowUnder(event)));
}
