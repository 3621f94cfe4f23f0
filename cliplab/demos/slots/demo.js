// 77 slots: how a prompt fills them, what falls off, and what each mask changes in the context.

import { tensor } from "../lib/ask.js";
import { bareToken, createTokenizer } from "../lib/bpe.js";
import { heatmap } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { cellUnder, clamp, explore } from "../lib/explore.js";
import { count } from "../lib/wording.js";

const SLOTS = 77;
const MASKS = {
  none: { label: "none", causal: 0, pad: 0 },
  pad: { label: "PAD", causal: 0, pad: 1 },
  causal: { label: "causal (SD 1.5)", causal: 1, pad: 0 },
  both: { label: "both (M)", causal: 1, pad: 1 },
};
const AXIS = 1.5; // where the bars' axis ends, in lengths of a row
const LISTED = 60; // of the tokens that fall off

export default demo({
  title: "77 slots and their masks",
  about:
    "Measured on our miniature CLIP: 4 layers, 128 wide, with 6,918 tokens of its own, so it " +
    "cuts some words into more pieces than Stable Diffusion 1.5 (12 layers, 768 wide, 49,408 " +
    "tokens). The 77 slots and the two masks are the same.",
  presets: [
    {
      label: "hide the padding",
      state: { mask: "both", row: 4 },
      question:
        "Stable Diffusion 1.5 has the causal mask alone. Hide the padding as well, as the " +
        "lecture does: which of the 77 rows of the context change?",
      answer:
        "Only those after EOS. Rows 0 to 4 are the same to the last bit, for the causal mask " +
        "had hidden the padding from them already. CLIP’s sentence vector, read at EOS, stays. " +
        "But a U‑Net reads all 77 rows.",
    },
    {
      label: "the dragon comes last",
      state: {
        prompt:
          "a quiet lake at sunrise, with a wooden house, a red roof, a small boat, tall " +
          "green trees, white clouds, soft golden light, an old stone bridge, a path with " +
          "flowers, two children with a kite, a family of ducks, a man with a book, a woman on a " +
          "bicycle, birds in the sky, fish in the water, and over it all a dragon",
        mask: "both",
        row: 76,
      },
      question:
        "What matters most stands last in this long prompt: a dragon. What does the " +
        "encoder make of it? And what does a PAD mask change?",
      answer:
        "It never hears of the dragon. The first 76 ids stay, EOS takes the last slot, and " +
        "12 tokens fall off. (Stable Diffusion 1.5’s vocabulary needs fewer tokens, and loses " +
        "the dragon too.) The PAD mask changes nothing: no padding is left to hide.",
    },
    {
      label: "no mask",
      state: { mask: "none", row: 0 },
      question:
        "Under the causal mask BOS sees only itself, so its row is the same in every " +
        "prompt. Take the mask away: which rows change?",
      answer:
        "All 77. BOS now sees the dog, the EOS and all of the padding, and so does every " +
        "other row. Attention has no direction of its own: that a word hears only of what stands " +
        "before it is the mask’s work alone.",
    },
  ],

  async start({ body, ask, say, set, state }) {
    const tokenizer = createTokenizer(await ask.json("mini_vocabulary"));
    let filled; // the prompt in its slots
    let numbers; // what the encoder makes of it, under the mask that is chosen
    let drawnMask;
    let column = null; // the cell that is pointed at in the field, besides the row
    let looked = null; // the row under the mouse, which looks at rows and chooses none

    const input = h("textarea", {
      class: "cld-text",
      rows: "2",
      maxlength: "600",
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => set({ prompt: input.value }),
    });
    const counted = h("p", { class: "cld-number" });
    const cells = Array.from({ length: SLOTS }, (_, place) =>
      h("div", { class: "cld-slots-cell" }, h("small", {}, String(place)), h("span", {})),
    );
    const strip = h("div", { class: "cld-slots" }, cells);
    const lost = h("p", { class: "cld-slots-lost", hidden: true });
    const buttons = Object.entries(MASKS).map(([name, { label }]) =>
      h(
        "button",
        {
          type: "button",
          class: "cld-button",
          onclick: () => set({ mask: name }),
        },
        label,
      ),
    );
    const canvas = h("canvas", { role: "img" });
    const cell = h("div", { class: "cld-slots-at", hidden: true });
    const field = h("div", { class: "cld-slots-field" }, canvas, cell);
    const bars = Array.from({ length: SLOTS }, () => h("i", { class: "cld-moving" }));
    const same = h("p", { class: "cld-slots-same" }, h("span", {}));
    const moves = h(
      "div",
      {
        // its rows are those of the field, which the keyboard reaches
        class: "cld-slots-moves",
        onpointerleave: () => look(null),
        onpointermove: (event) => event.pointerType === "mouse" && look(rowUnder(event)),
        onclick: (event) => choose(rowUnder(event)),
      },
      bars,
      same,
    );
    const line = h("div", { class: "cld-slots-line" });
    const ends = h("div", { class: "cld-slots-ends" });
    const changed = h("p", {});

    body.append(
      h("label", { class: "cld-label" }, "Your prompt", input),
      counted,
      strip,
      lost,
      h(
        "div",
        { class: "cld-row", role: "group", "aria-label": "Mask" },
        h("b", { "aria-hidden": "true" }, "Mask"),
        buttons,
      ),
      changed,
      h(
        "div",
        { class: "cld-slots-plot" },
        h("p", { class: "cld-hint" }, "Row (down) looks at slot (across)"),
        h("p", { class: "cld-hint" }, "How far it moved"),
        h("div", { class: "cld-slots-both" }, field, moves, line, ends),
        h("span", {}),
        h(
          "p",
          { class: "cld-slots-axis cld-hint", "aria-hidden": "true" },
          h("span", {}, "0"),
          h("span", {}, "1"),
          h("span", {}, String(AXIS)),
        ),
      ),
      h(
        "p",
        { class: "cld-hint" },
        "Hatched: hidden by the mask. Dashed: padding. Stronger blue: " +
          "more of the row’s attention (mean of all layers and heads). Moved: the distance from " +
          "the row that SD 1.5’s mask gives, in lengths of that row.",
      ),
    );

    const perLine = () => getComputedStyle(strip).gridTemplateColumns.split(" ").length;
    const placeOf = (row) => [Math.floor(row / perLine()), row % perLine()];
    const rowUnder = (event) => cellUnder(moves, event, SLOTS, 1)[0];

    /** Speaks of a row, and of a cell in it; of the row that is chosen, if of none. */
    function look(row, at = null) {
      [looked, column] = [row, at];
      point();
    }

    function choose(row, at = null) {
      look(null, at);
      if (row !== state().row) set({ row });
    }

    explore(strip, {
      label: "77 slots",
      where({ target }) {
        const row = cells.indexOf(target.closest(".cld-slots-cell"));
        return row >= 0 && placeOf(row);
      },
      from: () => placeOf(state().row),
      to([down, across]) {
        const row = down * perLine() + clamp(across, perLine() - 1);
        if (row >= 0 && row < SLOTS) choose(row);
      },
      over: (on, place) => look(on && place ? place[0] * perLine() + place[1] : null),
    });
    explore(field, {
      label: "Rows that look, columns that are looked at",
      where: (event) => cellUnder(field, event, SLOTS),
      from: () => [state().row, column ?? state().row],
      to: ([row, at]) => choose(clamp(row, SLOTS - 1), clamp(at, SLOTS - 1)),
      over: (on, [row, at] = [null, column]) => (on ? look(row, at) : look(null)),
    });

    /** The prompt in its slots: ids, the name of each, where EOS stands, what fell off. */
    function fill(prompt) {
      const tokens = tokenizer.tokenize(prompt);
      const { bos, eos } = tokenizer;
      const { ids } = tokenizer.lengthNormalize([bos, ...tokens.map((one) => one.id), eos], SLOTS);
      const end = ids.indexOf(eos);
      const name = (id, place) => {
        if (place === 0) return "BOS";
        if (id === eos) return place === end ? "EOS" : "PAD";
        return bareToken(tokens[place - 1].text);
      };
      const tail = tokens.slice(SLOTS - 2);
      return { ids, end, names: ids.map(name), total: tokens.length, tail };
    }

    /** The last slot that a row may see; it sees all slots from 0 to there. */
    const lastSeen = (row) =>
      Math.min(
        MASKS[drawnMask].causal ? row : SLOTS - 1,
        MASKS[drawnMask].pad ? filled.end : SLOTS - 1,
      );

    const encode = ({ ids, end }, { causal, pad }) =>
      ask.run(
        "text",
        {
          ids: tensor("int32", [1, SLOTS], ids),
          causal: tensor("int32", [], [causal]),
          seen: tensor(
            "int32",
            [1, SLOTS],
            ids.map((_, place) => (pad && place > end ? 0 : 1)),
          ),
        },
        ["context", "attention"],
      );
    const sent = ({ data, shape }) => tensor("float32", shape.slice(1), data); // without the batch

    let usual = {}; // the prompt as SD 1.5 encodes it, kept while only the mask changes
    let latest = {};
    async function measure(slots, mask) {
      const [prompt, key] = [String(slots.ids), `${mask} ${slots.ids}`];
      if (usual.prompt !== prompt) usual = { prompt, ...(await encode(slots, MASKS.causal)) };
      if (latest.key !== key) {
        const { context, attention } = mask === "causal" ? usual : await encode(slots, MASKS[mask]);
        const { mean } = await ask.run("looks", { attention: sent(attention) });
        const [a, b] = [sent(context), sent(usual.context)];
        const { distance } = await ask.run("distance", { a, b });
        latest = { key, moved: distance.data, looks: mean.data };
      }
      return latest;
    }

    const far = (moved) => (moved < 0.01 ? "less than 0.01" : moved.toFixed(2));
    const share = (weight) => (weight < 0.005 ? "less than 1 %" : `${Math.round(100 * weight)} %`);
    const named = (place) => `${place} (${filled.names[place]})`;
    const span = (first, last, one) =>
      first === last ? `${one} ${first}` : `${one}s ${first}–${last}`;

    /** How many rows, from the first on, are those of SD 1.5. */
    function unmoved(moved) {
      const first = moved.findIndex((one) => one !== 0);
      return first < 0 ? SLOTS : first;
    }

    /** Which rows moved, in one sentence. */
    function summary() {
      if (drawnMask === "causal") {
        return "SD 1.5 has this mask alone: the others are measured from it.";
      }
      const first = unmoved(numbers.moved);
      const against = "Against the causal mask alone,";
      if (first === SLOTS) return `${against} all 77 rows are the same to the last bit.`;
      const others = numbers.moved.slice(first);
      const moved = `moved by ${far(Math.min(...others))} to ${far(Math.max(...others))}.`;
      if (!first) return `${against} no row is the same: all ${moved}`;
      return (
        `${against} ${span(0, first - 1, "row")} are the same to the last bit, and ` +
        `${span(first, SLOTS - 1, "row")} ${moved}`
      );
    }

    /** What the slots hold, what fell off, and which mask is on. */
    function drawSlots() {
      const { names, end, total, tail } = filled;
      cells.forEach((one, place) => {
        one.lastChild.textContent = names[place];
        one.classList.toggle("cld-slots-pad", place > end);
      });
      const padding = names.filter((name) => name === "PAD").length; // typed text is lower case
      const rest = padding ? `${padding} filled with PAD` : "all full";
      counted.textContent =
        `${count(total, "token")} for ${SLOTS - 2} slots between BOS and EOS: ` +
        (tail.length ? `${tail.length} fell off` : rest);
      lost.hidden = !tail.length;
      const more = tail.length - LISTED;
      lost.replaceChildren(
        h("b", {}, "Fell off: "),
        ...tail.slice(0, LISTED).flatMap(({ text }) => [h("s", {}, bareToken(text)), " "]),
        more > 0 ? `and ${more} more` : "",
      );
      buttons.forEach((one, i) =>
        one.setAttribute("aria-pressed", String(Object.keys(MASKS)[i] === drawnMask)),
      );
    }

    function drawNumbers() {
      const { moved, looks } = numbers;
      const most = Array.from({ length: SLOTS }, (_, row) =>
        Math.max(...looks.subarray(row * SLOTS, (row + 1) * SLOTS)),
      );
      heatmap(canvas, {
        rows: SLOTS,
        columns: SLOTS,
        side: 5,
        value: (row, at) => looks[row * SLOTS + at] / most[row],
        blocked: (row, at) => at > lastSeen(row),
      });
      changed.textContent = summary();
      canvas.setAttribute("aria-label", `The attention of 77 rows to 77 columns. ${summary()}`);
      bars.forEach((bar, row) => {
        bar.style.width = `${Math.min(moved[row] / AXIS, 1) * 100}%`;
        bar.style.minWidth = moved[row] ? "2px" : "0"; // what is not quite 0 must be seen
      });
      const equal = unmoved(moved);
      same.hidden = equal === 0;
      same.style.height = `${(equal / SLOTS) * 100}%`;
      same.firstChild.textContent = drawnMask === "causal" ? "SD 1.5’s own mask" : "exactly 0";
      ends.hidden = filled.end === SLOTS - 1;
      ends.style.setProperty("--cld-end", `${((filled.end + 1) / SLOTS) * 100}%`);
    }

    function sentenceOf(row, at) {
      if (at > lastSeen(row)) return `Slot ${named(at)} is hidden from it.`;
      const weight = share(numbers.looks[row * SLOTS + at]);
      return `It gives ${weight} of its attention to slot ${named(at)}.`;
    }

    /** Marks the row that is looked at, and says what it sees and how far it moved. */
    function point() {
      if (!numbers) return;
      const row = looked ?? state().row;
      const last = lastSeen(row);
      cells.forEach((one, place) => {
        one.classList.toggle("cld-slots-hidden", place > last);
        one.classList.toggle("cld-slots-here", place === row);
      });
      line.style.top = `${(row / SLOTS) * 100}%`;
      cell.hidden = column === null;
      cell.style.top = line.style.top;
      cell.style.left = `${((column ?? 0) / SLOTS) * 100}%`;
      const look = column === null ? "" : ` ${sentenceOf(row, column)}`;
      const moved = numbers.moved[row];
      const context =
        drawnMask === "causal"
          ? ", as in SD 1.5."
          : moved === 0
            ? ". Its context did not move: exactly 0."
            : `. Its context moved by ${far(moved)}.`;
      say(
        `Row ${named(row)} sees ${span(0, last, "slot")}${last < row ? ", not itself" : ""}` +
          `${context}${look}`,
      );
    }

    return {
      async draw({ prompt, mask }) {
        if (input.value !== prompt) input.value = prompt;
        const next = fill(prompt);
        const found = await measure(next, mask);
        const known = found === numbers;
        [filled, numbers, drawnMask] = [next, found, mask];
        drawSlots(); // what falls off changes no number
        if (!known) drawNumbers();
        point();
      },
      table: () => ({
        caption: "What each slot holds, what its row sees, how far that moved; and what fell off",
        columns: ["slot", "token", "id", "PAD mask", "its row sees", "moved"],
        rows: [
          ...filled.ids.map((id, place) => [
            place,
            filled.names[place],
            id,
            Number(place <= filled.end),
            `0–${lastSeen(place)}`,
            numbers.moved[place] === 0 ? "0" : numbers.moved[place].toFixed(4),
          ]),
          ...filled.tail.map(({ id, text }) => ["fell off", bareToken(text), id, "", "", ""]),
        ],
      }),
    };
  },
});
