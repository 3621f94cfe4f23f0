// @ts-check
// Python for the exercises of a page, away from the thread that draws: Pyodide, the checks of the
// course, and one answer after the other. Nothing is fetched before the first one comes.

/** @import { Question } from "./types.js" */

/**
 * What is used of Pyodide.
 *
 * @typedef {object} Pyodide
 * @property {(file: ArrayBuffer, format: string, options: { extractDir: string }) => void} unpackArchive
 * @property {(code: string) => unknown} runPython
 * @property {(name: string) => Answers} pyimport
 *
 * @typedef {object} Answers  the functions of answer.py
 * @property {(id: string, before: string) => { destroy(): void }} prepared
 * @property {(id: string, space: object, code: string, answers: string) => string} judged
 */

const PYODIDE = new URL("../vendor/pyodide/", import.meta.url).href;
const WASM = "pyodide.asm.wasm";
// No further packages, and no other host to ask for them.
const LOCK = {
  info: { abi_version: "2026_0", arch: "wasm32", platform: "emscripten_5_0_3", python: "3.14.2" },
  packages: {},
};

const plainFetch = self.fetch;

/**
 * Pyodide asks for its WebAssembly, which is stored gzip'd, since plain hosts send such files as
 * they are. Some hosts unpack it themselves.
 *
 * @param {RequestInfo | URL} asked
 * @param {RequestInit} [options]
 */
self.fetch = async (asked, options) => {
  const address = String(asked instanceof Request ? asked.url : asked);
  if (!address.endsWith(WASM)) return plainFetch(asked, options);
  const bytes = new Uint8Array(await fetched(`${address}.gz`));
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const stream = new Blob([bytes]).stream();
  const plain = packed ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
  return new Response(plain, { headers: { "Content-Type": "application/wasm" } });
};

/**
 * The bytes of a file. Throws an error that names it.
 *
 * @param {string} address
 */
async function fetched(address) {
  const name = new URL(address).pathname.split("/").pop();
  const answer = await plainFetch(address).catch(() => undefined);
  if (!answer) throw new Error(`${name} could not be fetched: the network does not answer.`);
  if (!answer.ok) throw new Error(`${name} could not be fetched (status ${answer.status}).`);
  return answer.arrayBuffer();
}

/** Python with the course in it. */
async function start() {
  const version = new URL(import.meta.url).search;
  /** @type {[ArrayBuffer, Pyodide]} */
  const [course, python] = await Promise.all([
    fetched(new URL(`course.zip${version}`, import.meta.url).href),
    import(`${PYODIDE}pyodide.mjs`).then(({ loadPyodide }) =>
      loadPyodide({
        indexURL: PYODIDE,
        packageBaseUrl: PYODIDE,
        lockFileContents: JSON.stringify(LOCK),
      }),
    ),
  ]);
  python.unpackArchive(course, "zip", { extractDir: "/course" });
  python.runPython("import sys; sys.path.insert(0, '/course'); import absent; absent.install()");
  return python.pyimport("answer");
}

/** @type {Promise<Answers> | undefined} */
let python;

self.onmessage = async (
  /** @type {MessageEvent<Question>} */ { data: { id, before, code, answers } },
) => {
  try {
    python ??= start();
    const { prepared, judged } = await python;
    const space = prepared(id, before);
    self.postMessage({ state: "Running" });
    self.postMessage(JSON.parse(judged(id, space, code, answers)));
    space.destroy();
  } catch (error) {
    self.postMessage({ state: "Failed", message: /** @type {Error} */ (error).message });
  }
};
