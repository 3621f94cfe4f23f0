// @ts-check
// Weights: one prompt as three tools read it, and what each makes of the context's 77 rows.

import { createTokenizer } from "../lib/bpe.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { clamp, explore } from "../lib/explore.js";
import { createMeasure } from "./movement.js";
import { drawPanels, markCard } from "./panels.js";
import { PRESETS } from "./presets.js";
import { ROWS, readPrompt, toolsWith } from "./reading.js";
import { rowSentence, summary, weightsTable } from "./wording.js";

/** @import { Context, Place } from "../lib/types.js" */
/** @import { Refusal } from "./reading.js" */
/** @import { MovedReading } from "./movement.js" */
/** @typedef {{ prompt: string, no_norm: boolean }} WeightsState  as __init__.py declares it */

export default demo({
  title: "What a weight does to the rows",
  about:
    "The grammars are the tools' own. The rows are those of a miniature text encoder (4 layers, " +
    "width 128, its own vocabulary of 6,918 tokens); Stable Diffusion 1.5's has 12 layers and " +
    "width 768, and its rows move by other amounts under the same rules.",
  presets: PRESETS,
  start,
});

/** @param {Context<WeightsState>} context */
async function start({ body, ask, say, set }) {
  const tokenizer = createTokenizer(await ask.json("mini_vocabulary"));
  const measure = createMeasure(ask, tokenizer);
  /** @type {(MovedReading | Refusal)[]} */
  let readings = [];
  /** @type {Place | undefined} */
  let at; // the tool and the row that are looked at
  const { input, noNorm, tools } = weightsFields(body, set);

  /**
   * Say what stands at a row of a tool.
   *
   * @param {Place} place
   */
  function look(place) {
    const found = readablePlace(readings, place, at);
    if (!found) return;
    at = found.place;
    markCard(tools, at);
    say(rowSentence(found.reading, at[1]));
  }
  explore(tools, {
    label: "Three tools: left and right go through tokens, up and down through tools",
    where: ({ target }) => placeOf(target),
    from: () => at ?? [0, 0],
    to: look,
    over: (on, place) => on && look(place ?? at ?? [0, 0]),
  });

  /** @param {WeightsState} state */
  async function draw({ prompt, no_norm }) {
    if (input.value !== prompt) input.value = prompt;
    noNorm.checked = no_norm;
    readings = await measure(toolsWith(no_norm).map((tool) => readPrompt(tokenizer, tool, prompt)));
    drawPanels(tools, readings);
    at = undefined;
    say(summary(readings));
  }

  return { draw, table: () => weightsTable(readings) };
}

/**
 * What the reader fills in, and where the tools stand.
 *
 * @param {HTMLElement} body
 * @param {Context<WeightsState>["set"]} set
 */
function weightsFields(body, set) {
  const input = h("textarea", {
    class: "cld-text cld-mono",
    rows: "2",
    maxlength: "300",
    spellcheck: "false",
    autocomplete: "off",
    oninput: () => set({ prompt: input.value }),
  });
  const noNorm = h("input", {
    type: "checkbox",
    onchange: () => set({ no_norm: noNorm.checked }),
  });
  const tools = h("div", { class: "cld-tools" });
  body.append(
    h("label", { class: "cld-label" }, "Your prompt", input),
    h(
      "label",
      { class: "cld-check" },
      noNorm,
      "Automatic1111 with “No norm”: the mean is not restored",
    ),
    tools,
  );
  return { input, noNorm, tools };
}

/**
 * The tool and row of the card that an event is about.
 *
 * @param {EventTarget | null} target
 * @returns {Place | undefined}
 */
function placeOf(target) {
  const at = target instanceof Element && target.closest("[data-at]")?.getAttribute("data-at");
  if (!at) return undefined;
  const [tool, row] = at.split(" ").map(Number);
  return [tool, row];
}

/**
 * The wanted place, or the next one that there is: tools that cannot read the prompt are passed
 * over, in the direction in which the reader goes.
 *
 * @param {(MovedReading | Refusal)[]} readings
 * @param {Place} wanted
 * @param {Place | undefined} from
 * @returns {{ place: Place, reading: MovedReading } | undefined}
 */
function readablePlace(readings, [tool, row], from) {
  const open = readings.flatMap((reading, index) => (reading.error ? [] : [{ reading, index }]));
  const ahead = !from || tool >= from[0];
  const found =
    (ahead
      ? open.find(({ index }) => index >= tool)
      : open.findLast(({ index }) => index <= tool)) ??
    open.find(({ index }) => index === from?.[0]) ??
    open[0];
  if (!found) return undefined;
  const { reading, index } = found;
  return { place: [index, clamp(row, Math.min(reading.end + 1, ROWS - 1))], reading };
}
