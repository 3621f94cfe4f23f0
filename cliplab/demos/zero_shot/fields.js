// @ts-check
// The fields for labels and templates.

import { h } from "../lib/elements.js";
import { LABELS } from "./question.js";

/**
 * @param {(patch: { labels?: string, templates?: string }) => void} set
 */
export function questionFields(set) {
  const [labels, templates] = [
    textField("300", (text) => set({ labels: text })),
    textField("200", (text) => set({ templates: text })),
  ];
  const called = `Labels, at most ${LABELS}, with commas between`;
  const filled = "Templates, one a line; the label stands in {}";
  const elements = [
    h("label", { class: "cld-label" }, called, labels),
    h("label", { class: "cld-label" }, filled, templates),
  ];
  return { elements, labels, templates };
}

/**
 * @param {string} most  how many characters fit
 * @param {(text: string) => void} typed
 */
function textField(most, typed) {
  const field = h("textarea", {
    class: "cld-text",
    rows: "2",
    maxlength: most,
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => typed(field.value),
  });
  return field;
}
