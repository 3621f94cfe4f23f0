// @ts-check
// Word to region: where in a picture each word was read, and what each place listened to. The
// picture is painted once; everything else is a look into the same numbers.

import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { createPainter } from "../lib/painting.js";
import { paintPrompt } from "./attention.js";
import { createBars } from "./bars.js";
import { createControls, createPromptAndSeed } from "./controls.js";
import { createPicture } from "./picture.js";
import { regionsPresets } from "./presets.js";
import { regionsTable, sentenceOf } from "./sentences.js";
import { lookedAt, viewOf } from "./view.js";
import { createWordList } from "./word_list.js";

/** @import { Acts, Look, State, View } from "./types.js" */

export default demo({
  title: "Word to region",
  about:
    "The miniature Stable Diffusion knows colored shapes, thirty things and nothing else. Its " +
    "U-Net has 2.6 million parameters and 7 cross-attention layers, averaged here, on at most " +
    "8 × 8 places; that of Stable Diffusion 1.5 has 860 million and 16 layers, on up to 64 × 64.",
  presets: regionsPresets,

  async start({ body, ask, say, set, state }) {
    const painter = await createPainter(ask);
    /** @type {Look} */
    const look = { peek: -1, spotted: null, topic: "word" };
    /** @type {Acts} */
    const acts = {
      set,
      state,
      peekAt(group) {
        look.peek = group;
        look.topic = "word";
        drawLook();
      },
      spotAt(isOn, place) {
        look.spotted = place;
        look.topic = isOn ? "place" : "word";
        drawLook();
      },
    };
    const prompt = createPromptAndSeed(painter, acts);
    const picture = createPicture(acts);
    const words = createWordList(look, acts);
    const bars = createBars();
    const controls = createControls(look, acts);
    body.append(
      prompt.element,
      h(
        "div",
        { class: "cld-regions-sheet" },
        picture.element,
        words.element,
        controls.element,
        bars.element,
      ),
    );

    /** What follows pointer and keys. */
    function drawLook() {
      const { view } = look;
      if (!view) return;
      const { word, spot } = lookedAt(look, view);
      picture.draw(view, word, spot);
      bars.draw(view, word, spot);
      words.mark(view);
      controls.mark(view, word);
      say(sentenceOf(look, view));
    }

    /**
     * Paints what the state asks for, unless it asks for something newer before that is done.
     *
     * @param {State} wanted
     */
    const paint = (wanted) =>
      picture.whilePainting(body, (onStep) =>
        paintPrompt(ask, painter, wanted, () => !isSamePicture(state(), wanted), onStep),
      );

    /** @param {State} wanted */
    async function draw(wanted) {
      prompt.show(wanted);
      controls.show(wanted);
      const before = look.view;
      const isKept = before && isSamePicture(before, wanted);
      const painted = isKept ? before : await paint(wanted);
      if (!painted) return; // something newer is wanted, and comes next
      const view = viewOf(painted, wanted);
      look.view = view;
      if (!isKept || before.step !== view.step || before.among !== view.among) {
        look.peek = -1; // the button under the pointer is replaced by another
        picture.drawPlain(view);
        words.draw(view);
      }
      look.topic = topicOf(view, before) ?? look.topic;
      drawLook();
    }
    return { draw, table: () => regionsTable(/** @type {View} */ (look.view)) };
  },
});

/**
 * @param {Pick<State, "prompt" | "seed">} one
 * @param {Pick<State, "prompt" | "seed">} other
 */
const isSamePicture = (one, other) => one.prompt === other.prompt && one.seed === other.seed;

/**
 * What the sentence is to be about, now that something has changed; undefined: what it was about.
 *
 * @param {View} view
 * @param {View} [before]
 */
function topicOf(view, before) {
  if (!before || !isSamePicture(view, before)) return "word";
  if (view.word !== before.word || view.held !== before.held) return "word";
  return view.spot !== before.spot ? "place" : undefined;
}
