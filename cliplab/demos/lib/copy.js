// @ts-check
// The state to take along: on a page a link, in a notebook the line that makes the demo again.

import { h } from "./elements.js";
import { stateAddress } from "./link.js";

/** @import { Model } from "./types.js" */

/**
 * @param {Model} model
 * @param {() => object} state
 * @param {(sentence: string) => void} say
 */
export function copyButton(model, state, say) {
  async function copy() {
    const words = carrying(model, state());
    try {
      await navigator.clipboard.writeText(words);
      say("Copied.");
    } catch {
      // no permission, or a page that is not served securely
      const field = h("input", {
        class: "cld-text",
        value: words,
        readonly: true,
        "aria-label": "To copy",
      });
      button.after(field);
      field.select();
      say("Copy it from the field beside the button.");
    }
  }
  const button = h(
    "button",
    { type: "button", class: "cld-button", onclick: copy },
    model.site ? "Copy link" : "Copy as Python",
  );
  return button;
}

/**
 * @param {Model} model
 * @param {object} state
 */
function carrying(model, state) {
  const name = model.get("_name");
  if (model.site) return stateAddress(location.href.split("#")[0], name, state);
  const given = JSON.stringify(state).replaceAll("'", "\\u0027");
  return `cliplab.demo(${JSON.stringify(name)}, **json.loads(r'''${given}'''))`;
}
