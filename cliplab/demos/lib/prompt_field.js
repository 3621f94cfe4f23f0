// @ts-check
// The field of a prompt with weights, and below it what is to be said of what stands there.

import { h, markedPrompt } from "./elements.js";

/** @import { Reading } from "./pictures.js" */

/**
 * @param {{
 *   name: string,
 *   limit: number,         // characters of a prompt
 *   inputClass: string,
 *   notesClass: string,
 *   change: (prompt: string) => void,
 * }} what
 */
export function createPromptField({ name, limit, inputClass, notesClass, change }) {
  const input = h("textarea", {
    class: inputClass,
    rows: "1",
    maxlength: String(limit),
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => change(input.value),
  });
  const label = h("label", { class: "cld-label" }, name, input);
  const notes = h("div", { class: notesClass });
  return {
    label,
    notes,
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
