// @ts-check
// Makes the exercises of a page answerable on it: a field in the place of the stub, a button in the
// place of its check, and the verdict below. Python comes when the button is first pressed.
//
// This one file is no module, so that it finds what stands beside it by its own address.

/** @typedef {import("./types.js").Question} Question */
/** @typedef {import("./types.js").Verdict} Verdict */

(() => {
  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript);
  const SECONDS = 10; // that an answer may run
  const LATE =
    `your code still ran after ${SECONDS} seconds and was stopped. ` +
    "Is there a loop that never ends?";

  /** @type {Worker | undefined} */
  let worker;
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve(); // one answer after the other

  /**
   * What the worker says of an answer. One that does not end is stopped with the worker.
   *
   * @param {Question} question
   * @returns {Promise<Verdict>}
   */
  function judge(question) {
    const asked = (worker ??= new Worker(new URL(`worker.js${new URL(src).search}`, src), {
      type: "module",
    }));
    return new Promise((resolve) => {
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let clock;
      const end = (/** @type {Partial<Verdict>} */ said) => {
        clearTimeout(clock);
        resolve({ state: "Failed", message: "", printed: "", ...said });
      };
      const stop = (/** @type {Partial<Verdict>} */ said) => {
        asked.terminate();
        worker = undefined;
        end(said);
      };
      asked.onmessage = ({ data }) => {
        if (data.state === "Failed") return stop(data);
        if (data.state !== "Running") return end(data);
        clock = setTimeout(() => stop({ state: "Almost", message: LATE }), SECONDS * 1000);
      };
      asked.onerror = () => stop({ message: "the part that computes could not be started." });
      asked.postMessage(question);
    });
  }

  /**
   * Puts the field, the button and the verdict there.
   *
   * @param {HTMLElement} place  holds the exercise's data, and follows its stub and its check
   */
  function equip(place) {
    const { exercise = "", answers = "", before = "", megabytes = "" } = place.dataset;
    const check = /** @type {HTMLElement} */ (place.previousElementSibling);
    const stub = /** @type {HTMLElement} */ (check.previousElementSibling);
    const field = document.createElement("textarea");
    field.className = "clx-field";
    field.value = stub.querySelector("pre")?.textContent?.trimEnd() ?? "";
    field.rows = field.value.split("\n").length + 3;
    field.spellcheck = false;
    field.autocapitalize = field.autocomplete = "off";
    field.setAttribute("aria-label", `Your answer to exercise ${exercise}, in Python`);
    const button = document.createElement("button");
    button.textContent = "Check here";
    const note = document.createElement("span");
    note.textContent = `The first check on a page loads ${megabytes} MB: Python itself.`;
    const said = document.createElement("p");
    said.className = "clx-said";
    said.setAttribute("role", "status");

    button.addEventListener("click", () => {
      if (button.ariaDisabled) return;
      button.ariaDisabled = "true"; // and it keeps the focus
      said.textContent = worker ? "Running …" : "Loading Python …";
      turn = turn.then(async () => {
        show(said, await judge({ id: exercise, before, code: field.value, answers }));
        button.ariaDisabled = null;
        note.remove();
      });
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) button.click();
      else indent(field);
    });
    const row = document.createElement("div");
    row.className = "clx-act";
    row.append(button, note);
    stub.replaceWith(field);
    check.replaceWith(row, said);
  }

  /**
   * A new line that begins under the last one, and further right after a colon.
   *
   * @param {HTMLTextAreaElement} field
   */
  function indent(field) {
    const line = field.value.slice(0, field.selectionStart).split("\n").pop() ?? "";
    const deeper = line.trimEnd().endsWith(":") ? "    " : "";
    const start = field.selectionStart;
    const text = `\n${/^ */.exec(line)}${deeper}`;
    field.setRangeText(text, start, field.selectionEnd, "end");
  }

  /**
   * @param {HTMLElement} said
   * @param {Verdict} verdict
   */
  function show(said, { state, message, printed }) {
    said.dataset.state = state;
    const name = document.createElement("b");
    name.textContent = state === "Failed" ? "Not checked:" : `${state}:`;
    said.replaceChildren(name, ` ${message}`, printed && `\nYour code printed:\n${printed}`);
  }

  // Browsers start no worker from a page that was opened as a file: there the stubs stay.
  const can = "WebAssembly" in window && "DecompressionStream" in window;
  if (can && location.protocol !== "file:")
    document
      .querySelectorAll(".clx[data-answers]")
      .forEach((place) => equip(/** @type {HTMLElement} */ (place)));
})();
