// @ts-check
// What one place of the picture listened to: a bar for each word.

import { h } from "../lib/elements.js";
import { percentText } from "../lib/wording.js";
import { capitalized, mapOf, placeName, shareAt, whenIs } from "./view.js";

/** @import { View } from "./types.js" */

export function createBars() {
  const title = h("p", { class: "cld-regions-title" });
  const bars = h("ul", { class: "cld-regions-bars cld-number", tabindex: "0" });
  return {
    element: h("div", { class: "cld-regions-place" }, title, bars),
    /**
     * @param {View} view
     * @param {number} word
     * @param {number} spot
     */
    draw(view, word, spot) {
      const what = `${capitalized(placeName(spot))} listened to`;
      title.replaceChildren(`${what} `, h("span", { class: "cld-hint" }, "100\u00a0% in all"));
      bars.setAttribute("aria-label", `${what}, ${whenIs(view.step)}`);
      const top = Math.max(...view.groups.map((_, group) => mapOf(view, group).high)) || 1;
      bars.replaceChildren(
        ...view.groups.map((_, group) => shareBar(view, group, spot, top, group === word)),
      );
    },
  };
}

/**
 * @param {View} view
 * @param {number} group
 * @param {number} spot
 * @param {number} top   the largest share of all, which fills the width
 * @param {boolean} isLookedAt
 */
function shareBar(view, group, spot, top, isLookedAt) {
  const { name, isWord } = view.groups[group];
  const share = shareAt(view, group, spot);
  const isLeftOut = view.among && !isWord;
  const bar = h("span", { class: "cld-regions-bar", "aria-hidden": "true", hidden: isLeftOut });
  bar.style.width = `${(100 * share) / top}%`;
  return h(
    "li",
    { "data-sink": !isWord, "data-word": isLookedAt, "data-held": group === view.held },
    h("span", {}, name),
    h("span", { class: "cld-regions-track" }, bar),
    h("span", {}, isLeftOut ? "left out" : percentText(share)),
  );
}
