// @ts-check
// A demo to anywidget's contract: the frame that all share, and in it what each demo adds.

import { createAsk } from "./ask.js";
import { demoFrame } from "./frame.js";
import { linkedState } from "./link.js";
import { createState } from "./state.js";

/** @import { Demo, Model, Parts } from "./types.js" */

/**
 * A demo, as anywidget wants it: `{ render }`.
 *
 * title, about   its name, and a sentence on how small its model is
 * presets        [{ label, state, question, answer }]: predict, then reveal
 * start(ctx)     builds the demo in ctx.body and gives { draw(state), table() }
 *
 * ctx is the `Context`, and what `start` gives the `Parts` of types.d.ts.
 *
 * @template [State=Record<string, any>]
 * @param {Demo<State>} what
 */
export function demo(what) {
  return {
    /** @param {{ model: Model, el: HTMLElement }} host */
    render: ({ model, el }) => renderDemo(/** @type {Demo<any>} */ (what), model, el),
  };
}

/**
 * @param {Demo} what
 * @param {Model} model
 * @param {HTMLElement} el
 * @returns {Promise<(() => void) | undefined>} what ends it
 */
async function renderDemo(what, model, el) {
  const { site } = model;
  const state = createState(model);
  /** @type {Parts | undefined} */
  let parts; // once it has started
  const { root, body, say, fill } = demoFrame(what, model, state, () => parts?.table());
  el.append(root);
  const draw = inTurn(root, () => parts?.draw(state.get()), fill);
  const redraw = () => {
    if (parts) draw().catch((error) => say(`That could not be computed. ${error.message}`));
  };

  const linked = () =>
    site ? linkedState(model.get("_name"), state.fields, state.first) : { state: {}, refused: [] };
  const { state: asked, refused } = linked();
  state.set(asked);
  const follow = () => {
    const wanted = linked().state; // of a link from this page to this very demo
    if (Object.keys(wanted).length) state.set({ ...state.first, ...wanted });
  };
  addEventListener("hashchange", follow);
  const unwatch = state.watch(redraw);
  say("Starting …");
  try {
    const { get, set } = state;
    parts = await what.start({ body, ask: createAsk(model), say, set, state: get, redraw, site });
    await draw();
  } catch (error) {
    if (site) throw error; // the host leaves the recorded frame and says so
    say(`This demo could not be started. ${/** @type {Error} */ (error).message}`);
    return undefined;
  }
  if (refused.length) {
    say(`The link asks for something that this demo does not take (${refused.join(", ")}).`);
  }
  return () => {
    removeEventListener("hashchange", follow);
    unwatch();
  };
}

/**
 * A function that draws, one drawing at a time: what changes meanwhile is drawn after it.
 * `data-drawn` says how many changes have been drawn.
 *
 * @param {HTMLElement} root
 * @param {() => Promise<void> | void} drawOnce
 * @param {() => void} afterwards  when nothing is left to draw
 */
function inTurn(root, drawOnce, afterwards) {
  let changes = 0;
  let drawn = 0;
  let drawing = false;
  return async () => {
    changes += 1;
    if (drawing) return;
    drawing = true;
    try {
      while (drawn !== changes) {
        await null; // several fields set at once are drawn once
        drawn = changes;
        await drawOnce();
      }
      afterwards();
    } finally {
      drawing = false;
      root.dataset.drawn = String(drawn);
    }
  };
}
