// Similarity and temperature: captions against pictures. Rows are captions, as in chapter 7.

import { tensor } from "../lib/ask.js";
import { showPixels } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { arrowStep, clamp } from "../lib/explore.js";
import { createMatcher } from "../lib/matching.js";
import { count, signed } from "../lib/wording.js";

const PAIRS = 6;
const TRAINED = 0.0194; // the miniature's own τ
const COLDEST = Math.log(100); // the slider is s = ln(1/τ), as the model's parameter is
const numbers = Array.from({ length: PAIRS }, (_, i) => i);

export default demo({
  title: "Which caption, which picture?",
  about:
    "A miniature CLIP of 3.1 million parameters, trained on 1,426 emoji in eight other art " +
    "styles. Its mistakes are its own; the loss and the temperature are those of every CLIP.",
  presets: [
    {
      label: "colder",
      state: { temperature: 0.01, by: "column" },
      question:
        "The fourth picture, a tomato, is taken for a red apple; the other five are right. A " +
        "lower τ makes every share surer. Does it lower the loss?",
      answer:
        "No, it rises, by about two fifths. The tomato is now surely a red apple, and the loss is " +
        "the surprise at the right answer. Move the slider: it is lowest where the model is as " +
        "sure as it is right, near τ = 0.025 here.",
    },
    {
      label: "a swap",
      state: { captions: ["rocket", "wolf", "red apple", "tomato", "dog face", "airplane"] },
      question:
        "“dog face” and “rocket” change places; four of six pairs stay as they were. Who knows " +
        "nothing and guesses loses ln 6 = 1.79. Is this batch better or worse than a guess?",
      answer:
        "Far worse: between 7 and 9. The two wrong pairs lose over 20 each, since −ln p grows " +
        "without end as p nears 0, and a guess never says 0. Wrong captions in the data weigh " +
        "heavily.",
    },
    {
      label: "each caption twice",
      state: {
        captions: [
          "dog wolf",
          "dog wolf",
          "apple tomato",
          "apple tomato",
          "rocket airplane",
          "rocket airplane",
        ],
        temperature: 0.1,
        by: "column",
      },
      question:
        "Now each caption stands twice, and fits both of its pictures. How low can the loss of " +
        "such a batch go, with the best model and the best τ?",
      answer:
        "To ln 2 = 0.69, and here it is little above. Equal captions have equal vectors, so " +
        "a picture shares its column equally between its caption and the copy: at most 0.50 " +
        "each. Move the slider: no τ gets below.",
    },
  ],

  async start({ body, ask, say, set, state }) {
    const matcher = await createMatcher(ask);
    const images = tensor(
      "float32",
      [PAIRS, matcher.width],
      matcher.images.slice(0, PAIRS * matcher.width),
    );
    let found; // what the graph gave last
    let at = [3, 3]; // the caption and the picture that the read-out speaks of

    const views = {
      cosine: "cosines",
      row: "rows: which picture?",
      column: "columns: which caption?",
    };
    const choices = Object.entries(views).map(([by, words]) =>
      h(
        "button",
        {
          type: "button",
          class: "cld-button",
          onclick: () => set({ by }),
        },
        words,
      ),
    );

    const slider = h("input", {
      type: "range",
      min: "0",
      max: String(COLDEST),
      step: "any",
      oninput: () => set({ temperature: Number(Math.exp(-slider.value).toPrecision(3)) }),
      onkeydown: (event) => {
        // `any` gives a key no step of its own
        const by = {
          ArrowRight: 1,
          ArrowUp: 1,
          ArrowLeft: -1,
          ArrowDown: -1,
          PageUp: 5,
          PageDown: -5,
        };
        if (!(event.key in by)) return;
        event.preventDefault();
        const s = clamp(Number(slider.value) + by[event.key] * 0.1, COLDEST);
        set({ temperature: Number(Math.exp(-s).toPrecision(3)) });
      },
    });
    const sliderName = h("span", { class: "cld-number" });
    const trained = h(
      "button",
      {
        type: "button",
        class: "cld-button cld-trained",
        onclick: () => set({ temperature: TRAINED }),
      },
      "as trained ▲",
    );
    const scale = h(
      "div",
      { class: "cld-scale" },
      h("span", {}, "unsure"),
      trained,
      h("span", {}, "sure"),
    );
    trained.style.left = `${(100 * -Math.log(TRAINED)) / COLDEST}%`;

    /** The picture's name is what the model should say, so it is told only in words. */
    function pictureHead(i) {
      const canvas = h("canvas", {
        class: "cld-seen",
        role: "img",
        "aria-label": `Picture ${i + 1}: ${matcher.names[i].caption}`,
      });
      showPixels(canvas, matcher.pixels(i));
      return canvas;
    }

    function swap(i) {
      const captions = [...state().captions];
      [captions[i], captions[i + 1]] = [captions[i + 1], captions[i]];
      set({ captions });
    }

    const inputs = numbers.map((i) =>
      h("input", {
        class: "cld-text",
        maxlength: "80",
        "aria-label": `Caption ${i + 1}`,
        spellcheck: "false",
        autocomplete: "off",
        oninput: (event) =>
          set({
            captions: state().captions.map((old, j) => (j === i ? event.target.value : old)),
          }),
      }),
    );
    const costs = numbers.map(() => h("span", { class: "cld-cost cld-number" }));
    const cells = numbers.map((caption) =>
      numbers.map((picture) =>
        h("button", {
          type: "button",
          class: caption === picture ? "cld-cell cld-own" : "cld-cell",
          onfocus: () => look(caption, picture),
          onclick: () => look(caption, picture),
          onpointerenter: () => look(caption, picture),
          onkeydown: (event) => step(event, caption, picture),
        }),
      ),
    );
    const matrix = h(
      "div",
      {
        class: "cld-matrix",
        role: "group",
        "aria-label": "Captions and pictures. Among the numbers, use the arrow keys.",
      },
      h(
        "div",
        { class: "cld-line" },
        h("span", { class: "cld-corner cld-hint" }, "Captions, to edit"),
        numbers.map(pictureHead),
        h("span", { class: "cld-corner cld-hint cld-cost" }, "loss"),
      ),
      numbers.map((i) =>
        h(
          "div",
          { class: "cld-line" },
          inputs[i],
          i < PAIRS - 1
            ? h(
                "button",
                {
                  type: "button",
                  class: "cld-button cld-swap",
                  onclick: () => swap(i),
                  "aria-label": `Swap captions ${i + 1} and ${i + 2}`,
                  title: "Swap with the next caption",
                },
                "⇅",
              )
            : h("span", { class: "cld-swap" }),
          cells[i],
          costs[i],
        ),
      ),
    );
    const loss = h("p", { class: "cld-number" });
    const hits = h("p", { class: "cld-hint" });

    body.append(
      h("div", { class: "cld-row", role: "group", "aria-label": "What the cells show" }, choices),
      h("div", {}, h("label", { class: "cld-label" }, sliderName, slider), scale),
      matrix,
      h("div", {}, loss, hits),
      matcher.credit(),
    );

    /** The number of a caption and a picture in a table of the graph, whose rows are pictures. */
    const of = (name, caption, picture) => found[name].data[picture * PAIRS + caption];
    // A softmax over the pictures is what the graph calls by column: there, columns are captions.
    const tables = { cosine: "cosine", row: "by_column", column: "by_row" };

    function look(caption, picture) {
      at = [caption, picture];
      cells.flat().forEach((cell) => {
        cell.tabIndex = -1;
      });
      cells[caption][picture].tabIndex = 0;
      tell();
    }

    function step(event, caption, picture) {
      const by = arrowStep(event);
      if (!by) return;
      const [row, column] = [caption, picture].map((place, i) => clamp(place + by[i], PAIRS - 1));
      cells[row][column].focus();
    }

    function tell() {
      const [caption, picture] = at;
      const [cosine, row, column] = ["cosine", "row", "column"].map((by) =>
        signed(of(tables[by], caption, picture)),
      );
      const pair = caption === picture ? ", a pair" : "";
      say(
        `Caption ${caption + 1}, “${state().captions[caption]}” · picture ${picture + 1} ` +
          `(${matcher.names[picture].caption})${pair}: cosine ${cosine}; ` +
          `p\u00a0=\u00a0${row} among the pictures, p\u00a0=\u00a0${column} among the captions.`,
      );
    }

    /** How many of the lines have their pair ahead of all others; a tie is no lead. */
    const ahead = (cosine) =>
      numbers.filter((i) => numbers.every((j) => j === i || cosine(i, j) < cosine(i, i))).length;

    return {
      async draw({ captions, temperature, by }) {
        const texts = await matcher.texts(captions);
        found = await ask.run("similarity", {
          texts: tensor("float32", [PAIRS, matcher.width], texts),
          images,
          scale: tensor("float32", [], [1 / temperature]),
        });

        choices.forEach((one, i) =>
          one.setAttribute("aria-pressed", String(Object.keys(views)[i] === by)),
        );
        slider.value = String(-Math.log(temperature));
        const inverse = Number((1 / temperature).toPrecision(2));
        slider.setAttribute("aria-valuetext", `τ = ${temperature}, 1 over τ = ${inverse}`);
        sliderName.textContent = `Temperature τ = ${temperature} (1/τ = ${inverse})`;
        trained.setAttribute("aria-pressed", String(temperature === TRAINED));
        matrix.dataset.by = by;

        for (const i of numbers) {
          if (inputs[i].value !== captions[i]) inputs[i].value = captions[i];
          const cost = found.losses.data[i];
          costs[i].textContent = cost.toFixed(2);
          costs[i].style.setProperty("--cld-full", String(Math.min(cost / 4, 1)));
          for (const j of numbers) {
            const value = of(tables[by], i, j);
            const rivals = numbers.map((k) =>
              by === "column" ? of(tables[by], k, j) : of(tables[by], i, k),
            );
            const cell = cells[i][j];
            cell.textContent = signed(value);
            cell.style.setProperty("--cld-full", String(Math.max(value, 0)));
            const leads = by !== "cosine" && value === Math.max(...rivals);
            cell.classList.toggle("cld-lead", leads);
            cell.classList.toggle("cld-wrong", leads && i !== j);
            cell.setAttribute(
              "aria-label",
              `caption ${i + 1}, picture ${j + 1}: ${signed(value)}` +
                `${i === j ? ", a pair" : ""}${leads ? ", the largest" : ""}`,
            );
          }
        }

        const [toPicture, toCaption] = found.directions.data;
        loss.replaceChildren(
          h("b", {}, `Loss ${found.loss.data[0].toFixed(2)}`),
          `, the mean of ${toPicture.toFixed(2)} for the rows (caption → picture) and ` +
            `${toCaption.toFixed(2)} for the columns (picture → caption). A guess: ln 6 = 1.79.`,
        );
        const [captionsRight, picturesRight] = [
          ahead((i, j) => of("cosine", i, j)),
          ahead((i, j) => of("cosine", j, i)),
        ];
        hits.textContent =
          `${captionsRight} of ${count(PAIRS, "caption")} find their own picture, ` +
          `${picturesRight} of ${count(PAIRS, "picture")} their own caption. ` +
          "Outlined: the pairs. Bold: the largest share; dashed if it is a wrong one.";
        look(...at);
      },
      table: () => ({
        caption: "Every caption with every picture",
        columns: ["caption", "picture", "cosine", "p among the pictures", "p among the captions"],
        rows: state().captions.flatMap((caption, i) =>
          numbers.map((j) => [
            caption,
            `${j + 1}: ${matcher.names[j].caption}`,
            ...["cosine", "row", "column"].map((by) => signed(of(tables[by], i, j), 3)),
          ]),
        ),
      }),
    };
  },
});
