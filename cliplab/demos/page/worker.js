// @ts-check
// Fetches what the demos of a page need and runs their graphs, away from the thread that draws.
// Nothing is fetched before it is asked for; whatever was fetched is kept for the next demo.

/** @import { NumberArray, NumberType, Question, Reply } from "../lib/types.js" */

/**
 * What is used of onnxruntime-web.
 *
 * @typedef {object} Runtime
 * @property {{ wasm: { numThreads: number, wasmBinary: ArrayBuffer, wasmPaths: object } }} env
 * @property {new (type: NumberType, data: NumberArray, shape: number[]) => object} Tensor
 * @property {{ create(file: Uint8Array): Promise<Session> }} InferenceSession
 *
 * @typedef {object} Session
 * @property {string[]} outputNames
 * @property {(feeds: object, names: string[]) => Promise<Record<string, Result>>} run
 *
 * @typedef {{ type: NumberType, dims: readonly number[], data: NumberArray }} Result
 */

const version = new URL(import.meta.url).search;
const beside = (/** @type {string} */ path) => new URL(path + version, import.meta.url).href;
/** @type {Map<string, Promise<any>>} */
const kept = new Map();

/**
 * What `make` promises, made once per name; a failure is forgotten, to be tried again.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} make
 * @returns {Promise<T>}
 */
function once(name, make) {
  const known = kept.get(name);
  if (known) return known;
  const made = make().catch((error) => {
    kept.delete(name);
    throw error;
  });
  kept.set(name, made);
  return made;
}

/**
 * The bytes of a gzip'd file; some servers unpack such files themselves.
 *
 * @param {string} path
 */
async function unpacked(path) {
  let answer;
  try {
    answer = await fetch(beside(path));
  } catch {
    throw new Error(`${path.split("/").pop()} could not be fetched: the network does not answer.`);
  }
  if (!answer.ok) {
    throw new Error(`${path.split("/").pop()} could not be fetched (status ${answer.status}).`);
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const runtime = () =>
  once("runtime", async () => {
    const folder = "../vendor/onnxruntime/";
    /** @type {[Runtime, Uint8Array<ArrayBuffer>]} */
    const [ort, wasm] = await Promise.all([
      import(beside(`${folder}ort.wasm.min.mjs`)),
      unpacked(`${folder}ort-wasm-simd-threaded.wasm.gz`),
    ]);
    ort.env.wasm.numThreads = 1; // more need headers that plain hosts do not send
    ort.env.wasm.wasmBinary = wasm.buffer;
    ort.env.wasm.wasmPaths = { mjs: beside(`${folder}ort-wasm-simd-threaded.mjs`) };
    return ort;
  });

/** @type {Promise<unknown>} */
let turn = Promise.resolve();

/**
 * The runtime's work, one after the other: of two runs at once neither ever ends.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function inTurn(work) {
  const done = turn.then(work);
  turn = done.catch(() => {});
  return done;
}

const session = (/** @type {string} */ graph) =>
  once(`graphs/${graph}`, async () => {
    const [ort, bytes] = await Promise.all([runtime(), unpacked(`graphs/${graph}.onnx.gz`)]);
    return inTurn(() => ort.InferenceSession.create(bytes));
  });

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/**
 * @typedef {{ outputs: Reply["outputs"], buffers: ArrayBufferLike[] }} Answered
 *
 * @param {Question} question
 * @param {ArrayBuffer[]} buffers  of a graph's inputs
 * @returns {Promise<Answered>}
 */
async function answer(question, buffers) {
  return "load" in question ? loaded(question.load) : computed(question, buffers);
}

/**
 * @param {string} name
 * @returns {Promise<Answered>}
 */
async function loaded(name) {
  const bytes = await once(`data/${name}`, () => unpacked(`data/${name}.gz`));
  return { outputs: { bytes: { type: "uint8", shape: [bytes.length] } }, buffers: [bytes.buffer] };
}

/**
 * @param {Extract<Question, { run: string }>} question
 * @param {ArrayBuffer[]} buffers
 * @returns {Promise<Answered>}
 */
async function computed({ run, inputs, outputs: wanted }, buffers) {
  const [ort, graph] = await Promise.all([runtime(), session(run)]);
  /** @type {Record<string, object>} */
  const feeds = {};
  Object.entries(inputs).forEach(([name, { type, shape }], i) => {
    feeds[name] = new ort.Tensor(type, new ARRAYS[type](buffers[i]), shape);
  });
  const names = wanted ?? graph.outputNames;
  const results = await inTurn(() => graph.run(feeds, names));
  const about = names.map((name) => [
    name,
    { type: results[name].type, shape: results[name].dims },
  ]);
  const found = names.map((name) => results[name].data.slice().buffer);
  return { outputs: Object.fromEntries(about), buffers: found };
}

self.onmessage = async ({ data: { message, buffers } }) => {
  const { id } = message;
  try {
    const { outputs, buffers: found } = await answer(message, buffers);
    self.postMessage({ reply: { id, outputs }, buffers: found });
  } catch (error) {
    self.postMessage({ reply: { id, error: /** @type {Error} */ (error).message }, buffers: [] });
  }
};
