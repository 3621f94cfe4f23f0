// @ts-check
// A field of numbers with a line for each row, the token's name before it; the rows of the followed
// word are framed.

import { h } from "../lib/elements.js";

/** @import { Trip } from "./types.js" */

export function rowField() {
  const canvas = h("canvas", { "aria-hidden": "true" }); // the sentence and the table tell it
  const band = h("span", { class: "cld-trip-band" });
  const names = h("div", { class: "cld-trip-labels", "aria-hidden": "true" });
  const across = h("div", { class: "cld-trip-across", "aria-hidden": "true" });
  const element = h(
    "div",
    { class: "cld-trip-field" },
    h("span", {}),
    across,
    names,
    h("div", { class: "cld-trip-canvas" }, canvas, band),
  );
  return {
    element,
    canvas,
    across,
    /** @param {Trip} trip */
    label({ names: all, own, shown }) {
      const inside = own.filter((row) => row < shown);
      element.style.setProperty("--cld-rows", String(shown));
      names.replaceChildren(
        ...all
          .slice(0, shown)
          .map((name, row) =>
            h("span", { "data-own": own.includes(row) }, h("small", {}, String(row)), ` ${name}`),
          ),
      );
      band.hidden = !inside.length;
      band.style.top = `${(100 * (inside[0] ?? 0)) / shown}%`;
      band.style.height = `${(100 * inside.length) / shown}%`;
    },
  };
}
