// @ts-check
// anywidget's model without a kernel: an object of the page, whose questions a worker answers.

/** @import { Model, Reply } from "../lib/types.js" */

/** @typedef {(reply: Reply, buffers: ArrayBuffer[]) => void} Answer */

/** @type {Worker | undefined} */
let worker;
let asked = 0;
/** @type {Map<number, { id: number, then: Answer }>} */
const waiting = new Map();

/**
 * The model of one demo.
 *
 * @param {Record<string, any>} state
 * @returns {Model}
 */
export function pageModel(state) {
  const values = { ...state };
  /** @type {Map<string, ((...what: any[]) => void)[]>} */
  const heard = new Map();
  const listeners = (/** @type {string} */ event) => heard.get(event) ?? [];
  const emit = (/** @type {string} */ event, /** @type {any[]} */ ...what) =>
    listeners(event).forEach((call) => call(...what));
  return {
    site: new URL("../../", import.meta.url).href, // from _static/demos/
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      emit(`change:${name}`);
    },
    save_changes() {},
    on: (event, call) => heard.set(event, [...listeners(event), call]),
    off(event, call) {
      const stay = listeners(event).filter((one) => call && one !== call);
      heard.set(event, stay);
    },
    send: (message, _callbacks, buffers = []) =>
      ask(/** @type {{ id: number }} */ (message), buffers, (reply, found) =>
        emit("msg:custom", reply, found),
      ),
  };
}

/**
 * Sends a message to the worker; `then` is called with its reply.
 *
 * @param {{ id: number }} message
 * @param {ArrayBufferLike[]} buffers
 * @param {Answer} then
 */
function ask(message, buffers, then) {
  worker ??= startWorker();
  const ticket = asked++; // several demos number their messages, each from 0
  waiting.set(ticket, { id: message.id, then });
  worker.postMessage({ message: { ...message, id: ticket }, buffers });
}

function startWorker() {
  const address = new URL(`worker.js${new URL(import.meta.url).search}`, import.meta.url);
  const started = new Worker(address, { type: "module" });
  started.onmessage = ({ data: { reply, buffers } }) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    asker?.then({ ...reply, id: asker.id }, buffers);
  };
  started.onerror = () => {
    const error = "The part that computes could not be started.";
    for (const { id, then } of waiting.values()) then({ id, error }, []);
    waiting.clear();
  };
  return started;
}
