// @ts-check
// The tower: a storey for each layer, a column for each slot, the words at its foot. A bar is how
// far a row has moved.

import { h } from "../lib/elements.js";
import { clamp, explore } from "../lib/explore.js";
import { LAYERS } from "./trace.js";
import { isChanged, isCompared, movedBy, percentOf, slotsOf, wordAt } from "./view.js";

/** @import { Acts, Look, View } from "./types.js" */

const STOREYS = Array.from({ length: LAYERS + 1 }, (_, down) => LAYERS - down); // from above

/**
 * Its places are [storeys from above, slot].
 *
 * @param {Look} look
 * @param {Acts} acts
 */
export function createTower(look, { set, layerNow, rowNow, tell }) {
  const element = h("div", { class: "cld-enc-tower" });
  explore(element, {
    label: "How far each row moved: layers up and down, rows left and right",
    where({ target }) {
      const cell = /** @type {Element} */ (target).closest("[data-slot]");
      if (!cell) return undefined;
      const { layer = look.view.layer, slot } = /** @type {HTMLElement} */ (cell).dataset;
      return [LAYERS - Number(layer), Number(slot)];
    },
    from: () => [LAYERS - layerNow(), rowNow()],
    to: ([down, slot]) =>
      set({ layer: LAYERS - clamp(down, LAYERS), row: clamp(slot, look.view.shown - 1) }),
    over: (on, place) => tell(on ? { part: "tower", place } : null),
  });
  new ResizeObserver(() => element.firstChild && followRow(element)).observe(element);
  return { element, draw: () => drawTower(element, look.view) };
}

/**
 * @param {HTMLElement} tower
 * @param {View} view
 */
function drawTower(tower, view) {
  const all = STOREYS.flatMap((layer) => slotsOf(view).map((slot) => movedBy(view, layer, slot)));
  const most = Math.max(...all); // one scale for the whole tower
  tower.style.setProperty("--cld-enc-slots", String(view.shown));
  tower.classList.toggle("cld-enc-many", view.shown > 12);
  tower.classList.toggle("cld-enc-alone", !isCompared(view));
  const corner = h("span", { class: "cld-enc-storey" });
  tower.replaceChildren(
    ...STOREYS.flatMap((layer) => [
      storeyName(layer, layer === view.layer),
      ...slotsOf(view).map((slot) => towerCell(view, layer, slot, most)),
    ]),
    corner,
    ...slotsOf(view).map((slot) => towerFoot(view, slot)),
  );
  followRow(tower);
}

/**
 * @param {number} layer
 * @param {boolean} isHere
 */
const storeyName = (layer, isHere) =>
  h(
    "span",
    { class: "cld-enc-storey", "data-here": isHere },
    h("span", { class: "cld-enc-wide" }, layer ? `layer ${layer}` : "embeddings"),
    h("span", {}, "H", h("sub", {}, String(layer))),
  );

/**
 * A row after a layer, its bar as high as it has moved.
 *
 * @param {View} view
 * @param {number} layer
 * @param {number} slot
 * @param {number} most   the largest of all, which fills a cell
 */
function towerCell(view, layer, slot, most) {
  const moved = movedBy(view, layer, slot);
  const bar = h("span", { class: "cld-enc-bar" });
  bar.style.height = `${most && (100 * moved) / most}%`;
  const isHere = layer === view.layer;
  return h(
    "span",
    {
      class: "cld-enc-cell",
      "data-layer": String(layer),
      "data-slot": String(slot),
      "data-here": isHere,
      "data-row": slot === view.row,
      "data-own": isChanged(view, slot),
    },
    isHere && isCompared(view) && h("small", {}, percentOf(moved)),
    bar,
  );
}

/**
 * The word of a slot, and what it becomes.
 *
 * @param {View} view
 * @param {number} slot
 */
const towerFoot = (view, slot) =>
  h(
    "span",
    {
      class: "cld-enc-slot",
      "data-slot": String(slot),
      "data-row": slot === view.row,
      "data-on": view.prompts[0].continues[slot],
    },
    h("span", {}, wordAt(view, slot)),
    isChanged(view, slot) && h("span", { class: "cld-enc-new" }, wordAt(view, slot, 1)),
  );

/**
 * Scrolls the tower, where it is too wide for the page, so that the chosen row is in sight.
 *
 * @param {HTMLElement} tower
 */
function followRow(tower) {
  const [name] = /** @type {HTMLCollectionOf<HTMLElement>} */ (tower.children);
  const foot = /** @type {HTMLElement} */ (tower.querySelector(".cld-enc-slot[data-row]"));
  const { offsetLeft, offsetWidth } = foot;
  const isOut =
    offsetLeft - name.offsetWidth < tower.scrollLeft ||
    offsetLeft + offsetWidth > tower.scrollLeft + tower.clientWidth;
  if (isOut) tower.scrollLeft = offsetLeft - tower.clientWidth / 2;
}
