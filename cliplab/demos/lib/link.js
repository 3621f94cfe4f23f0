// @ts-check
// The state in an address: written into a link to a demo, and read from that of the page. Anyone may
// have written the latter: it is data, and what fits is taken.

/** @import { Field, Fields } from "./types.js" */

/**
 * The address of a demo in this state, on the page that it stands on.
 *
 * @param {string} page
 * @param {string} name
 * @param {object} state   some of its fields; the others are as at first
 */
export const stateAddress = (page, name, state) =>
  `${page}#${new URLSearchParams({ demo: name, state: JSON.stringify(state) })}`;

/**
 * The state that the page's address has for this demo, and the names of what does not fit. A list
 * that is too short is completed with what stood there at first.
 *
 * @param {string} name
 * @param {Fields} fields
 * @param {Record<string, unknown>} first
 * @returns {{ state: Record<string, unknown>, refused: string[] }}
 */
export function linkedState(name, fields, first) {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.get("demo") !== name) return { state: {}, refused: [] };
  let given;
  try {
    given = JSON.parse(parts.get("state") ?? "null");
  } catch {
    given = null;
  }
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    return { state: {}, refused: ["all of it"] };
  }
  const good = Object.entries(given)
    .map(([k, v]) => [k, Array.isArray(v) ? completed(v, first[k]) : v])
    .filter(([k, v]) => Object.hasOwn(fields, k) && fitsField(v, fields[k]));
  const refused = Object.keys(given).filter((k) => !good.some(([taken]) => taken === k));
  return { state: Object.fromEntries(good), refused };
}

/**
 * @param {unknown[]} list
 * @param {unknown} whole
 */
const completed = (list, whole) =>
  Array.isArray(whole) ? [...list, ...whole.slice(list.length)] : list;

/**
 * Whether a value fits a field as Python declared it.
 *
 * @param {unknown} value
 * @param {Field} field
 */
function fitsField(value, field) {
  switch (field.kind) {
    case "text":
      return isTextUpTo(value, field.most);
    case "texts":
      return (
        Array.isArray(value) &&
        value.length >= field.least &&
        value.length <= field.length &&
        value.every((one) => isTextUpTo(one, field.most))
      );
    case "whole":
    case "number":
      return (
        typeof value === "number" &&
        (field.kind === "number" || Number.isInteger(value)) &&
        value >= field.least &&
        value <= field.most
      );
    case "switch":
      return typeof value === "boolean";
    case "choice":
      return typeof value === "string" && field.values.includes(value);
    default:
      return false;
  }
}

/**
 * @param {unknown} value
 * @param {number} most in characters, as Python counts them
 */
const isTextUpTo = (value, most) => typeof value === "string" && [...value].length <= most;
