// @ts-check
// A bar for each row: a name, a share, and the share in words.

import { h } from "../lib/elements.js";

/** @typedef {{ name: string, share: number, isOwn: boolean, note?: string }} Bar */

export function createBars() {
  const title = h("p", { class: "cld-trip-title" });
  const list = h("ul", { class: "cld-trip-bars cld-number" });
  return {
    element: h("div", {}, title, list),
    /**
     * @param {string} name
     * @param {Bar[]} bars
     * @param {(share: number) => string} say
     */
    draw(name, bars, say) {
      title.textContent = name;
      const most = Math.max(...bars.map(({ share }) => share), 1e-6);
      list.replaceChildren(...bars.map((bar) => barLine(bar, bar.share / most, say)));
    },
  };
}

/**
 * @param {Bar} bar
 * @param {number} part   of the longest bar
 * @param {(share: number) => string} say
 */
function barLine({ name, share, isOwn, note }, part, say) {
  const filled = h("span", { class: "cld-moving" });
  filled.style.width = `${100 * part}%`;
  return h(
    "li",
    { "data-own": isOwn },
    h("span", {}, name, note && h("small", {}, ` ${note}`)),
    h("span", { class: "cld-trip-bar", "aria-hidden": "true" }, filled),
    h("span", {}, say(share)),
  );
}
