// Through the encoder: which rows notice that a word has changed, layer by layer; what each head
// looks at; and the numbers of one row.

import { tensor } from "../lib/ask.js";
import { bareToken, createTokenizer } from "../lib/bpe.js";
import { heatmap } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { cellUnder, clamp, explore } from "../lib/explore.js";
import { count } from "../lib/wording.js";

const [SLOTS, LAYERS, HEADS, WIDTH] = [77, 4, 4, 32]; // WIDTH is that of a head
const SHOWN = 20; // slots at most, so that they can be read
const STILL = 1e-4; // what rounding may move

export default demo({
  title: "Through the encoder",
  about:
    "This is the course's miniature, trained on names of emoji and on simple shapes: 4 layers " +
    "of width 128 with 4 heads; on a page its weights have 8 bits. Stable Diffusion 1.5 has 12 " +
    "layers of width 768 with 12 heads. It computes in the same way, but what its heads look at " +
    "is its own.",
  presets: [
    {
      label: "the last word",
      state: { other: "a red fox beside a blue star", layer: 4 },
      question:
        "“boat” becomes “star”. How many of the ten rows, from BOS to EOS, differ after " +
        "four layers?",
      answer:
        "Two: the word's own row, and EOS behind it. The other eight do not move, at any " +
        "layer: a row sees only itself and what stands before it, so “blue” never learns what is " +
        "blue.",
    },
    {
      label: "the first word",
      state: { other: "the red fox beside a blue boat", row: 3 },
      question:
        "“a” becomes “the”. After the embeddings only its own row differs. How many layers " +
        "does it take until EOS, eight slots away, notices?",
      answer:
        "One. A row reads every row before it directly, near or far; nothing has to be " +
        "handed on from neighbor to neighbor. “fox” even moves more than “red”, which stands " +
        "nearer. Only BOS stays as it was, since it comes before the change.",
    },
    {
      label: "four cats",
      state: { prompt: "cat cat cat cat", other: "", row: 4 },
      question:
        "Four times one token, so four times the same row of the embedding table. Does the " +
        "fourth “cat” look at all four alike?",
      answer:
        "No. In head 1 of layer 1 the first gets over two fifths of its attention, each of the " +
        "others about a sixth. Every slot adds a row of its own to the token's, so the four keys " +
        "differ, and with them the scores.",
    },
  ],

  async start({ body, ask, say, set, state }) {
    const tokenizer = createTokenizer(await ask.json("mini_vocabulary"));
    let view; // what is drawn: the state, the prompts as read, their trace, the numbers of the row
    let chosenKey = null; // which key the formula is about; null: that of the largest weight
    let under = null; // what pointer or focus is on: { part: "tower" or "field", place }

    const field = (name, label, placeholder) => {
      const input = h("input", {
        class: "cld-text",
        type: "text",
        maxlength: "200",
        placeholder,
        spellcheck: "false",
        autocomplete: "off",
        oninput: () => set({ [name]: input.value }),
      });
      return { input, label: h("label", { class: "cld-label" }, label, input) };
    };
    const prompt = field("prompt", "Prompt");
    const other = field("other", "Change a word: who notices?", "empty: nothing is compared");

    const tower = h("div", { class: "cld-enc-tower" });
    const note = h("p", { class: "cld-hint" });

    const layerName = h("p", { class: "cld-enc-part" });
    const heads = Array.from({ length: HEADS }, (_, head) =>
      h(
        "button",
        {
          type: "button",
          class: "cld-enc-headchip",
          onclick: () => set({ head }),
        },
        h("canvas", { "aria-hidden": "true" }),
        h("span", {}, `head ${head}`),
      ),
    );
    const picture = h("canvas", { "aria-hidden": "true" });
    const band = h("span", { class: "cld-enc-band" });
    const mark = h("span", { class: "cld-enc-mark" });
    const square = h("div", { class: "cld-enc-square" }, picture, band, mark);
    const rowLabels = h("div", { class: "cld-enc-rowlabels", "aria-hidden": "true" });
    const keyLabels = h("div", { class: "cld-enc-keylabels", "aria-hidden": "true" });

    const rowName = h("p", { class: "cld-enc-part" });
    const numbers = h("tbody", {});
    const sums = h("tr", {});
    const formula = h("div", { class: "cld-enc-formula cld-number" });
    const title = (...words) => h("th", { scope: "col" }, ...words);
    const attention = h(
      "div",
      { class: "cld-enc-attention" },
      h(
        "div",
        { class: "cld-enc-heads" },
        h("div", { class: "cld-enc-headchips", role: "group", "aria-label": "Heads" }, heads),
        h(
          "div",
          { class: "cld-enc-plot" },
          h("small", { class: "cld-enc-axes" }, "key →", h("br"), "query ↓"),
          keyLabels,
          rowLabels,
          square,
        ),
      ),
      h(
        "div",
        { class: "cld-enc-numbers" },
        rowName,
        h(
          "table",
          { class: "cld-enc-softmax" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              title("key"),
              title("score S"),
              title("e", h("sup", {}, "S − max")),
              title("weight"),
            ),
          ),
          numbers,
          h("tfoot", {}, sums),
        ),
        formula,
      ),
    );

    body.append(
      h("div", { class: "cld-enc-prompts" }, prompt.label, other.label),
      h("div", { class: "cld-enc-storeys" }, tower, note),
      layerName,
      attention,
    );

    /** A prompt as 77 ids, and the words that stand in their slots. */
    function read(text) {
      const tokens = tokenizer.tokenize(text);
      const all = [tokenizer.bos, ...tokens.map((token) => token.id), tokenizer.eos];
      const { ids, lost } = tokenizer.lengthNormalize(all, SLOTS);
      const kept = tokens.slice(0, SLOTS - 2);
      const words = ["BOS", ...kept.map((token) => bareToken(token.text)), "EOS"];
      const wordOf = (slot) => kept[slot - 1]?.word ?? NaN; // NaN is never the same
      const goesOn = (slot) => wordOf(slot) === wordOf(slot - 1);
      return { ids, words, goesOn, lost: lost.length };
    }
    const word = (slot, which = 0) => view.prompts[which].words[slot] ?? "pad";
    const named = (slot) =>
      ["BOS", "EOS", "pad"].includes(word(slot)) ? word(slot) : `“${word(slot)}” (slot ${slot})`;
    const compared = () => view.prompts.length > 1;
    const differs = (slot) => compared() && view.prompts[0].ids[slot] !== view.prompts[1].ids[slot];
    const slots = () => Array.from({ length: view.shown }, (_, slot) => slot);

    /** What an output holds at these indices: a number, or a run of numbers. */
    function at({ data, shape }, ...index) {
      const size = shape.slice(index.length).reduce((a, b) => a * b, 1);
      const first = index.reduce((sum, one, axis) => sum * shape[axis] + one, 0) * size;
      return size === 1 ? data[first] : data.subarray(first, first + size);
    }
    const moved = (layer, slot) => (compared() ? at(view.trace.moved, 1, layer, slot) : 0);
    const movedRows = (layer) => slots().filter((slot) => moved(layer, slot) > STILL).length;
    const weight = (row, key, ofHead = view.head) =>
      at(view.trace.attention, 0, view.layer - 1, ofHead, row, key);
    const score = (row, key) => at(view.trace.scores, 0, view.layer - 1, view.head, row, key);
    const strongest = (row) =>
      slots().reduce((best, key) => (weight(row, key) > weight(row, best) ? key : best), 0);

    const two = (x) =>
      x === -Infinity ? "−∞" : x.toFixed(2).replace("-0.00", "0.00").replace("-", "−");
    const percent = (x) => (x <= STILL ? "0" : x < 0.005 ? "<1" : String(Math.round(100 * x)));
    const after = (layer) => (layer ? `After layer ${layer}` : "After the embeddings");

    const rowNow = () => Math.min(state().row, view.shown - 1); // what is drawn may lag behind

    /** The key that the formula is about: one under the pointer comes first. */
    function key() {
      const [row, pointed] = (under?.part === "field" && under.place) || [];
      if (row === view.row) return pointed;
      return chosenKey === null ? strongest(view.row) : clamp(chosenKey, view.shown - 1);
    }

    // The tower's places are [storeys from above, slot], the field's [row, key].
    explore(tower, {
      label: "How far each row moved: layers up and down, rows left and right",
      where({ target }) {
        const { layer = view.layer, slot } = target.closest("[data-slot]")?.dataset ?? {};
        return slot && [LAYERS - Number(layer), Number(slot)];
      },
      from: () => [LAYERS - state().layer, rowNow()],
      to: ([down, slot]) =>
        set({ layer: LAYERS - clamp(down, LAYERS), row: clamp(slot, view.shown - 1) }),
      over: (on, place) => tell(on && { part: "tower", place }),
    });
    explore(square, {
      label: "Attention weights: queries up and down, keys left and right",
      where: (event) => cellUnder(square, event, view.shown),
      from: () => [rowNow(), key()],
      to([row, slot]) {
        chosenKey = clamp(slot, view.shown - 1);
        set({ row: clamp(row, view.shown - 1) });
        showKey();
      },
      over: (on, place) => tell(on && { part: "field", place }),
    });

    function tell(what) {
      under = what;
      showKey();
      say(sentence());
    }

    /** What is to be drawn. The prompts go through the encoder only when they have changed. */
    async function compute(wanted) {
      const texts = wanted.other.trim() ? [wanted.prompt, wanted.other] : [wanted.prompt];
      const prompts = texts.map(read);
      const ids = prompts.flatMap((one) => one.ids);
      const rows = (values) => tensor("int32", [prompts.length, SLOTS], values);
      const inputs = {
        ids: rows(ids),
        causal: tensor("int32", [], [1]),
        seen: rows(ids.map(() => 1)),
      };
      const trace =
        view?.ids.join() === ids.join()
          ? view.trace
          : await ask.run("text", inputs, ["scores", "attention", "queries", "keys", "moved"]);
      const long = Math.max(...prompts.map((one) => one.words.length));
      const shown = Math.min(long, SHOWN);
      const row = Math.min(wanted.row, shown - 1);
      const next = { ...wanted, prompts, ids, trace, long, shown, row };
      if (["prompt", "layer", "head"].some((one) => next[one] !== view?.[one])) chosenKey = null;
      if (next.layer) {
        const place = [0, next.layer - 1, next.head];
        const keys = at(trace.keys, ...place).subarray(0, shown * WIDTH);
        next.numbers = await ask.run("attention_row", {
          query: tensor("float32", [WIDTH], at(trace.queries, ...place, row)),
          keys: tensor("float32", [shown, WIDTH], keys),
          last: tensor("int32", [], [row]),
        });
      }
      return next;
    }

    /** What is under pointer or focus; if nothing is, what is drawn. */
    function sentence() {
      if (under?.part === "tower") {
        const [down, slot] = under.place ?? [LAYERS - view.layer, view.row];
        const layer = LAYERS - down;
        if (!compared()) return `${after(layer)}, ${named(slot)}. Nothing is compared.`;
        const share = percent(moved(layer, slot));
        return (
          `${after(layer)}, ${named(slot)} has ` +
          (share === "0" ? "not moved." : `moved by ${share} % of its length.`)
        );
      }
      const place = under?.part === "field" && (under.place ?? [view.row, key()]);
      if (view.layer && place) {
        const [row, slot] = place;
        return slot > row
          ? `${named(row)} may not look at ${named(slot)}, which comes later: weight 0.`
          : `${named(row)} looks at ${named(slot)}: score ${two(score(row, slot))}, ` +
              `weight ${two(weight(row, slot))}.`;
      }
      const changes = compared()
        ? `${after(view.layer)}, ${movedRows(view.layer)} of ${view.shown} rows moved. `
        : "";
      if (!view.layer) return `${changes}Each row is its token's embedding plus its slot's.`;
      const best = strongest(view.row);
      return (
        `${changes}In head ${view.head} of layer ${view.layer}, ${named(view.row)} looks most ` +
        `at ${named(best)}, with weight ${two(weight(view.row, best))}.`
      );
    }

    function drawTower() {
      const storeys = [4, 3, 2, 1, 0];
      const all = storeys.flatMap((layer) => slots().map((slot) => moved(layer, slot)));
      const most = Math.max(...all); // one scale for the whole tower
      const storey = (layer) => [
        h(
          "span",
          { class: "cld-enc-storey", "data-here": layer === view.layer },
          h("span", { class: "cld-enc-wide" }, layer ? `layer ${layer}` : "embeddings"),
          h("span", {}, "H", h("sub", {}, String(layer))),
        ),
        ...slots().map((slot) => {
          const bar = h("span", { class: "cld-enc-bar" });
          bar.style.height = `${most && (100 * moved(layer, slot)) / most}%`;
          const here = layer === view.layer;
          return h(
            "span",
            {
              class: "cld-enc-cell",
              "data-layer": String(layer),
              "data-slot": String(slot),
              "data-here": here,
              "data-row": slot === view.row,
              "data-own": differs(slot),
            },
            here && compared() && h("small", {}, percent(moved(layer, slot))),
            bar,
          );
        }),
      ];
      const words = slots().map((slot) =>
        h(
          "span",
          {
            class: "cld-enc-slot",
            "data-slot": String(slot),
            "data-row": slot === view.row,
            "data-on": view.prompts[0].goesOn(slot),
          },
          h("span", {}, word(slot)),
          differs(slot) && h("span", { class: "cld-enc-new" }, word(slot, 1)),
        ),
      );
      tower.style.setProperty("--cld-enc-slots", view.shown);
      tower.classList.toggle("cld-enc-many", view.shown > 12);
      tower.classList.toggle("cld-enc-alone", !compared());
      const corner = h("span", { class: "cld-enc-storey" });
      tower.replaceChildren(...storeys.flatMap(storey), corner, ...words);
      follow();
    }

    function writeNote() {
      const lost = view.prompts[0].lost;
      note.textContent =
        "Click, or use the arrow keys, to choose a layer and a row. " +
        (compared()
          ? "A bar is the distance between a row's two states, one for each prompt, in " +
            "% of the row's length. "
          : "") +
        (view.long > SHOWN
          ? `The first ${SHOWN} of ${view.long} rows are shown. `
          : `Behind EOS follow ${count(SLOTS - view.long, "row")} of padding, not shown. `) +
        (lost ? `${count(lost, "token")} of the prompt found no slot and are lost.` : "");
    }

    /** Scrolls the tower, where it is too wide for the page, so that the chosen row is in sight. */
    function follow() {
      const { offsetLeft, offsetWidth } = tower.querySelector(".cld-enc-slot[data-row]");
      const isOut =
        offsetLeft - tower.firstChild.offsetWidth < tower.scrollLeft ||
        offsetLeft + offsetWidth > tower.scrollLeft + tower.clientWidth;
      if (isOut) tower.scrollLeft = offsetLeft - tower.clientWidth / 2;
    }
    new ResizeObserver(() => view && follow()).observe(tower);

    function drawHeads() {
      const drawn = (canvas, ofHead, side) =>
        heatmap(canvas, {
          rows: view.shown,
          columns: view.shown,
          side,
          value: (row, slot) => weight(row, slot, ofHead),
          blocked: (row, slot) => slot > row,
        });
      heads.forEach((chip, one) => {
        chip.setAttribute("aria-pressed", String(one === view.head));
        drawn(chip.firstChild, one, 6);
      });
      drawn(picture, view.head, 24);
      const labels = (chosen) =>
        slots().map((slot) =>
          h("span", { "data-row": slot === chosen }, h("span", {}, word(slot))),
        );
      rowLabels.replaceChildren(...labels(view.row));
      keyLabels.replaceChildren(...labels());
    }

    function drawNumbers() {
      const { scores, shares, total, weights } = view.numbers;
      rowName.replaceChildren(`Head ${view.head}: where ${named(view.row)} looks`);
      numbers.replaceChildren(
        ...slots().map((slot) => {
          const bar = h("span", { class: "cld-enc-share" });
          const isHidden = slot > view.row; // by the mask, and hatched over its whole width
          bar.style.width = `${isHidden ? 100 : 100 * weights.data[slot]}%`;
          return h(
            "tr",
            {
              "data-hidden": isHidden,
              onpointerenter: ({ pointerType }) =>
                pointerType === "mouse" && tell({ part: "field", place: [view.row, slot] }),
              onpointerleave: () => tell(null),
              onclick: () => {
                chosenKey = slot;
                tell({ part: "field" });
              },
            },
            h("th", { scope: "row" }, word(slot)),
            h("td", {}, two(scores.data[slot])),
            h("td", {}, two(shares.data[slot])),
            h("td", {}, h("span", {}, two(weights.data[slot])), bar),
          );
        }),
      );
      sums.replaceChildren(
        h("th", { scope: "row" }, "sum"),
        h("td", {}),
        h("td", {}, two(total.data[0])),
        h("td", {}, h("span", {}, "1.00")),
      );
    }

    /** Marks the key that the formula is about, and writes the formula with its numbers. */
    function showKey() {
      if (!view?.layer) return;
      const [row, slot] = [view.row, key()];
      const share = 100 / view.shown;
      const place = (element, top, left) => {
        element.style.top = `${top * share}%`;
        element.style.left = `${left * share}%`;
        element.style.height = `${share}%`;
      };
      place(band, row, 0);
      place(mark, row, slot);
      mark.style.width = `${share}%`;
      [...numbers.children].forEach((line, i) => line.toggleAttribute("data-here", i === slot));

      const { product, scores, shares, total, weights } = view.numbers;
      const sub = (...words) => h("sub", {}, words.join(","));
      const [S, sum] = [two(score(row, slot)), two(total.data[0])];
      const largest = two(Math.max(...scores.data)).replace(/^−.*/, "($&)");
      const first = h(
        "p",
        {},
        "S",
        sub(row, slot),
        " = q",
        sub(row),
        " · k",
        sub(slot),
        ` / √${WIDTH} = ${two(product.data[slot])} / ${two(Math.sqrt(WIDTH))} = `,
        h("b", {}, S),
      );
      const second =
        slot > row
          ? h(
              "p",
              {},
              `Slot ${slot} comes after slot ${row}: the mask puts −∞ in its place, and the ` +
                "weight is ",
              h("b", {}, "0"),
              ".",
            )
          : h(
              "p",
              {},
              "weight = e",
              h("sup", {}, `${S} − ${largest}`),
              ` / ${sum} = ${two(shares.data[slot])} / ${sum} = `,
              h("b", {}, two(weights.data[slot])),
            );
      formula.replaceChildren(first, second);
    }

    return {
      async draw(wanted) {
        view = await compute(wanted);
        for (const [{ input }, text] of [
          [prompt, view.prompt],
          [other, view.other],
        ]) {
          if (input.value !== text) input.value = text;
        }
        drawTower();
        writeNote();
        attention.hidden = !view.layer;
        const H = (layer) => ["H", h("sub", {}, String(layer))];
        layerName.replaceChildren(
          ...(view.layer
            ? [
                `Layer ${view.layer} (layers.${view.layer - 1} in code) makes `,
                ...H(view.layer),
                " from ",
                ...H(view.layer - 1),
                ". What its heads look at:",
              ]
            : [
                "No layer has run yet, so no row knows of another. Go up to layer 1 to see them " +
                  "look around.",
              ]),
        );
        if (view.layer) {
          drawHeads();
          drawNumbers();
          showKey();
        }
        say(sentence());
      },
      table: () => ({
        caption: view.layer
          ? `${after(view.layer)}; scores and weights of ${named(view.row)} in head ${view.head}`
          : after(0),
        columns: [
          "slot",
          "token",
          "changed to",
          "moved, % of its length",
          ...(view.layer ? ["score S", "weight"] : []),
        ],
        rows: slots().map((slot) => [
          slot,
          word(slot),
          differs(slot) ? word(slot, 1) : "",
          compared() ? percent(moved(view.layer, slot)) : "",
          ...(view.layer ? [view.numbers.scores, view.numbers.weights] : []).map((one) =>
            two(one.data[slot]),
          ),
        ]),
      }),
    };
  },
});
