// @ts-check
// The field of a prompt with weights, and below it what is to be said of what stands there, and the
// words that may stand there.

import { h, markedPrompt } from "./elements.js";
import { knownList } from "./known_list.js";

/** @import { KnownWords, Reading } from "./pictures.js" */

/**
 * @param {{
 *   name: string,
 *   limit: number,         // characters of a prompt
 *   inputClass: string,
 *   known: KnownWords,
 *   change: (prompt: string) => void,
 * }} what
 */
export function createPromptField({ name, limit, inputClass, known, change }) {
  const input = h("textarea", {
    class: inputClass,
    rows: "1",
    maxlength: String(limit),
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => change(input.value),
  });
  const label = h("label", { class: "cld-label" }, name, input);
  const notes = h("div", { class: "cld-notes" });
  return {
    element: h("div", { class: "cld-ask" }, label, notes, knownList(known)),
    /**
     * The text, and what is to be said of it; where it cannot be read, a copy with the place marked.
     *
     * @param {string} prompt
     * @param {Reading} reading
     */
    show(prompt, { error, notes: sentences }) {
      if (input.value !== prompt) input.value = prompt;
      input.setAttribute("aria-invalid", String(Boolean(error)));
      if (error) notes.replaceChildren(markedPrompt(prompt, error.position));
      else notes.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
    },
  };
}
