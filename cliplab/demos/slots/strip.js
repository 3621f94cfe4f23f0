// @ts-check
// The prompt, its 77 slots as a strip, what falls off, and the masks to choose from.

import { bareToken } from "../lib/bpe.js";
import { h } from "../lib/elements.js";
import { clamp, explore } from "../lib/explore.js";
import { MASKS, SLOTS } from "./filling.js";
import { fillingSentence } from "./wording.js";

/** @import { Place } from "../lib/types.js" */
/** @import { Filling, MaskName } from "./filling.js" */
/** @typedef {ReturnType<typeof stripView>} StripView */
/**
 * @typedef {object} Pointing  how a reader points at rows
 * @property {() => number} chosen  the row that is chosen
 * @property {(row: number | null, slot?: number | null) => void} look  speaks of a row, and of a
 *   slot that it looks at; of the row that is chosen, if of none
 * @property {(row: number, slot?: number | null) => void} choose
 */

const LISTED = 60; // of the tokens that fall off

/**
 * The elements, in their order on the page.
 *
 * @param {(patch: { prompt: string } | { mask: MaskName }) => void} set
 */
export function stripView(set) {
  const input = h("textarea", {
    class: "cld-text",
    rows: "2",
    maxlength: "600",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => set({ prompt: input.value }),
  });
  const counted = h("p", { class: "cld-number" });
  const cells = Array.from({ length: SLOTS }, (_, slot) =>
    h("div", { class: "cld-slots-cell" }, h("small", {}, String(slot)), h("span", {})),
  );
  const strip = h("div", { class: "cld-slots" }, cells);
  const lost = h("p", { class: "cld-slots-lost", hidden: true });
  const masks = /** @type {MaskName[]} */ (Object.keys(MASKS)).map((name) => {
    const onclick = () => set({ mask: name });
    const props = { type: "button", class: "cld-button", onclick };
    return { name, button: h("button", props, MASKS[name].label) };
  });
  const choices = h(
    "div",
    { class: "cld-row", role: "group", "aria-label": "Mask" },
    h("b", { "aria-hidden": "true" }, "Mask"),
    masks.map(({ button }) => button),
  );
  const prompt = h("label", { class: "cld-label" }, "Your prompt", input);
  return {
    elements: [prompt, counted, strip, lost, choices],
    input,
    counted,
    cells,
    strip,
    lost,
    masks,
  };
}

/**
 * What the slots hold, what fell off, and which mask is on.
 *
 * @param {StripView} view
 * @param {Filling} filling
 * @param {MaskName} mask
 */
export function drawSlots({ counted, cells, lost, masks }, filling, mask) {
  const { names, end, tail } = filling;
  cells.forEach((cell, slot) => {
    /** @type {Node} */ (cell.lastChild).textContent = names[slot];
    cell.classList.toggle("cld-slots-pad", slot > end);
  });
  counted.textContent = fillingSentence(filling);
  lost.hidden = !tail.length;
  const more = tail.length - LISTED;
  lost.replaceChildren(
    h("b", {}, "Fell off: "),
    ...tail.slice(0, LISTED).flatMap(({ text }) => [h("s", {}, bareToken(text)), " "]),
    more > 0 ? `and ${more} more` : "",
  );
  for (const { name, button } of masks) button.setAttribute("aria-pressed", String(name === mask));
}

/**
 * Marks the row that is looked at, and hatches the slots that it does not see.
 *
 * @param {StripView} view
 * @param {number} row
 * @param {number} last  the last slot that it sees
 */
export function markSlots({ cells }, row, last) {
  cells.forEach((cell, slot) => {
    cell.classList.toggle("cld-slots-hidden", slot > last);
    cell.classList.toggle("cld-slots-here", slot === row);
  });
}

/**
 * Pointer and arrow keys on the strip, which has as many lines as the page's width asks for.
 *
 * @param {StripView} view
 * @param {Pointing} pointing
 */
export function exploreStrip({ strip, cells }, { chosen, look, choose }) {
  const perLine = () => getComputedStyle(strip).gridTemplateColumns.split(" ").length;
  /** @type {(row: number) => Place} */
  const placeOf = (row) => [Math.floor(row / perLine()), row % perLine()];
  explore(strip, {
    label: "77 slots",
    where({ target }) {
      const row = cells.findIndex((cell) => target instanceof Node && cell.contains(target));
      return row >= 0 && placeOf(row);
    },
    from: () => placeOf(chosen()),
    to([down, across]) {
      const row = down * perLine() + clamp(across, perLine() - 1);
      if (row >= 0 && row < SLOTS) choose(row);
    },
    over: (on, place) => look(on && place ? place[0] * perLine() + place[1] : null),
  });
}
