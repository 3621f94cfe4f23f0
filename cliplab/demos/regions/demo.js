// Word to region: where in a picture each word was read, and what each place listened to. The
// picture is painted once; everything else is a look into the same numbers.

import { tensor } from "../lib/ask.js";
import { heatmap, showPixels } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { cellUnder, clamp, explore } from "../lib/explore.js";
import { createPainter, PAINT_GUIDANCE, PAINT_SEEDS, PAINT_STEPS } from "../lib/painting.js";

const ROWS = 77;
const SIDE = 8; // places, down and across
const CELL = 40; // of a place on the canvas
const MAIN = { fill: "rgba(38, 116, 190, .78)", line: "rgb(12, 58, 104)" };
const HELD = { fill: "rgb(226, 114, 20)", line: "rgb(140, 62, 0)" };

export default demo({
  title: "Word to region",
  about:
    "The miniature Stable Diffusion knows colored shapes and nothing else. Its U-Net has 2.6 " +
    "million parameters and 7 cross-attention layers, averaged here, on at most 8 × 8 places; " +
    "that of Stable Diffusion 1.5 has 860 million and 16 layers, on up to 64 × 64.",
  presets: [
    {
      label: "“left” and “of”",
      state: { prompt: "a red circle left of a blue square", word: 5, held: 4 },
      question:
        "“left” says where the circle is; “of” says nothing. Which of the two rows is read " +
        "more?",
      answer:
        "“of”. A row of the context is no word: under the causal mask the row of “of” has " +
        "heard “left” before it, so it can say both, and this U-Net has learned to look there.",
    },
    {
      label: "BOS",
      state: { word: 0, step: 19 },
      question:
        "The row of BOS, the start, is the same in every prompt, so it says nothing about " +
        "the picture. When is it read more: in the first step, or in the last?",
      answer:
        "In the last; move the slider to see it grow. Attention must sum to 1, and with " +
        "little noise left a place has little to ask, so it puts its attention where nothing is " +
        "said. Such a row is called a sink.",
    },
    {
      label: "a single word",
      state: { prompt: "circle", word: 1, among: true },
      question:
        "One word, and its attention is divided by that of all words, as many published " +
        "maps have it. What does its map look like?",
      answer:
        "The same everywhere: 100 %. Such a map compares words, and here there is nothing to " +
        "compare with. Switch it off: there was a map, and the word never had more than a part " +
        "of the attention.",
    },
  ],

  async start({ body, ask, say, set, state }) {
    const painter = await createPainter(ask);
    let painted; // { prompt, seed, groups, pictures, value(step, group, place), mean(step, group) }
    let shown; // the state that is drawn
    let peek = -1; // the word under the pointer
    let spotted = null; // the place under the pointer
    let topic = "word"; // what the sentence is about

    const input = h("input", {
      type: "text",
      class: "cld-text",
      maxlength: "200",
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => set({ prompt: input.value }),
    });
    const seed = h("input", {
      type: "number",
      class: "cld-text",
      min: "0",
      max: String(PAINT_SEEDS - 1),
      step: "1",
      onchange: () => set({ seed: clamp(Math.round(Number(seed.value)), PAINT_SEEDS - 1) }),
    });
    const progress = h("progress", {
      class: "cld-regions-progress",
      max: String(PAINT_STEPS),
      "aria-label": "Painting",
      hidden: true,
    });

    const canvas = h("canvas", { class: "cld-regions-canvas" });
    explore(canvas, {
      label: "The picture, 8 by 8 places",
      where: (event) => cellUnder(canvas, event, SIDE),
      from: () => [Math.floor(state().spot / SIDE), state().spot % SIDE],
      to(place) {
        const [row, column] = place.map((one) => clamp(one, SIDE - 1));
        set({ spot: row * SIDE + column });
      },
      over(on, place) {
        spotted = on && place ? place[0] * SIDE + place[1] : null;
        if (!painted) return;
        topic = on ? "place" : "word";
        drawLook();
      },
    });
    const plain = h("canvas", { class: "cld-regions-small" });
    const plainName = h("span", {});
    const legend = h("p", { class: "cld-regions-legend cld-number" });
    const words = h("div", {
      class: "cld-regions-words",
      role: "radiogroup",
      "aria-label": "Words of the prompt: where each was read",
      onkeydown: walk,
    });
    const wordsHint = h("span", { class: "cld-hint" });
    const barsTitle = h("p", { class: "cld-regions-title" });
    const bars = h("ul", { class: "cld-regions-bars cld-number", tabindex: "0" });

    const stepName = h("span", {});
    const slider = h("input", {
      type: "range",
      min: "0",
      max: String(PAINT_STEPS),
      oninput: () => set({ step: Number(slider.value) }),
    });
    const among = h("input", { type: "checkbox", onchange: () => set({ among: among.checked }) });
    const hold = h("input", {
      type: "checkbox",
      onchange: () => set({ held: hold.checked ? shown.word : -1 }),
    });
    const holdName = h("span", {});

    body.append(
      h(
        "div",
        { class: "cld-regions-ask" },
        h("label", { class: "cld-label" }, "Prompt", input),
        h("label", { class: "cld-label" }, "Seed", seed),
      ),
      h(
        "div",
        { class: "cld-regions-sheet" },
        h(
          "div",
          { class: "cld-regions-picture" },
          canvas,
          progress,
          h(
            "div",
            { class: "cld-regions-below" },
            legend,
            h("div", { class: "cld-regions-plain", "aria-hidden": "true" }, plain, plainName),
          ),
        ),
        h(
          "div",
          { class: "cld-regions-read" },
          h("p", { class: "cld-regions-title" }, "Where each word was read ", wordsHint),
          words,
        ),
        h("div", { class: "cld-regions-place" }, barsTitle, bars),
      ),
      h(
        "div",
        { class: "cld-regions-controls" },
        h("label", { class: "cld-label" }, stepName, slider),
        h("label", { class: "cld-regions-check" }, hold, holdName),
        h("label", { class: "cld-regions-check" }, among, "among the words only"),
      ),
    );

    /** The rows of the context by what they are of: the start, each word, the end, padding. */
    function groupsOf(prompt, { tokens }) {
      const typed = painter.tokenizer.tokenize(prompt); // these have their places in the text
      const found = [];
      tokens.forEach(({ row, word }, i) => {
        const { start, end } = typed[i];
        (found[word] ??= { start, rows: [], isWord: true }).rows.push(row);
        found[word].name = prompt.slice(found[word].start, end);
      });
      const end = tokens.length + 1;
      const rest = Array.from({ length: ROWS - 1 - end }, (_, i) => end + 1 + i);
      const padding = { name: `padding × ${rest.length}`, said: "padding", rows: rest };
      const groups = [{ name: "BOS", rows: [0] }, ...found, { name: "EOS", rows: [end] }];
      return rest.length ? [...groups, padding] : groups;
    }

    /** Paints, and has the graph add up tokens to words, for every step and for their mean. */
    async function paint({ prompt, seed: chosen }) {
      const outdated = () => state().prompt !== prompt || state().seed !== chosen;
      const read = painter.read([{ text: prompt, weight: 1, start: 0 }]);
      const groups = groupsOf(prompt, read);
      const maps = [];
      const latents = await painter.paint({
        context: await painter.encode(read.ids),
        seed: chosen,
        guidance: PAINT_GUIDANCE,
        cancelled: outdated,
        onStep(i, _, found) {
          maps.push(found.data);
          progress.value = i;
        },
      });
      if (!latents) return undefined;
      const all = new Float32Array(maps.length * maps[0].length);
      maps.forEach((one, i) => all.set(one, i * one.length));
      const belongs = groups.flatMap(({ rows }) =>
        Array.from({ length: ROWS }, (_, row) => Number(rows.includes(row))),
      );
      const [sums, pictures] = await Promise.all([
        ask.run("regions", {
          maps: tensor("float32", [maps.length, ROWS, SIDE, SIDE], all),
          groups: tensor("float32", [groups.length, ROWS], belongs),
          words: tensor(
            "float32",
            [groups.length],
            groups.map(({ isWord }) => (isWord ? 1 : 0)),
          ),
        }),
        painter.pixels(latents),
      ]);
      const at = (half, step, group) =>
        // half 0: as they are; 1: among the words
        (Number(half) * (PAINT_STEPS + 1) + step) * groups.length + group;
      return {
        prompt,
        seed: chosen,
        groups,
        pictures,
        lost: read.lost,
        value: (half, step, group, place) =>
          sums.regions.data[at(half, step, group) * SIDE ** 2 + place],
        mean: (half, step, group) => sums.means.data[at(half, step, group)],
      };
    }

    const percent = (share) => `${(100 * share).toFixed(share < 0.00995 ? 2 : 1)}\u00a0%`;
    const spot = () => spotted ?? shown.spot;
    const upper = (text) => text[0].toUpperCase() + text.slice(1);
    const known = (group) => clamp(group, painted.groups.length - 1);
    const places = Array.from({ length: SIDE ** 2 }, (_, place) => ({
      row: Math.floor(place / SIDE),
      column: place % SIDE,
    }));
    const placeName = (place) => `row ${places[place].row + 1}, column ${places[place].column + 1}`;
    const quoted = ({ name, said, isWord }) => (isWord ? `“${name}”` : (said ?? name));
    const whenIs = (step) =>
      step < PAINT_STEPS
        ? `in step ${step + 1} of ${PAINT_STEPS}`
        : `over all ${PAINT_STEPS} steps`;

    /** The map of a group as it is now looked at, its ends and where they are. */
    function mapOf(group) {
      const { step, among: half } = shown;
      const values = places.map((_, place) => painted.value(half, step, group, place));
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const flat = high - low < 1e-6;
      return {
        values,
        low,
        high,
        flat,
        leftOut: half && !painted.groups[group].isWord,
        part: (place) => (flat ? 0.5 : (values[place] - low) / (high - low)), // from least to most
      };
    }

    /** One word's button: its map in small, its name, its share of all attention. */
    function wordButton(group) {
      const { among: half, step } = shown;
      const { name, said, isWord } = painted.groups[group];
      const map = mapOf(group);
      const small = h("canvas", { class: "cld-regions-small", "aria-hidden": "true" });
      heatmap(small, {
        rows: SIDE,
        columns: SIDE,
        side: 6,
        value: (row, column) => map.part(row * SIDE + column),
        blocked: () => map.leftOut,
      });
      const share = map.leftOut ? "left out" : percent(painted.mean(half, step, group));
      return h(
        "button",
        {
          type: "button",
          role: "radio",
          class: isWord ? "cld-regions-word" : "cld-regions-word cld-regions-sink",
          onclick: () => set({ word: group }),
          onpointerenter: (event) => event.pointerType === "mouse" && look(group),
          onpointerleave: (event) => event.pointerType === "mouse" && look(-1),
        },
        small,
        h("span", {}, said ?? name),
        h("small", { class: "cld-number" }, share),
      );
    }

    /** Arrow keys walk through the words, as through radio buttons. */
    function walk(event) {
      const last = painted.groups.length - 1;
      const to = {
        ArrowRight: shown.word + 1,
        ArrowDown: shown.word + 1,
        ArrowLeft: shown.word - 1,
        ArrowUp: shown.word - 1,
        Home: 0,
        End: last,
      }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      set({ word: clamp(to, last) });
      words.children[known(state().word)].focus();
    }

    function look(group) {
      peek = group;
      topic = "word";
      drawLook();
    }

    function drawWords() {
      peek = -1; // the button under the pointer is replaced by another
      wordsHint.textContent =
        "each on its own scale, with its share " +
        (shown.among ? "among the words" : "of all attention");
      const focused = [...words.children].indexOf(document.activeElement);
      words.replaceChildren(...painted.groups.map((_, group) => wordButton(group)));
      if (focused >= 0) words.children[known(focused)].focus({ preventScroll: true });
    }

    /** The picture as the U-Net saw it in this step, or as it became, without any marks. */
    function drawPlain() {
      showPixels(plain, painted.pictures[shown.step]);
      plainName.textContent = shown.step < PAINT_STEPS ? "what it saw" : "the picture";
    }

    /** What is looked at, and with which sign: a word, and perhaps one that is held beside it. */
    function looked(word) {
      const { held } = shown;
      return held >= 0 && held !== word
        ? [
            [word, disc],
            [held, square],
          ]
        : [[word, disc]];
    }

    /** On the picture a disc for each place, as large as its share; a held word has squares. */
    function drawPicture(word) {
      const scale = Math.ceil(devicePixelRatio); // sharp on dense screens
      canvas.width = canvas.height = SIDE * CELL * scale;
      const pen = canvas.getContext("2d");
      pen.imageSmoothingEnabled = false;
      pen.drawImage(plain, 0, 0, canvas.width, canvas.height);
      pen.scale(scale, scale);
      const signs = looked(word)
        .map(([group, draw]) => [mapOf(group), draw])
        .filter(([map]) => !map.leftOut);
      places.forEach(({ row, column }, place) => {
        signs
          .map(([map, draw]) => [(0.12 + 0.76 * map.part(place)) * CELL, draw])
          .sort(([a], [b]) => b - a) // the smaller one above
          .forEach(([size, draw]) => draw(pen, (column + 0.5) * CELL, (row + 0.5) * CELL, size));
      });
      const { row, column } = places[spot()];
      for (const [color, width] of [
        ["#fff", 5],
        ["#111", 2.5],
      ]) {
        pen.strokeStyle = color;
        pen.lineWidth = width;
        pen.strokeRect(column * CELL + 1.5, row * CELL + 1.5, CELL - 3, CELL - 3);
      }
    }

    /** What the least and the greatest sign of a map stand for. */
    function drawLegend(word) {
      const key = (kind, size) => {
        const sign = h("canvas", {
          class: "cld-regions-key",
          width: "44",
          height: "44",
          "aria-hidden": "true",
        });
        const pen = sign.getContext("2d");
        pen.scale(2, 2);
        kind(pen, 11, 11, size);
        return sign;
      };
      const line = (group, kind) => {
        const { leftOut, flat, low, high } = mapOf(group);
        const name = h("span", {}, quoted(painted.groups[group]));
        if (leftOut) return h("span", {}, name, h("span", {}, "left out"));
        const ends = flat
          ? [[12, high]]
          : [
              [5, low],
              [18, high],
            ];
        return h(
          "span",
          {},
          name,
          ends.map(([size, share]) => h("span", {}, key(kind, size), percent(share))),
        );
      };
      legend.replaceChildren(...looked(word).map(([group, kind]) => line(group, kind)));
    }

    function drawBars(word) {
      const { step, among: half } = shown;
      const place = spot();
      const top = Math.max(...painted.groups.map((_, group) => mapOf(group).high)) || 1;
      const title = `${upper(placeName(place))} listened to`;
      barsTitle.replaceChildren(`${title} `, h("span", { class: "cld-hint" }, "100\u00a0% in all"));
      bars.setAttribute("aria-label", `${title}, ${whenIs(step)}`);
      bars.replaceChildren(
        ...painted.groups.map(({ name, isWord }, group) => {
          const share = painted.value(half, step, group, place);
          const leftOut = half && !isWord;
          const bar = h("span", {
            class: "cld-regions-bar",
            "aria-hidden": "true",
            hidden: leftOut,
          });
          bar.style.width = `${(100 * share) / top}%`;
          return h(
            "li",
            {
              "data-sink": !isWord,
              "data-word": group === word,
              "data-held": group === shown.held,
            },
            h("span", {}, name),
            h("span", { class: "cld-regions-track" }, bar),
            h("span", {}, leftOut ? "left out" : percent(share)),
          );
        }),
      );
    }

    function sentence(word) {
      const { step, among: half } = shown;
      const place = spot();
      const { groups } = painted;
      const whose = half ? "of what the words got" : "of the attention";
      if (half && !groups.some(({ isWord }) => isWord)) {
        return "There is no word here, so there is nothing among words.";
      }
      if (topic === "place") {
        const told = groups
          .map((group, i) => [painted.value(half, step, i, place), quoted(group)])
          .filter(([share]) => share > 0)
          .sort(([a], [b]) => b - a)
          .slice(0, 3)
          .map(([share, name]) => `${name} ${percent(share)}`);
        return `${upper(placeName(place))}, ${whenIs(step)}: ${told.join(", ")} ${whose}.`;
      }
      const map = mapOf(word);
      const name = quoted(groups[word]);
      if (map.leftOut) return `Among the words only, ${name} is left out.`;
      const rows = groups[word].rows.length;
      const most = map.flat
        ? "the same at every place"
        : `most at ${placeName(map.values.indexOf(map.high))}: ${percent(map.high)}, ` +
          `least ${percent(map.low)}`;
      return (
        `${upper(name)}${rows > 1 && groups[word].isWord ? `, ${rows} tokens,` : ""} gets ` +
        `${percent(painted.mean(half, step, word))} ${whose} ${whenIs(step)}; ${most}.`
      );
    }

    /** What follows pointer and keys. */
    function drawLook() {
      const word = peek >= 0 ? known(peek) : shown.word;
      drawPicture(word);
      drawLegend(word);
      drawBars(word);
      [...words.children].forEach((button, group) => {
        button.setAttribute("aria-checked", String(group === shown.word));
        button.tabIndex = group === shown.word ? 0 : -1;
        button.toggleAttribute("data-held", group === shown.held);
      });
      hold.checked = shown.held >= 0;
      const kept = painted.groups[shown.held >= 0 ? shown.held : word];
      holdName.textContent = `keep ${quoted(kept)} in view`;
      const lost = painted.lost ? ` ${painted.lost} tokens found no place.` : "";
      say(sentence(word) + lost);
    }

    return {
      async draw(wanted) {
        if (input.value !== wanted.prompt) input.value = wanted.prompt;
        if (seed.value !== String(wanted.seed)) seed.value = String(wanted.seed);
        slider.value = String(wanted.step);
        slider.setAttribute("aria-valuetext", whenIs(wanted.step));
        stepName.textContent = `Attention ${whenIs(wanted.step)}`;
        among.checked = wanted.among;

        const repaint = painted?.prompt !== wanted.prompt || painted.seed !== wanted.seed;
        if (repaint) {
          body.toggleAttribute("data-painting", true);
          progress.value = 0;
          progress.hidden = false;
          try {
            const made = await paint(wanted);
            if (!made) return; // something newer is wanted, and comes next
            painted = made;
          } finally {
            progress.hidden = true;
            body.toggleAttribute("data-painting", false);
          }
        }
        const before = shown;
        shown = { ...wanted, word: known(wanted.word) };
        if (shown.held >= painted.groups.length) shown.held = -1;
        if (repaint || before?.step !== shown.step || before.among !== shown.among) {
          drawPlain();
          drawWords();
        }
        const moved = (name) => before && before[name] !== shown[name];
        if (moved("word") || moved("held") || repaint) topic = "word";
        else if (moved("spot")) topic = "place";
        drawLook();
      },
      table() {
        const { among: half, step } = shown;
        const place = shown.spot;
        return {
          caption: `Shares ${half ? "among the words only" : "of all attention"}, ${whenIs(step)}`,
          columns: ["word", "rows", "mean", "least", "most", "most at", placeName(place)],
          rows: painted.groups.map(({ name, rows }, group) => {
            const { values, low, high, flat, leftOut } = mapOf(group);
            const of = rows.length > 1 ? `${rows[0]} to ${rows.at(-1)}` : rows[0];
            if (leftOut) return [name, of, "left out", "", "", "", ""];
            const where = flat ? "everywhere" : placeName(values.indexOf(high));
            const mean = painted.mean(half, step, group);
            return [name, of, ...[mean, low, high].map(percent), where, percent(values[place])];
          }),
        };
      },
    };

    /** A filled disc with a light and a dark edge, so that it shows on any picture. */
    function disc(pen, x, y, size) {
      pen.beginPath();
      pen.arc(x, y, size / 2, 0, 2 * Math.PI);
      pen.fillStyle = MAIN.fill;
      pen.fill();
      for (const [color, width] of [
        ["#fff", 3],
        [MAIN.line, 1.2],
      ]) {
        pen.strokeStyle = color;
        pen.lineWidth = width;
        pen.stroke();
      }
    }

    /** A hatched square, its edge likewise. */
    function square(pen, x, y, size) {
      const [left, top] = [x - size / 2, y - size / 2];
      pen.save();
      pen.beginPath();
      pen.rect(left, top, size, size);
      pen.fillStyle = "rgba(255, 255, 255, .45)";
      pen.fill();
      pen.clip();
      pen.beginPath();
      for (let d = -size; d < size; d += 6) {
        pen.moveTo(left + d, top + size);
        pen.lineTo(left + d + size, top);
      }
      pen.strokeStyle = HELD.fill;
      pen.lineWidth = 2;
      pen.stroke();
      pen.restore();
      for (const [color, width] of [
        ["#fff", 4],
        [HELD.line, 1.8],
      ]) {
        pen.strokeStyle = color;
        pen.lineWidth = width;
        pen.strokeRect(left, top, size, size);
      }
    }
  },
});
