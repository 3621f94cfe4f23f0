// @ts-check
// How far each row of the context moves under each tool. The graphs "text" and "weigh" compute it;
// this puts their inputs together, and remembers what was encoded of late.

import { tensor } from "../lib/ask.js";
import { ROWS } from "./reading.js";

/** @import { Ask, Tokenizer } from "../lib/types.js" */
/** @import { Reading, Refusal } from "./reading.js" */
/**
 * @typedef {object} Movement
 * @property {Float32Array} moved   the distance of each row from where it was, in its lengths
 * @property {Float32Array} cosine  of each row with what it was
 *
 * @typedef {Reading & Movement} MovedReading
 *
 * @typedef {{ ids: number[], seen: number[] }} Row  a prompt, and 1 for what of it may be seen
 * @typedef {{ down: number, seen: number[] }} View  without one fragment, and that one's weight
 */

const KEPT = 60; // contexts that are remembered
const EVERYTHING = new Array(ROWS).fill(1);

/**
 * What may be seen while Compel looks away from a fragment: a row for each that weighs less than 1
 * and has tokens. One that goes on in the next chunk hides all from its first place on, but for the
 * chunk's last.
 *
 * @param {Reading} reading
 * @returns {View[]}
 */
function viewsWithout({ fragments, owner, later }) {
  const hides = (/** @type {number} */ k, /** @type {number} */ row) =>
    owner[row] === k ||
    (later.includes(k) && owner.includes(k) && row > owner.indexOf(k) && row < ROWS - 1);
  return fragments.flatMap(({ weight: down }, k) =>
    down < 1 && (owner.includes(k) || later.includes(k))
      ? [{ down, seen: owner.map((_, row) => (hides(k, row) ? 0 : 1)) }]
      : [],
  );
}

/**
 * encode(rows): the contexts [77 · D] of prompts, those that are not known yet in one run.
 *
 * @param {Ask} ask
 */
function createEncoder(ask) {
  /** @type {Map<string, Float32Array>} */
  const known = new Map(); // ids and what of them may be seen → context

  /** @param {Row[]} rows */
  return async function encode(rows) {
    if (known.size > KEPT) known.clear();
    const keys = rows.map(({ ids, seen }) => `${ids} ${seen}`);
    const fresh = new Map(keys.map((key, i) => [key, rows[i]]));
    for (const key of known.keys()) fresh.delete(key);
    if (fresh.size) {
      const all = (/** @type {"ids" | "seen"} */ what) =>
        tensor(
          "int32",
          [fresh.size, ROWS],
          [...fresh.values()].flatMap((row) => row[what]),
        );
      const inputs = { ids: all("ids"), causal: tensor("int32", [], [1]), seen: all("seen") };
      const { context } = await ask.run("text", inputs, ["context"]);
      const size = context.data.length / fresh.size;
      [...fresh.keys()].forEach((key, i) =>
        known.set(key, context.data.slice(i * size, (i + 1) * size)),
      );
    }
    return keys.map((key) => /** @type {Float32Array} */ (known.get(key)));
  };
}

/**
 * A reading with how far its rows move under its tool's method.
 *
 * @param {Ask} ask
 * @param {Reading} reading
 * @param {Float32Array[]} contexts  of the empty prompt, of this one, and of each view of it
 * @param {View[]} views
 * @returns {Promise<MovedReading>}
 */
async function weigh(ask, reading, [empty, plain, ...masked], views) {
  const shape = [ROWS, empty.length / ROWS];
  const hidden = masked.length ? masked : [plain]; // the graph wants one at least
  const down = masked.length ? views.map((view) => view.down) : [1];
  const inputs = {
    plain: tensor("float32", shape, plain),
    empty: tensor("float32", shape, empty),
    masked: tensor(
      "float32",
      [hidden.length, ...shape],
      hidden.flatMap((one) => [...one]),
    ),
    weights: tensor("float32", [ROWS], reading.weights),
    down: tensor("float32", [hidden.length], down),
  };
  const { moved, cosine } = await ask.run("weigh", inputs, ["moved", "cosine"]);
  const first = reading.tool.method * ROWS;
  return {
    ...reading,
    moved: moved.data.slice(first, first + ROWS),
    cosine: cosine.data.slice(first, first + ROWS),
  };
}

/**
 * measure(readings): each with how far its rows move; refusals stay as they are.
 *
 * @param {Ask} ask
 * @param {Tokenizer} tokenizer
 */
export function createMeasure(ask, tokenizer) {
  const encode = createEncoder(ask);
  const { ids } = tokenizer.lengthNormalize(tokenizer.encode(""), ROWS);

  /** @param {(Reading | Refusal)[]} readings */
  return async function measure(readings) {
    const asked = readings.map((reading) => {
      if (reading.error) return { reading, views: [], rows: [] };
      const views = reading.tool.syntax === "compel" ? viewsWithout(reading) : [];
      const rows = [EVERYTHING, ...views.map((view) => view.seen)];
      return { reading, views, rows: rows.map((seen) => ({ ids: reading.ids, seen })) };
    });
    const rows = [{ ids, seen: EVERYTHING }, ...asked.flatMap((one) => one.rows)];
    const [empty, ...contexts] = await encode(rows);
    /** @type {(MovedReading | Refusal)[]} */
    const found = [];
    for (const { reading, views, rows: own } of asked) {
      const made = [empty, ...contexts.splice(0, own.length)];
      found.push(reading.error ? reading : await weigh(ask, reading, made, views));
    }
    return found;
  };
}
