// @ts-check
// The picture as a board to draw on, by pointer or by keys, and the paints.

import { h } from "../lib/elements.js";
import { clamp } from "../lib/explore.js";
import { MATCHING_SIDE } from "../lib/matching.js";
import { BRUSH, PAINTS } from "./brush.js";

/** @import { Spot } from "./brush.js" */

/** @type {Record<string, Spot>} */
const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const MIDDLE = MATCHING_SIDE / 2;

/**
 * The board, what it shows in words, and the paints.
 *
 * @param {object} on
 * @param {(from: Spot, to: Spot, paint: string) => void} on.stroke  the reader draws a line
 * @param {() => void} on.blank  the reader takes white paper
 * @param {(sentence: string) => void} on.say
 */
export function easelView({ stroke, blank, say }) {
  let paint = "red";
  const board = h("canvas", {
    class: "cld-board",
    tabindex: "0",
    role: "application",
    "aria-label":
      "The picture, to draw on. With the keyboard: arrow keys move the brush, space paints.",
  });
  const ring = h("span", { class: "cld-ring", hidden: true });
  drawByPointer(board, (from, to) => stroke(from, to, paint));
  drawByKeys(
    board,
    ring,
    (spot) => stroke(spot, spot, paint),
    ([x, y]) =>
      say(`Brush at ${x} from the left, ${y} from the top, of 64. Space paints ${paint}.`),
  );
  const about = h("p", { class: "cld-hint" });
  const paints = paintButtons(paint, (name) => {
    paint = name;
  });
  const element = h(
    "div",
    { class: "cld-easel" },
    h("div", { class: "cld-stand" }, board, ring),
    about,
    h("p", {}, "Draw on it:"),
    h("div", { class: "cld-paints", role: "group", "aria-label": "Draw on it" }, paints),
    h(
      "div",
      {},
      h("button", { type: "button", class: "cld-button", onclick: blank }, "White paper"),
    ),
  );
  return { element, board, about };
}

/**
 * Lines from where the pointer was last to where it is, while it is pressed.
 *
 * @param {HTMLCanvasElement} board
 * @param {(from: Spot, to: Spot) => void} stroke
 */
function drawByPointer(board, stroke) {
  /** @type {Spot | undefined} */
  let last; // while it is pressed
  const spotUnder = (/** @type {PointerEvent} */ event) => {
    const box = board.getBoundingClientRect();
    return /** @type {Spot} */ ([
      ((event.clientX - box.left) / box.width) * MATCHING_SIDE,
      ((event.clientY - box.top) / box.height) * MATCHING_SIDE,
    ]);
  };
  const lift = () => {
    last = undefined;
  };
  board.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    board.setPointerCapture(event.pointerId);
    last = spotUnder(event);
    stroke(last, last);
  });
  board.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = spotUnder(event);
    stroke(last, next);
    last = next;
  });
  board.addEventListener("pointerup", lift);
  board.addEventListener("pointercancel", lift);
}

/**
 * Dots where the keyboard's brush stands, which a ring shows once it has moved.
 *
 * @param {HTMLCanvasElement} board
 * @param {HTMLElement} ring
 * @param {(spot: Spot) => void} dot
 * @param {(spot: Spot) => void} moved
 */
function drawByKeys(board, ring, dot, moved) {
  /** @type {Spot | undefined} */
  let brush;
  const showRing = () => {
    ring.hidden = !brush;
    if (!brush) return;
    const [left, top] = brush.map((place) => `${(100 * (place + 0.5)) / MATCHING_SIDE}%`);
    Object.assign(ring.style, { left, top });
  };
  board.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (!step && event.key !== " ")) return;
    event.preventDefault();
    const [x, y] = brush ?? [MIDDLE, MIDDLE];
    if (step) {
      const far = event.shiftKey ? 1 : BRUSH;
      const last = MATCHING_SIDE - 1;
      brush = [clamp(x + step[0] * far, last), clamp(y + step[1] * far, last)];
      moved(brush);
    } else {
      brush = [x, y];
      dot(brush);
    }
    showRing();
  });
  board.addEventListener("blur", () => {
    brush = undefined;
    showRing();
  });
}

/**
 * A button for each paint, of which one is pressed.
 *
 * @param {string} first
 * @param {(name: string) => void} choose
 */
function paintButtons(first, choose) {
  const buttons = Object.entries(PAINTS).map(([name, color]) => {
    const button = h("button", {
      type: "button",
      class: "cld-paint",
      "aria-label": name,
      title: name,
      "aria-pressed": String(name === first),
      onclick: () => {
        choose(name);
        buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      },
    });
    button.style.backgroundColor = `rgb(${color.join(" ")})`;
    return button;
  });
  return buttons;
}
