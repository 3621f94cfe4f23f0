// @ts-check
// The answers as bars, the most probable on top.

import { h } from "../lib/elements.js";
import { watched } from "../lib/explore.js";
import { isMotionWelcome } from "../lib/motion.js";
import { signed } from "../lib/wording.js";
import { LABELS } from "./question.js";
import { percent } from "./wording.js";

/** @import { Answer } from "./question.js" */
/** @typedef {ReturnType<typeof barsView>} BarsView */

/**
 * One bar for each place in the list of labels; they are kept, so that they can move.
 *
 * @param {(index: number | undefined) => void} point  the reader points at the bar of a label
 */
export function barsView(point) {
  const list = h("ol", { class: "cld-bars", "aria-label": "Labels, the most probable first" });
  const bars = Array.from({ length: LABELS }, (_, index) => {
    const [name, fill, share, cosine] = ["cld-name", "cld-fill", "cld-share", "cld-cosine"].map(
      (style) => h("span", { class: `${style} cld-number` }),
    );
    const button = h(
      "button",
      {
        type: "button",
        class: "cld-bar",
        onclick: () => point(index),
        ...watched((on) => point(on ? index : undefined)),
      },
      name,
      h("span", { class: "cld-track" }, fill),
      share,
      cosine,
    );
    return { item: h("li", {}, button), button, name, fill, share, cosine };
  });
  return { list, bars };
}

/**
 * Writes the answers into their bars, and puts these in order.
 *
 * @param {BarsView} view
 * @param {Answer[]} answers
 */
export function drawBars({ list, bars }, answers) {
  answers.forEach(({ index, label, share, cosine }, i) => {
    const bar = bars[index];
    bar.name.textContent = label;
    bar.fill.style.width = `${100 * share}%`;
    bar.share.textContent = percent(share);
    bar.cosine.textContent = `cos ${signed(cosine)}`;
    const words = `${i + 1}: ${label}, ${percent(share)}, cosine ${signed(cosine)}`;
    bar.button.setAttribute("aria-label", words);
  });
  const items = answers.map(({ index }) => bars[index].item);
  arrange(list, items);
}

/**
 * Puts the bars in order; unless the reader wants no motion, each glides to its place.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} items
 */
function arrange(list, items) {
  const now = [...list.children];
  if (items.length === now.length && items.every((item, i) => item === now[i])) return;
  const before = new Map(now.map((item) => [item, item.getBoundingClientRect().top]));
  const focused = document.activeElement;
  list.replaceChildren(...items);
  if (focused instanceof HTMLElement && items.some((item) => item.contains(focused))) {
    focused.focus({ preventScroll: true });
  }
  if (!isMotionWelcome()) return;
  for (const item of items) {
    const by = (before.get(item) ?? NaN) - item.getBoundingClientRect().top;
    const glide = { transform: [`translateY(${by}px)`, "none"] };
    if (by) item.animate(glide, { duration: 250, easing: "ease-out" });
  }
}
