// @ts-check
// The calls that bring numbers and data: from a notebook's kernel, from a page's worker.

/** @import { Ask, Model, NumberArray, NumberType, Output, Question, Reply } from "./types.js" */
/** @import { Tensor } from "./types.js" */

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/**
 * An input of `run`: its type, shape and values. A scalar has shape [].
 *
 * @param {NumberType} type
 * @param {number[]} shape
 * @param {ArrayLike<number>} values
 * @returns {Tensor}
 */
export const tensor = (type, shape, values) => ({ type, shape, values });

/**
 * @param {Model} model
 * @returns {Ask}
 */
export function createAsk(model) {
  const send = sender(model);
  return {
    run(graph, inputs, wanted) {
      /** @type {Record<string, { type: NumberType, shape: number[] }>} */
      const about = {};
      for (const [name, { type, shape }] of Object.entries(inputs)) about[name] = { type, shape };
      const arrays = Object.values(inputs).map(
        ({ type, values }) => ARRAYS[type].from(values).buffer,
      );
      return send({ run: graph, inputs: about, outputs: wanted }, arrays);
    },
    async load(name) {
      return (await send({ load: name }, [])).bytes.data;
    },
    async json(name) {
      return JSON.parse(new TextDecoder().decode(await this.load(name)));
    },
  };
}

/**
 * A function that sends a question and promises its outputs; answers come in any order.
 *
 * @param {Model} model
 */
function sender(model) {
  /** @type {Map<number, { resolve: (outputs: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let sent = 0;
  model.on("msg:custom", (/** @type {Reply} */ reply, /** @type {any[]} */ buffers) => {
    const asked = waiting.get(reply.id);
    if (!asked) return;
    waiting.delete(reply.id);
    if (reply.error) asked.reject(new Error(reply.error));
    else asked.resolve(unpackedOutputs(reply, buffers));
  });
  /**
   * @param {Question} question
   * @param {ArrayBufferLike[]} buffers
   * @returns {Promise<Record<string, any>>}
   */
  return (question, buffers) =>
    new Promise((resolve, reject) => {
      const id = sent++;
      waiting.set(id, { resolve, reject });
      model.send({ id, ...question }, undefined, buffers);
    });
}

/**
 * @param {Reply} reply
 * @param {(ArrayBuffer | ArrayBufferView<ArrayBuffer>)[]} buffers  of each output; a host's choice
 */
function unpackedOutputs(reply, buffers) {
  /** @type {Record<string, Output<NumberArray>>} */
  const outputs = {};
  Object.entries(reply.outputs ?? {}).forEach(([name, { type, shape }], i) => {
    const given = buffers[i];
    const bytes = ArrayBuffer.isView(given) ? given : new DataView(given);
    const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    outputs[name] = { data: new ARRAYS[type](copy), shape: [...shape] };
  });
  return outputs;
}
