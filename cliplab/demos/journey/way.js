// @ts-check
// What is computed of a prompt. Graphs compute it, each when a station asks for it first; the answer
// is kept as long as the question stays the same.

import { tensor } from "../lib/ask.js";
import { isMotionWelcome } from "../lib/motion.js";
import { paintRegions } from "../lib/word_maps.js";

/** @import { Painter } from "../lib/pictures.js" */
/** @import { Ask } from "../lib/types.js" */
/** @import { Looks, Painting, Trip, Way } from "./types.js" */

const GLIMPSE = 2; // of the picture, every so many steps

/** @param {Trip} trip */
const weighedKey = ({ read: { ids, weights } }) => `${ids} ${weights}`;

/** @param {Trip} trip */
const paintingKey = (trip) => `${weighedKey(trip)} ${trip.state.seed}`;

/**
 * @param {Ask} ask
 * @param {Painter} painter
 * @param {() => Trip | undefined} now   what the reader asks for at this moment
 * @param {() => void} redraw
 * @returns {Way}
 */
export function createWay(ask, painter, now, redraw) {
  /** @type {Painting | undefined} */
  let latest;
  return {
    contexts: kept(weighedKey, ({ read }) => painter.contexts(read)),
    looks: kept(
      ({ read }) => String(read.ids),
      (trip) => looksOf(ask, trip),
    ),
    painting: (trip) => (latest?.key === paintingKey(trip) ? latest : undefined),
    async paint(trip) {
      /** @type {Painting} */
      const mine = { key: paintingKey(trip), done: 0 };
      latest = mine;
      redraw();
      const outdated = () => {
        const wanted = now();
        return latest !== mine || !wanted || paintingKey(wanted) !== mine.key;
      };
      try {
        const { from_empty } = await this.contexts(trip);
        const { read, reading, state } = trip;
        const what = { read, words: reading.words, context: from_empty, seed: state.seed };
        mine.made = await paintRegions(ask, painter, what, outdated, (step, latents) => {
          mine.done = step;
          if (step % GLIMPSE === 0 && isMotionWelcome()) lookAt(latents);
          redraw();
        });
      } finally {
        if (!mine.made && latest === mine) latest = undefined;
        redraw();
      }
      /** @param {Float32Array} latents */
      async function lookAt(latents) {
        [mine.glimpse] = await painter.pixels([latents]);
        redraw();
      }
    },
  };
}

/**
 * A function that remembers its last answer; a failure is forgotten, to be tried again.
 *
 * @template Answer
 * @param {(trip: Trip) => string} keyOf
 * @param {(trip: Trip) => Promise<Answer>} make
 */
function kept(keyOf, make) {
  /** @type {{ key: string, answer: Promise<Answer> } | undefined} */
  let last;
  return (/** @type {Trip} */ trip) => {
    const key = keyOf(trip);
    if (last?.key === key) return last.answer;
    const answer = make(trip);
    last = { key, answer };
    answer.catch(() => {
      if (last?.answer === answer) last = undefined;
    });
    return answer;
  };
}

/**
 * @param {Ask} ask
 * @param {Trip} trip
 * @returns {Promise<Looks>}
 */
async function looksOf(ask, { read: { ids } }) {
  const inputs = { ids: tensor("int32", [1, ids.length], ids) };
  const { attention } = await ask.run("paint_text", inputs, ["attention"]);
  const shape = attention.shape.slice(1); // of the one prompt
  const { mean } = await ask.run("looks", {
    attention: tensor("float32", shape, attention.data),
  });
  return { mean: mean.data, layers: shape[0], heads: shape[1] };
}
