// Weights: one prompt as three tools read it, and what each makes of the context's 77 rows.

import { tensor } from "../lib/ask.js";
import { bareToken, createTokenizer } from "../lib/bpe.js";
import { weightedTokens } from "../lib/chunks.js";
import { demo } from "../lib/demo.js";
import { h, markedPrompt } from "../lib/elements.js";
import { clamp, explore } from "../lib/explore.js";
import { parsePrompt } from "../lib/prompts.js";
import { count } from "../lib/wording.js";

const ROWS = 77;
const KEPT = 60; // contexts that are remembered
const NOTICED = 1e-5; // a row that moved less has not moved: that is rounding
// Whose grammar, and which of the graph's methods: 0 scale, 1 restore_mean, 2 from_empty, 3 compel.
const TOOLS = [
  {
    syntax: "a1111",
    name: "Automatic1111",
    method: 1,
    does: "scales rows, then restores the mean",
  },
  { syntax: "comfyui", name: "ComfyUI", method: 2, does: "moves rows away from the empty prompt" },
  {
    syntax: "compel",
    name: "Compel",
    method: 3,
    does: "up as ComfyUI; down by encoding again without the words",
  },
];
const NO_NORM = { method: 0, does: "scales rows (“No norm”)" };

export default demo({
  title: "What a weight does to the rows",
  about:
    "The grammars are the tools' own. The rows are those of a miniature text encoder (4 layers, " +
    "width 128, its own vocabulary of 6,918 tokens); Stable Diffusion 1.5's has 12 layers and " +
    "width 768, and its rows move by other amounts under the same rules.",
  presets: [
    {
      label: "one word up",
      state: { prompt: "a (red:1.5) fox in fog" },
      question:
        "Only “red” is weighted. In how many of the 77 rows does Automatic1111 change something?",
      answer:
        "In all 77. Restoring the mean multiplies every row by one number. Switch it off, and " +
        "only the row of “red” moves. And Compel reads the weight as words: a colon, a 1, a dot, " +
        "a 5.",
    },
    {
      label: "one word down",
      state: { prompt: "a red-- fox in fog" },
      question:
        "“red--” weakens one word in Compel. Which rows move: that of “red”, those before, those " +
        "after?",
      answer:
        "That of “red” and all after it. Compel encodes the prompt again with “red” hidden, and " +
        "every later row had looked at it. Rows before it stay the same. For the others, -- is " +
        "text.",
    },
    {
      label: "a bracket left open",
      state: { prompt: "a (red fox in fog" },
      question: "Somebody forgot to close a bracket. Who weights anything at all?",
      answer:
        "Automatic1111: all from the bracket to the end weighs 1.1. To the other two the bracket " +
        "is one token more, which the encoder reads.",
    },
  ],

  async start({ body, ask, say, set }) {
    const tokenizer = createTokenizer(await ask.json("mini_vocabulary"));
    let readings = [];
    let at = null; // [tool, slot] that is looked at

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
    explore(tools, {
      label: "Three tools: left and right go through tokens, up and down through tools",
      where: ({ target }) => target.closest("[data-at]")?.dataset.at.split(" ").map(Number),
      from: () => at ?? [0, 0],
      to: look,
      over: (on, place) => on && look(place ?? at ?? [0, 0]),
    });
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

    /** What a tool makes of the prompt: its fragments, tokens and weights of the first chunk. */
    function read(tool, prompt) {
      let parsed;
      try {
        parsed = parsePrompt(prompt, tool.syntax);
      } catch (error) {
        return { tool, prompt, error };
      }
      const chunks = weightedTokens(tokenizer, parsed.fragments, tool.syntax);
      const [{ ids, weights, fragments }] = chunks;
      const end = ids.indexOf(tokenizer.eos, 1);
      const later = chunks.slice(1).flatMap((chunk) => chunk.fragments); // of chunks not shown
      return {
        tool,
        prompt,
        ...parsed,
        chunks: chunks.length,
        ids,
        weights,
        owner: fragments,
        later,
        end,
      };
    }

    /**
     * What may be seen while Compel looks away from a fragment: a row for each that weighs less
     * than 1 and has tokens. One that goes on in the next chunk hides all from its first place on,
     * but for the chunk's last.
     */
    function viewsWithout({ fragments, owner, later }) {
      const lighter = fragments
        .map(({ weight: down }, k) => ({ down, k }))
        .filter(({ down, k }) => down < 1 && (owner.includes(k) || later.includes(k)));
      const hides = (k, slot) =>
        owner[slot] === k ||
        (later.includes(k) && owner.includes(k) && slot > owner.indexOf(k) && slot < ROWS - 1);
      return lighter.map(({ down, k }) => ({
        down,
        seen: owner.map((_, slot) => (hides(k, slot) ? 0 : 1)),
      }));
    }

    const everything = new Array(ROWS).fill(1);
    const empty = {
      ids: tokenizer.lengthNormalize(tokenizer.encode(""), ROWS).ids,
      seen: everything,
    };
    const encoded = new Map(); // ids and what of them may be seen → context

    /** Contexts of rows [{ ids, seen }], those that are not known yet in one run. */
    async function encode(rows) {
      if (encoded.size > KEPT) encoded.clear();
      const keys = rows.map(({ ids, seen }) => `${ids} ${seen}`);
      const fresh = keys.flatMap((key, i) =>
        encoded.has(key) || keys.indexOf(key) < i ? [] : [[key, rows[i]]],
      );
      if (fresh.length) {
        const all = (what) =>
          tensor(
            "int32",
            [fresh.length, ROWS],
            fresh.flatMap(([, row]) => row[what]),
          );
        const { context } = await ask.run(
          "text",
          {
            ids: all("ids"),
            causal: tensor("int32", [], [1]),
            seen: all("seen"),
          },
          ["context"],
        );
        const size = context.data.length / fresh.length;
        fresh.forEach(([key], i) => encoded.set(key, context.data.slice(i * size, (i + 1) * size)));
      }
      return keys.map((key) => encoded.get(key));
    }

    /** How far each row of each reading moves. */
    async function move(asked) {
      const views = asked.map((reading) =>
        reading.tool.syntax === "compel" ? viewsWithout(reading) : [],
      );
      const rows = asked.flatMap(({ ids }, i) =>
        [{ seen: everything }, ...views[i]].map(({ seen }) => ({ ids, seen })),
      );
      const [e, ...contexts] = await encode([empty, ...rows]);
      const shape = [ROWS, e.length / ROWS];
      for (const [i, reading] of asked.entries()) {
        const [plain, ...masked] = contexts.splice(0, 1 + views[i].length);
        if (!masked.length) [masked[0], views[i]] = [plain, [{ down: 1 }]];
        const { moved, cosine } = await ask.run(
          "weigh",
          {
            plain: tensor("float32", shape, plain),
            empty: tensor("float32", shape, e),
            masked: tensor(
              "float32",
              [masked.length, ...shape],
              masked.flatMap((one) => [...one]),
            ),
            weights: tensor("float32", [ROWS], reading.weights),
            down: tensor(
              "float32",
              [masked.length],
              views[i].map(({ down }) => down),
            ),
          },
          ["moved", "cosine"],
        );
        const first = reading.tool.method * ROWS;
        reading.moved = moved.data.slice(first, first + ROWS);
        reading.cosine = cosine.data.slice(first, first + ROWS);
      }
    }

    const percent = (part) =>
      Number.isFinite(part) ? `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %` : "?";
    const weight = (w) => String(Number(w.toFixed(3)));
    const name = ({ ids, end }, slot) =>
      slot === 0 ? "BOS" : slot === end ? "EOS" : bareToken(tokenizer.symbols[ids[slot]]);
    const hasMoved = (part) => !(part < NOTICED);

    /** A token: its weight if it has one, and how far its row moves. */
    function card(reading, index, slot, most) {
      const padding = slot > reading.end;
      const part = padding ? Math.max(...reading.moved.slice(slot)) : reading.moved[slot];
      const bar = h("span", { class: "cld-moved", "aria-hidden": "true" }, h("span", {}));
      bar.firstChild.style.width = hasMoved(part)
        ? `${Math.max(4, 100 * Math.min(part / most, 1))}%`
        : "0";
      const one = h(
        "span",
        { class: "cld-card", "data-at": `${index} ${slot}` },
        h(
          "span",
          { class: "cld-mono" },
          padding ? `${ROWS - slot} × padding` : name(reading, slot),
        ),
        reading.weights[slot] !== 1 && h("b", {}, `× ${weight(reading.weights[slot])}`),
        bar,
        h("small", {}, hasMoved(part) ? percent(part) : "stays"),
      );
      if (slot === 0 || slot >= reading.end) one.classList.add("cld-mark");
      return one;
    }

    /** The tree: fragments in their brackets, and in each fragment its tokens. */
    function tree(reading, index, most) {
      const groups = [];
      for (let slot = 1; slot < reading.end; slot++) {
        const k = reading.owner[slot];
        if (groups.at(-1)?.k !== k) groups.push({ k, slots: [] });
        groups.at(-1).slots.push(slot);
      }
      const cards = (slots) => slots.map((slot) => card(reading, index, slot, most));
      const last = reading.end < ROWS - 1 ? [reading.end, reading.end + 1] : [reading.end];
      return [
        h("span", { class: "cld-fragment cld-mark" }, cards([0])),
        groups.map(({ k, slots }) => {
          const weighs = reading.fragments[k].weight;
          const text = h(
            "span",
            { class: weighs === 1 ? "cld-fragment" : "cld-fragment cld-weighted" },
            cards(slots),
          );
          return nested(text, depth(reading, reading.fragments[k]));
        }),
        h("span", { class: "cld-fragment cld-mark" }, cards(last)),
      ];
    }

    /** A fragment inside as many frames as brackets stand around it in the prompt. */
    function nested(element, levels) {
      return levels > 1 ? h("span", { class: "cld-nest" }, nested(element, levels - 1)) : element;
    }

    /** How many brackets a tool opened before a fragment and did not close: a weight needs one. */
    function depth({ prompt, tool }, { weight: weighs, start }) {
      if (weighs === 1 || tool.syntax === "compel") return 0;
      const opens = tool.syntax === "a1111" ? "([" : "(";
      const closes = tool.syntax === "a1111" ? ")]" : ")";
      let levels = 0;
      for (let i = 0; i < start; i++) {
        if (prompt[i] === "\\") i++;
        else if (opens.includes(prompt[i])) levels++;
        else if (closes.includes(prompt[i])) levels--;
      }
      return levels;
    }

    /** What a tool says of a prompt that it cannot read, and where. */
    function complaint({ error, prompt }) {
      const said = h("p", {}, error.message.split("\n")[0]);
      return error.position === undefined ? said : [said, markedPrompt(prompt, error.position)];
    }

    function panel(reading, index, most) {
      const { tool } = reading;
      const head = h(
        "p",
        {},
        h("b", {}, tool.name),
        h("span", { class: "cld-hint" }, ` ${tool.does}`),
      );
      if (reading.error) return h("div", { class: "cld-tool" }, head, complaint(reading));
      const notes = reading.warnings.map(({ message }) => message.split("\n")[0]);
      if (reading.chunks > 1)
        notes.push(`The first of ${reading.chunks} chunks of 77 rows is shown.`);
      return h(
        "div",
        { class: "cld-tool" },
        head,
        h("div", { class: "cld-tree" }, tree(reading, index, most)),
        notes.map((note) => h("p", { class: "cld-hint" }, note)),
      );
    }

    const good = () => readings.filter(({ error }) => !error);
    const changed = ({ moved }) => moved.filter(hasMoved).length;

    function summary() {
      return (
        readings
          .map(
            (reading) =>
              `${reading.tool.name} ${
                reading.error
                  ? "cannot read this"
                  : changed(reading) === 0
                    ? "changes no row"
                    : `changes ${count(changed(reading), "row")} of ${ROWS}`
              }`,
          )
          .join("; ") + "."
      );
    }

    /** Say what stands at a token of a tool; tools that cannot read the prompt are passed over. */
    function look([tool, slot]) {
      const open = readings.map((_, i) => i).filter((i) => !readings[i].error);
      if (!open.length) return;
      const ahead = at === null || tool >= at[0];
      const index =
        (ahead ? open.find((i) => i >= tool) : open.findLast((i) => i <= tool)) ??
        at?.[0] ??
        open[0];
      const reading = readings[index];
      at = [index, clamp(slot, Math.min(reading.end + 1, ROWS - 1))];
      for (const one of tools.querySelectorAll(".cld-card")) {
        one.classList.toggle("cld-here", one.dataset.at === at.join(" "));
      }
      const here = at[1];
      const what = here > reading.end ? "padding" : name(reading, here);
      const w = reading.weights[here];
      const part = reading.moved[here];
      const weighs = w === 1 ? "no weight" : `weight ${weight(w)}`;
      const cosine = reading.cosine[here].toFixed(3);
      const moves = hasMoved(part)
        ? `moves by ${percent(part)} of its length, cosine ${cosine}.`
        : "stays where it was.";
      say(`${reading.tool.name}, row ${here}, “${what}”: ${weighs}; the row ${moves}`);
    }

    return {
      async draw({ prompt, no_norm: plain }) {
        if (input.value !== prompt) input.value = prompt;
        noNorm.checked = plain;
        const asked = TOOLS.map((tool) =>
          read(tool.syntax === "a1111" && plain ? { ...tool, ...NO_NORM } : tool, prompt),
        );
        await move(asked.filter(({ error }) => !error));
        readings = asked;
        const most = Math.max(
          0.05,
          ...good().flatMap(({ moved }) => [...moved].filter(Number.isFinite)),
        );
        tools.replaceChildren(...readings.map((reading, index) => panel(reading, index, most)));
        at = null;
        say(summary());
      },
      table: () => ({
        caption:
          "Every token of every tool: its weight, how far its row moves in lengths of the row, " +
          "and the cosine with the row as it was",
        columns: ["tool", "row", "token", "weight", "moved", "cosine"],
        rows: good().flatMap((reading) =>
          Array.from({ length: Math.min(reading.end + 2, ROWS) }, (_, slot) => [
            reading.tool.name,
            slot,
            slot > reading.end ? "padding" : name(reading, slot),
            weight(reading.weights[slot]),
            reading.moved[slot].toFixed(4),
            reading.cosine[slot].toFixed(4),
          ]),
        ),
      }),
    };
  },
});
