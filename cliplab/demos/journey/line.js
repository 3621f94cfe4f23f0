// @ts-check
// The line of stations, one of them open: tabs, as the ARIA practices have them, and beneath the
// open one the way back and on.

import { h } from "../lib/elements.js";
import { arrowStep, clamp } from "../lib/explore.js";

/** @import { StationName } from "./types.js" */

/**
 * @param {StationName[]} names
 * @param {(name: StationName) => void} open
 */
export function createLine(names, open) {
  let here = 0;
  const tabs = names.map((name, i) =>
    h(
      "button",
      { type: "button", role: "tab", class: "cld-trip-stop", onclick: () => open(name) },
      h("span", { class: "cld-trip-number" }, String(i + 1)),
      h("span", { class: "cld-trip-name" }, name),
    ),
  );
  const element = h(
    "div",
    {
      class: "cld-trip-line",
      role: "tablist",
      "aria-label": "Stations",
      onkeydown(event) {
        const step = arrowStep(event);
        if (!step) return;
        const next = clamp(here + step[1], tabs.length - 1);
        tabs[next].focus();
        open(names[next]);
      },
    },
    tabs,
  );
  const turn = (/** @type {number} */ by) => {
    const button = h("button", {
      type: "button",
      class: "cld-button",
      onclick: () => open(names[clamp(here + by, tabs.length - 1)]),
    });
    return { by, button };
  };
  const turns = [turn(-1), turn(1)];
  return {
    element,
    turns: h(
      "div",
      { class: "cld-trip-turns" },
      turns.map(({ button }) => button),
    ),
    /** @param {StationName} name */
    show(name) {
      here = names.indexOf(name);
      tabs.forEach((tab, i) => {
        tab.setAttribute("aria-selected", String(i === here));
        tab.tabIndex = i === here ? 0 : -1;
        tab.toggleAttribute("data-passed", i <= here);
      });
      for (const { by, button } of turns) {
        const next = names[here + by];
        button.hidden = !next;
        if (next) button.textContent = by < 0 ? `← ${next}` : `${next} →`;
      }
    },
  };
}
