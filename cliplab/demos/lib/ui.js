// The frame that all demos share: presets, prediction, read-out, table, reset, link. A demo adds
// what is between. What a reader types only ever becomes text nodes.

/** An element with attributes (true: one without a value), listeners (`onclick`) and children. */
export function h(tag, props = {}, ...children) {
  const svg = ["svg", "path", "rect", "line", "circle", "g", "text", "polyline"].includes(tag);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== undefined && child !== false),
  );
  return element;
}

/** "1 token", "2 tokens". */
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** Whether a value fits a field as Python declared it. */
function fits(value, field) {
  const isText = (one) => typeof one === "string" && [...one].length <= field.most;
  const inside = value >= field.least && value <= field.most;
  switch (field.kind) {
    case "text":
      return isText(value);
    case "texts":
      return (
        Array.isArray(value) &&
        value.length >= field.least &&
        value.length <= field.length &&
        value.every(isText)
      );
    case "whole":
      return Number.isInteger(value) && inside;
    case "number":
      return typeof value === "number" && inside;
    case "switch":
      return typeof value === "boolean";
    case "choice":
      return field.values.includes(value);
    default:
      return false;
  }
}

/** The state that the page's address has for this demo: data, of which what fits is taken. */
function linked(name, fields) {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.get("demo") !== name) return { state: {}, refused: [] };
  let given;
  try {
    given = JSON.parse(parts.get("state"));
  } catch {
    given = null;
  }
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    return { state: {}, refused: ["all of it"] };
  }
  const good = Object.entries(given).filter(
    ([k, v]) => Object.hasOwn(fields, k) && fits(v, fields[k]),
  );
  const refused = Object.keys(given).filter((k) => !good.some(([name_]) => name_ === k));
  return { state: Object.fromEntries(good), refused };
}

/** The calls that bring numbers and data: from a notebook's kernel, from a page's worker. */
function asker(model) {
  const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
  const waiting = new Map();
  let sent = 0;
  model.on("msg:custom", (reply, buffers) => {
    if (!waiting.has(reply.id)) return;
    const { resolve, reject } = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error) return reject(new Error(reply.error));
    const outputs = {};
    Object.entries(reply.outputs).forEach(([name, { type, shape }], i) => {
      const bytes = buffers[i].buffer ? buffers[i] : new DataView(buffers[i]);
      const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      outputs[name] = { data: new ARRAYS[type](copy), shape };
    });
    resolve(outputs);
  });
  const send = (message, buffers) =>
    new Promise((resolve, reject) => {
      const id = sent++;
      waiting.set(id, { resolve, reject });
      model.send({ id, ...message }, undefined, buffers);
    });
  return {
    /**
     * run("text", { ids: tensor("int32", [1, 77], values) }, ["vector"])
     *   → { vector: { data, shape } }: the outputs that are wanted, for the others need not travel.
     */
    run(graph, inputs, wanted) {
      const about = {};
      for (const [name, { type, shape }] of Object.entries(inputs)) about[name] = { type, shape };
      const arrays = Object.values(inputs).map(
        ({ type, values }) => ARRAYS[type].from(values).buffer,
      );
      return send({ run: graph, inputs: about, outputs: wanted }, arrays);
    },
    /** load("clip_vocabulary") → Uint8Array */
    load: async (name) => (await send({ load: name }, [])).bytes.data,
    /** The same, read as JSON. */
    async json(name) {
      return JSON.parse(new TextDecoder().decode(await this.load(name)));
    },
  };
}

/** An input of `run`: its type, shape and values. A scalar has shape []. */
export const tensor = (type, shape, values) => ({ type, shape, values });

/**
 * A demo, as anywidget wants it: `{ render }`.
 *
 * title, about   its name, and a sentence on how small its model is
 * presets        [{ label, state, question, answer }]: predict, then reveal
 * start(ctx)     builds the demo in ctx.body and gives { draw(state), table() }
 *
 * ctx: body, ask, say(sentence), set(patch), state(), redraw() for what is drawn but is no state,
 * onPage. `draw` may take its time: while it runs, changes are gathered, and it is called once more
 * with the last state. `table` gives { caption, columns, rows } of what is drawn.
 */
export function demo({ title, about, presets, start }) {
  async function render({ model, el }) {
    const fields = model.get("_fields");
    const names = Object.keys(fields);
    const first = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const state = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const set = (patch) => {
      Object.entries(patch).forEach(([name, value]) => model.set(name, value));
      model.save_changes();
    };

    const body = h("div", { class: "cld-body" });
    const read = h("p", { class: "cld-read", role: "status" });
    const say = (sentence) => {
      if (read.textContent !== sentence) read.textContent = sentence;
    };
    const predict = h("div", { class: "cld-predict", hidden: true });
    const chips = presets.map((preset) =>
      h(
        "button",
        {
          type: "button",
          class: "cld-chip",
          "aria-pressed": "false",
          onclick: (event) => guess(preset, event.currentTarget),
        },
        preset.label,
      ),
    );

    /** Ask first; the state changes when the reader wants to see. */
    function guess({ state: wanted, question, answer }, chip) {
      chips.forEach((one) => one.setAttribute("aria-pressed", String(one === chip)));
      const reveal = h("button", { type: "button", class: "cld-button" }, "Reveal");
      reveal.addEventListener("click", () => {
        set({ ...first, ...wanted });
        reveal.replaceWith(h("p", { class: "cld-answer", tabindex: "-1" }, answer));
        predict.lastChild.focus({ preventScroll: true });
      });
      predict.replaceChildren(h("p", {}, h("b", {}, "Predict: "), question), reveal);
      predict.hidden = false;
      reveal.focus({ preventScroll: true });
    }

    function reset() {
      chips.forEach((one) => one.setAttribute("aria-pressed", "false"));
      predict.hidden = true;
      set(first);
    }

    /** On a page a link that carries the state, in a notebook the line that makes it again. */
    async function copy() {
      const given = JSON.stringify(state()).replaceAll("'", "\\u0027");
      const page = location.href.split("#")[0];
      const words = model.onPage
        ? `${page}#${new URLSearchParams({ demo: model.get("_name"), state: given })}`
        : `cliplab.demo(${JSON.stringify(model.get("_name"))}, **json.loads(r'''${given}'''))`;
      try {
        await navigator.clipboard.writeText(words);
        say("Copied.");
      } catch {
        // no permission, or a page that is not served securely
        const field = h("input", {
          class: "cld-text",
          value: words,
          readonly: true,
          "aria-label": "To copy",
        });
        copying.after(field);
        field.select();
        say("Copy it from the field beside the button.");
      }
    }
    const copying = h(
      "button",
      { type: "button", class: "cld-button", onclick: copy },
      model.onPage ? "Copy link" : "Copy as Python",
    );

    const table = h(
      "details",
      { class: "cld-table", ontoggle: () => fill() },
      h("summary", {}, "As a table"),
    );
    function fill() {
      if (!table.open || !parts) return;
      const { caption, columns, rows } = parts.table();
      const cell = (value, i) =>
        i ? h("td", {}, String(value)) : h("th", { scope: "row" }, String(value));
      table.replaceChildren(
        table.firstChild,
        h(
          "div",
          { class: "cld-scroll", tabindex: "0", role: "region", "aria-label": caption },
          h(
            "table",
            {},
            h("caption", {}, caption),
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                columns.map((name) => h("th", { scope: "col" }, name)),
              ),
            ),
            h(
              "tbody",
              {},
              rows.map((row) => h("tr", {}, row.map(cell))),
            ),
          ),
        ),
      );
    }

    const root = h(
      "section",
      { class: "cld-demo", "aria-label": `Demo: ${title}` },
      h(
        "div",
        { class: "cld-head" },
        h("p", { class: "cld-title" }, title),
        h(
          "div",
          { class: "cld-chips", role: "group", "aria-label": "Examples" },
          h("span", { class: "cld-hint" }, "Try"),
          chips,
        ),
      ),
      predict,
      body,
      read,
      h(
        "div",
        { class: "cld-foot" },
        h("button", { type: "button", class: "cld-button", onclick: reset }, "Reset"),
        copying,
      ),
      table,
      h("p", { class: "cld-about" }, about),
    );
    el.append(root);

    let parts;
    let changes = 0;
    let drawn = 0;
    let drawing = false;
    /** One drawing at a time; what changed meanwhile is drawn after it. */
    async function draw() {
      changes += 1;
      if (drawing || !parts) return;
      drawing = true;
      try {
        while (drawn !== changes) {
          await null; // several fields set at once are drawn once
          drawn = changes;
          await parts.draw(state());
        }
        fill();
      } finally {
        drawing = false;
        root.dataset.drawn = String(drawn);
      }
    }
    const redraw = () =>
      draw().catch((error) => say(`That could not be computed. ${error.message}`));

    const link = model.onPage ? linked(model.get("_name"), fields) : { state: {}, refused: [] };
    set(link.state);
    say("Starting …");
    try {
      parts = await start({
        body,
        ask: asker(model),
        say,
        set,
        state,
        redraw,
        onPage: Boolean(model.onPage),
      });
      await draw();
    } catch (error) {
      if (model.onPage) throw error; // the host leaves the recorded frame and says so
      say(`This demo could not be started. ${error.message}`);
      return undefined;
    }
    if (link.refused.length) {
      say(`The link asks for something that this demo does not take (${link.refused.join(", ")}).`);
    }
    names.forEach((name) => model.on(`change:${name}`, redraw));
    return () => names.forEach((name) => model.off(`change:${name}`, redraw));
  }
  return { render };
}

const ARROWS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** Where a key leads, [rows, columns], which is then done; undefined for a key that leads nowhere. */
export function arrowStep(event) {
  if (!(event.key in ARROWS) || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  event.preventDefault();
  return ARROWS[event.key];
}

/**
 * Makes an element a field with places in it, [row, column], for pointer and arrow keys.
 *
 * where(event)      the place under the pointer, if there is one
 * from()            the place that is chosen
 * to(place)         a click or a key chooses this one; it may lie outside: clamp it
 * over(on, place)   pointer or focus has come or gone; no place means the one that is chosen
 */
export function explore(element, { label, where, from, to, over }) {
  element.tabIndex = 0;
  element.setAttribute("role", "application");
  element.setAttribute("aria-label", `${label}. Use the arrow keys.`);
  element.addEventListener("keydown", (event) => {
    const step = arrowStep(event);
    if (!step) return;
    over(true);
    to(from().map((one, axis) => one + step[axis]));
  });
  element.addEventListener("click", (event) => {
    const place = where(event);
    if (place) to(place);
  });
  element.addEventListener("pointermove", (event) => {
    const place = event.pointerType === "mouse" && where(event);
    if (place) over(true, place);
  });
  element.addEventListener("pointerleave", () => over(false));
  element.addEventListener("focus", () => over(true));
  element.addEventListener("blur", () => over(false));
}

/** Handlers for something that is spoken of while a pointer or the keyboard is on it: see(true),
 * and see(false) when it is left. */
export const watched = (see) => ({
  onpointerenter: () => see(true),
  onpointerleave: () => see(false),
  onfocusin: () => see(true),
  onfocusout: () => see(false),
});

/** A number no smaller than 0 and no larger than `most`. */
export const clamp = (value, most) => Math.min(Math.max(value, 0), most);

/** In which of so many equal rows and columns of an element the pointer is. */
export function cellUnder(element, { clientX, clientY }, rows, columns = rows) {
  const box = element.getBoundingClientRect();
  return [
    clamp(Math.floor(((clientY - box.top) / box.height) * rows), rows - 1),
    clamp(Math.floor(((clientX - box.left) / box.width) * columns), columns - 1),
  ];
}

/** A prompt with the character marked at which it cannot be read. */
export function markedPrompt(prompt, position) {
  const rest = prompt.slice(position);
  const char = [...rest][0] ?? "";
  return h(
    "p",
    { class: "cld-mono cld-marked" },
    prompt.slice(0, position),
    h("mark", {}, char || " "),
    rest.slice(char.length),
  );
}

/** Puts a square picture on a canvas: pixels [side · side · 3], red, green, blue. */
export function showPixels(canvas, pixels) {
  const side = Math.sqrt(pixels.length / 3);
  const image = new ImageData(side, side);
  image.data.fill(255);
  pixels.forEach((value, i) => {
    image.data[i + Math.floor(i / 3)] = value;
  });
  canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/**
 * Draws numbers as a field of squares: the fuller the color, the larger; hatched where `blocked`.
 *
 * value(row, column) is between 0 and 1. The empty color is the page's own, so that one drawing
 * reads in both themes.
 */
export function heatmap(canvas, { rows, columns, value, blocked = () => false, side = 6, mark }) {
  const unit = 2 * side; // sharp on dense screens, and when it is recorded
  const tile = h("canvas", { width: unit, height: unit });
  const hatch = tile.getContext("2d");
  hatch.strokeStyle = "rgba(128, 128, 128, .55)";
  hatch.lineWidth = 1.4;
  hatch.moveTo(1, unit - 1);
  hatch.lineTo(unit - 1, 1);
  hatch.stroke();

  canvas.width = columns * unit;
  canvas.height = rows * unit;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "rgb(42, 125, 190)";
  const hidden = new Path2D(); // all that is hatched, filled at once: line by line takes too long
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = column;
      if (blocked(row, column)) {
        while (column + 1 < columns && blocked(row, column + 1)) column++;
        hidden.rect(first * unit, row * unit, (column + 1 - first) * unit, unit);
      } else {
        pen.globalAlpha = Math.min(Math.max(value(row, column), 0.03), 1);
        pen.fillRect(column * unit, row * unit, unit - 1, unit - 1);
      }
    }
  }
  pen.globalAlpha = 1;
  pen.fillStyle = pen.createPattern(tile, "repeat");
  pen.fill(hidden);
  if (mark) {
    pen.strokeStyle = "rgb(214, 110, 30)";
    pen.lineWidth = 3;
    pen.strokeRect(mark[1] * unit - 1, mark[0] * unit - 1, unit + 1, unit + 1);
  }
}
