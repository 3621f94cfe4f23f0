// @ts-check
// The journey of a prompt through the whole miniature Stable Diffusion: a line of stations, one of
// them open, and one word that is followed through all of them.

import { demo } from "../lib/demo.js";
import { createPainter } from "../lib/painting.js";
import { createPromptField } from "../lib/prompt_field.js";
import { errorSentence, readPrompt } from "../lib/reading.js";
import { reweighed, writePrompt } from "../lib/words.js";
import { createFollow } from "./follow.js";
import { createLine } from "./line.js";
import { NAMES, createPanel } from "./panel.js";
import { journeyPresets } from "./presets.js";
import { tripOf } from "./trip.js";
import { createWay } from "./way.js";

/** @import { Context, Table } from "../lib/types.js" */
/** @import { Acts, State } from "./types.js" */

const JOURNEY_LIMIT = 200; // characters of a prompt: what every close-up takes

export default demo({
  title: "The journey of a prompt",
  about:
    "All of it is computed here, by the course's miniature Stable Diffusion, which knows colored " +
    "shapes, thirty things and nothing else. Stable Diffusion 1.5 has the same stations, with a " +
    "billion parameters.",
  presets: journeyPresets,
  start,
});

/** @param {Context<State>} context */
async function start({ body, ask, say, set, state, redraw, site }) {
  const painter = await createPainter(ask);
  const read = (/** @type {State} */ { prompt }) => readPrompt(painter, prompt);
  const now = () => tripOf(painter.tokenizer, read(state()), state());
  const way = createWay(ask, painter, now, redraw);
  /** @type {Acts} */
  const acts = {
    set,
    state,
    redraw,
    weigh(weight) {
      const trip = now();
      if (!trip) return;
      const prompt = writePrompt(reweighed(trip.reading, trip.index, weight));
      if ([...prompt].length <= JOURNEY_LIMIT) set({ prompt });
      else say(`That would make the prompt longer than ${JOURNEY_LIMIT} characters.`);
    },
    paint() {
      const trip = now();
      if (trip) way.paint(trip).catch((error) => say(`It cannot be painted. ${error.message}`));
    },
  };
  const field = createPromptField({
    name: "Your prompt",
    limit: JOURNEY_LIMIT,
    inputClass: "cld-text cld-trip-prompt",
    known: painter.known,
    change: (prompt) => set({ prompt }),
  });
  const follow = createFollow((word) => set({ word }));
  const line = createLine(NAMES, (station) => set({ station }));
  const panel = createPanel(acts, say, site);
  body.append(field.element, follow.element, line.element, panel.element, line.turns);

  /** @type {Table} */
  let table = { caption: "", columns: [], rows: [] };
  /** @param {State} wanted */
  async function draw(wanted) {
    const reading = read(wanted);
    const trip = tripOf(painter.tokenizer, reading, wanted);
    field.show(wanted.prompt, reading);
    line.show(wanted.station);
    if (reading.error) say(errorSentence(wanted.prompt, reading.error));
    if (!trip) return;
    follow.show(trip);
    const drawn = await panel.draw(trip, way);
    table = drawn.table;
    say(drawn.sentence);
  }
  return { draw, table: () => table };
}
