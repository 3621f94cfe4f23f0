// Fetches what the demos of a page need and runs their graphs, away from the thread that draws.
// Nothing is fetched before it is asked for; whatever was fetched is kept for the next demo.

const version = new URL(import.meta.url).search;
const beside = (path) => new URL(path + version, import.meta.url);
const kept = new Map();

/** What `make` promises, made once per name; a failure is forgotten, to be tried again. */
function once(name, make) {
  if (!kept.has(name)) {
    kept.set(
      name,
      make().catch((error) => {
        kept.delete(name);
        throw error;
      }),
    );
  }
  return kept.get(name);
}

/** The bytes of a gzip'd file; some servers unpack such files themselves. */
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
    const [ort, wasm] = await Promise.all([
      import(beside(`${folder}ort.wasm.min.mjs`)),
      unpacked(`${folder}ort-wasm-simd-threaded.wasm.gz`),
    ]);
    ort.env.wasm.numThreads = 1; // more need headers that plain hosts do not send
    ort.env.wasm.wasmBinary = wasm.buffer;
    ort.env.wasm.wasmPaths = { mjs: beside(`${folder}ort-wasm-simd-threaded.mjs`).href };
    return ort;
  });

let turn = Promise.resolve();

/** The runtime's work, one after the other: of two runs at once neither ever ends. */
function inTurn(work) {
  const done = turn.then(work);
  turn = done.catch(() => {});
  return done;
}

const session = (graph) =>
  once(`graphs/${graph}`, async () => {
    const [ort, bytes] = await Promise.all([runtime(), unpacked(`graphs/${graph}.onnx.gz`)]);
    return inTurn(() => ort.InferenceSession.create(bytes));
  });

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

async function answer({ load, run, inputs, outputs: wanted }, buffers) {
  if (load) {
    const bytes = await once(`data/${load}`, () => unpacked(`data/${load}.gz`));
    return {
      outputs: { bytes: { type: "uint8", shape: [bytes.length] } },
      buffers: [bytes.buffer],
    };
  }
  const [ort, graph] = await Promise.all([runtime(), session(run)]);
  const feeds = {};
  Object.entries(inputs).forEach(([name, { type, shape }], i) => {
    feeds[name] = new ort.Tensor(type, new ARRAYS[type](buffers[i]), shape);
  });
  const names = wanted ?? graph.outputNames;
  const results = await inTurn(() => graph.run(feeds, names));
  const outputs = {};
  for (const name of names) {
    outputs[name] = { type: results[name].type, shape: results[name].dims };
  }
  const found = names.map((name) => results[name].data.slice().buffer);
  return { outputs, buffers: found };
}

self.onmessage = async ({ data: { message, buffers } }) => {
  const { id } = message;
  try {
    const { outputs, buffers: found } = await answer(message, buffers);
    self.postMessage({ reply: { id, outputs }, buffers: found });
  } catch (error) {
    self.postMessage({ reply: { id, error: error.message }, buffers: [] });
  }
};
