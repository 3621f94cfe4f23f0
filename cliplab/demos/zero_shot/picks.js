// @ts-check
// The pictures to choose from: a group of radio buttons, of which one is in the order of the Tab
// key.

import { showPixels } from "../lib/canvas.js";
import { h } from "../lib/elements.js";
import { bringIntoSight } from "../lib/strip.js";

/** @import { Matcher } from "../lib/pictures.js" */

/** @type {Record<string, number>} */
const KEY_STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * A button for each picture.
 *
 * @param {Matcher} matcher
 * @param {(picture: number) => void} choose
 */
export function pictureButtons(matcher, choose) {
  const buttons = matcher.names.map(({ caption, learned }, i) => {
    const canvas = h("canvas", { "aria-hidden": "true" });
    showPixels(canvas, matcher.pixels(i));
    return h(
      "button",
      {
        type: "button",
        role: "radio",
        class: learned ? "cld-pick" : "cld-pick cld-unseen",
        "aria-label": learned ? caption : `${caption}, not in training`,
        title: caption,
        onclick: () => choose(i),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          const by = KEY_STEPS[event.key];
          if (!by) return;
          event.preventDefault();
          const next = (i + by + buttons.length) % buttons.length;
          buttons[next].focus();
          choose(next);
        },
      },
      canvas,
    );
  });
  return buttons;
}

/**
 * Marks the picture that is chosen, and brings it into sight when it is a new one; none is marked
 * for a drawing, whose number is -1.
 *
 * @param {HTMLElement[]} buttons
 * @param {number} picture
 */
export function markPicture(buttons, picture) {
  buttons.forEach((one, i) => {
    const isNew = i === picture && one.getAttribute("aria-checked") !== "true";
    one.setAttribute("aria-checked", String(i === picture));
    one.tabIndex = i === Math.max(picture, 0) ? 0 : -1;
    if (isNew) bringIntoSight(one);
  });
}
