// @ts-check
// What the encoder makes of the slots under a mask. The graphs "text", "looks" and "distance"
// compute it; this keeps what does not change from one question to the next.

import { tensor } from "../lib/ask.js";
import { MASKS, SLOTS } from "./filling.js";

/** @import { Ask, Output } from "../lib/types.js" */
/** @import { Filling, MaskName } from "./filling.js" */
/**
 * @typedef {object} Numbers
 * @property {Float32Array} moved  [77]: each row's distance from what SD 1.5's mask gives, in its
 *                                 lengths
 * @property {Float32Array} looks  [77 · 77]: each row's attention, the mean of layers and heads
 */

/**
 * measure(filling, mask): the numbers; the same object while neither changes.
 *
 * @param {Ask} ask
 */
export function createMeasure(ask) {
  /** @type {{ prompt: string, output: Record<string, Output> } | undefined} */
  let usual; // the prompt as SD 1.5 encodes it, kept while only the mask changes
  /** @type {{ key: string, numbers: Numbers } | undefined} */
  let latest;

  /**
   * @param {Filling} filling
   * @param {MaskName} mask
   */
  return async function measure(filling, mask) {
    const [prompt, key] = [String(filling.ids), `${mask} ${filling.ids}`];
    if (usual?.prompt !== prompt) usual = { prompt, output: await encode(ask, filling, "causal") };
    if (latest?.key !== key) {
      const output = mask === "causal" ? usual.output : await encode(ask, filling, mask);
      const { mean } = await ask.run("looks", { attention: oneOf(output.attention) });
      const [a, b] = [oneOf(output.context), oneOf(usual.output.context)];
      const { distance } = await ask.run("distance", { a, b });
      latest = { key, numbers: { moved: distance.data, looks: mean.data } };
    }
    return latest.numbers;
  };
}

/**
 * @param {Ask} ask
 * @param {Filling} filling
 * @param {MaskName} mask
 */
function encode(ask, { ids, end }, mask) {
  const { causal, pad } = MASKS[mask];
  const seen = ids.map((_, slot) => (pad && slot > end ? 0 : 1));
  const inputs = {
    ids: tensor("int32", [1, SLOTS], ids),
    causal: tensor("int32", [], [causal]),
    seen: tensor("int32", [1, SLOTS], seen),
  };
  return ask.run("text", inputs, ["context", "attention"]);
}

/**
 * What a batch of one holds, as an input.
 *
 * @param {Output} output
 */
const oneOf = ({ data, shape }) => tensor("float32", shape.slice(1), data);
