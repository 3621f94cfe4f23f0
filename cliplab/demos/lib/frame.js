// @ts-check
// The frame that all demos share: examples, prediction, read-out, reset, link, table.

import { h } from "./elements.js";
import { copyButton } from "./copy.js";
import { presetChips } from "./presets.js";
import { tableView } from "./table.js";

/** @import { Demo, Model, Table } from "./types.js" */
/** @import { createState } from "./state.js" */

/**
 * A demo's elements, its `body` still empty. `table()` gives what is drawn, once something is.
 *
 * @param {Demo} demo
 * @param {Model} model
 * @param {ReturnType<typeof createState>} state
 * @param {() => Table | undefined} table
 */
export function demoFrame({ title, about, presets }, model, state, table) {
  const body = h("div", { class: "cld-body" });
  const read = h("p", { class: "cld-read", role: "status" });
  const say = (/** @type {string} */ sentence) => {
    if (read.textContent !== sentence) read.textContent = sentence;
  };
  const examples = presetChips(presets, (wanted) => state.set({ ...state.first, ...wanted }));
  const reset = () => {
    examples.clear();
    state.set(state.first);
  };
  const { view, fill } = tableView(table);
  const root = h(
    "section",
    { class: "cld-demo", "aria-label": `Demo: ${title}` },
    h(
      "div",
      { class: "cld-head" },
      h("p", { class: "cld-title" }, title),
      h(
        "div",
        { class: "cld-chips", role: "group", "aria-label": "Examples" },
        h("span", { class: "cld-hint" }, "Try"),
        examples.chips,
      ),
    ),
    examples.predict,
    body,
    read,
    h(
      "div",
      { class: "cld-foot" },
      h("button", { type: "button", class: "cld-button", onclick: reset }, "Reset"),
      copyButton(model, state.get, say),
    ),
    view,
    h("p", { class: "cld-about" }, about),
  );
  return { root, body, say, fill };
}
