// @ts-check
// A weight as Compel has it: a number, or a row of signs.

import { promptError, pyFloat } from "../prompt_text.js";

const COMPEL_PLUS = 1.1;
const COMPEL_MINUS = 0.9;

/**
 * @param {string} written  "1.5", "+++" or "--"
 * @param {number} place
 */
export function compelWeight(written, place) {
  if (!/[+-]/.test(written[0])) return /** @type {number} */ (pyFloat(written));
  const power = compelPower(written[0] === "+" ? COMPEL_PLUS : COMPEL_MINUS, written.length);
  if (power < Infinity) return power;
  throw promptError(
    `Compel crashes on ${written.length} plus signs: 1.1 to that power is beyond what a number ` +
      "holds. Write (words)1.5 with the weight that you mean.",
    place,
  );
}

/**
 * base to the power of n, rounded once, as C's pow: JavaScript's may be off in the last digit.
 *
 * @param {number} base
 * @param {number} n
 */
function compelPower(base, n) {
  const near = base ** n;
  if (near > 1e300 || near < 1e-290) return near;
  const whole = BigInt(base * 2 ** 53) ** BigInt(n); // the power is exactly whole / 2⁵³ⁿ
  const extra = Math.max(0, whole.toString(16).length * 4 - 68); // bits beyond those to round from
  const top = whole >> BigInt(extra);
  const rest = top << BigInt(extra) === whole ? 0n : 1n;
  return Number(top | rest) * 2 ** (extra - 53 * n);
}
