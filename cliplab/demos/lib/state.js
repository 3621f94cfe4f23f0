// @ts-check
// A demo's state, which its model keeps: the fields that Python declared, read and set together.

/** @import { Fields, Model } from "./types.js" */

/** @param {Model} model */
export function createState(model) {
  /** @type {Fields} */
  const fields = model.get("_fields");
  const names = Object.keys(fields);
  const get = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  /** @param {Record<string, unknown>} patch */
  const set = (patch) => {
    Object.entries(patch).forEach(([name, value]) => model.set(name, value));
    model.save_changes();
  };
  /**
   * Calls `changed` whenever a field changes, until the function that it gives is called.
   *
   * @param {() => void} changed
   */
  const watch = (changed) => {
    names.forEach((name) => model.on(`change:${name}`, changed));
    return () => names.forEach((name) => model.off(`change:${name}`, changed));
  };
  return { fields, get, set, watch, first: get() };
}
