// @ts-check
// The options of Compel's operators: s_start=0.2, 0.5, no_normalize.

import { promptError, pyFloat, pyFloatRepr, pyMatch } from "../prompt_text.js";
import { COMPEL } from "./patterns.js";

/** @import { Option, Read } from "./nodes.js" */
/** @import { CompelReader } from "./reader.js" */

const COMPEL_SWAP_OPTIONS = ["s_start", "s_end", "t_start", "t_end", "shape_freedom"];

/**
 * The options that begin here; a number alone is its own name, and a name alone has the value "".
 *
 * @param {CompelReader} reader
 * @param {number} start
 * @returns {Read<Option[]>}
 */
export function compelOptions(reader, start) {
  const { text, places } = reader;
  const found = [];
  let end = start;
  let i = reader.skip(start);
  for (let option; (option = pyMatch(COMPEL.option, text, i)); i = reader.skip(end + 1)) {
    const [whole, name, number, word, alone, flag] = option;
    found.push({
      name: name ?? flag ?? pyFloatRepr(compelOptionNumber(alone)),
      value: number ? compelOptionNumber(number) : (word ?? ""),
      at: places[i],
    });
    end = reader.skip(i + whole.length);
    if (text[end] !== ",") return [found, end];
  }
  return [found, reader.skip(end)];
}

/**
 * A number by the grammar, which Python can always read.
 *
 * @param {string} written
 */
const compelOptionNumber = (written) => /** @type {number} */ (pyFloat(written));

/**
 * The names and places of options that no .swap() has; an Error where Compel crashes.
 *
 * @param {Option[]} written
 * @returns {[string, number][]}
 */
export function compelUnknownOptions(written) {
  // A name typed again keeps its first turn and takes its last value, as in Python's dict.
  const typed = new Map(written.map(({ name, value, at }) => [name, { value, at }]));
  const freedom = typed.get("shape_freedom");
  if (typeof freedom?.value === "string") {
    throw promptError(
      "Compel crashes here: shape_freedom wants a number. Write shape_freedom=0.5.",
      freedom.at,
    );
  }
  return [...typed]
    .filter(([name]) => !COMPEL_SWAP_OPTIONS.includes(name))
    .map(([name, { at }]) => [name, at]);
}
