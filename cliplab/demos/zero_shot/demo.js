// Zero-shot: a picture, chosen or drawn, and a classifier made of the words that the reader types.

import { tensor } from "../lib/ask.js";
import { showPixels } from "../lib/canvas.js";
import { demo } from "../lib/demo.js";
import { h } from "../lib/elements.js";
import { clamp, watched } from "../lib/explore.js";
import { createMatcher, MATCHING_SIDE } from "../lib/matching.js";
import { count, signed } from "../lib/wording.js";

const LABELS = 8; // at most, so that an answer to a key press stays quick
const TEMPLATES = 4;
const BRUSH = 3; // its radius, in pixels of the picture
const PAINTS = {
  black: [0, 0, 0],
  white: [255, 255, 255],
  red: [222, 32, 38],
  orange: [255, 140, 0],
  yellow: [247, 215, 22],
  green: [28, 150, 62],
  blue: [36, 70, 214],
  brown: [120, 72, 40],
};
const DRAWN = -1; // in place of a picture's number

const split = (text, mark) =>
  text
    .split(mark)
    .map((part) => part.trim())
    .filter(Boolean);
/** 94 %, and never 100 or 0 for what is not quite that. */
function percent(share) {
  const number = (100 * share).toFixed(share > 0.995 && share < 0.9995 ? 1 : 0);
  return share > 0 && share < 0.005 ? "<\u00a01\u00a0%" : `${number}\u00a0%`;
}

export default demo({
  title: "A classifier made of words",
  about:
    "A miniature CLIP of 3.1 million parameters that has seen 1,426 emoji, colored shapes, and " +
    "no photograph. Its mistakes are its own; how words make a classifier is the same for every " +
    "CLIP. The shares are a softmax of cosine / τ with τ = 0.0194, as trained.",
  presets: [
    {
      label: "no label is right",
      state: { picture: 4, labels: "banana, violin, bus, penguin, crown" },
      question:
        "A rocket, and five labels that are all wrong. Will the shares say that none of them fits?",
      answer:
        "They say violin, with more than 99 %. A softmax shares out 100 % among what it is " +
        "offered, fitting or not. The cosine of 0.41 gives no warning either, until a rival " +
        "stands beside it: add “rocket” to the list.",
    },
    {
      label: "a fitting template",
      state: { picture: 4, templates: "a small drawing of a {}" },
      question:
        "The bare word “rocket” gets this picture right. It is indeed a small drawing of a " +
        "rocket. Does it help to say so, “a small drawing of a {}”?",
      answer:
        "It loses the rocket: a dog and a guitar are ahead, and no cosine is above 0.1. What " +
        "helps is not what is true but what looks like the captions of training, and those were " +
        "names and tags alone.",
    },
    {
      label: "never seen, never read",
      state: { picture: 18, labels: "dog, cat, snowman, hedgehog, sunflower, pizza" },
      question:
        "No picture of training shows a hedgehog, and no caption has the word. Can the " +
        "miniature name it?",
      answer:
        "Yes, with over 80 %. The word came with a vector, made from billions of words of text, " +
        "that lies near those of “chipmunk” and “mouse”, whose pictures were there. Near is not " +
        "exact: offer “squirrel” as well, and it wins.",
    },
  ],

  async start({ body, ask, say, set, state, redraw }) {
    const matcher = await createMatcher(ask);
    let drawing = new Uint8Array(3 * MATCHING_SIDE ** 2).fill(255);
    let paint = "red";
    let stroke; // where the pointer was last, while it is pressed
    let cursor; // where the keyboard's brush stands, once it has moved
    let found = []; // [{ label, share, cosine, length }], the most probable first
    let notes = []; // what was left out of the question
    let at; // the label that the read-out speaks of

    const pixelsOf = (picture) => (picture === DRAWN ? drawing : matcher.pixels(picture));
    const vectorOf = (picture) =>
      picture === DRAWN
        ? matcher.image(drawing)
        : matcher.images.slice(picture * matcher.width, (picture + 1) * matcher.width);

    // Pictures to choose: a group of radio buttons, of which one is in the order of the Tab key.
    const choices = matcher.names.map(({ caption, learned }, i) => {
      const canvas = h("canvas", { class: "cld-seen", "aria-hidden": "true" });
      showPixels(canvas, matcher.pixels(i));
      return h(
        "button",
        {
          type: "button",
          role: "radio",
          class: learned ? "cld-pick" : "cld-pick cld-unseen",
          "aria-label": learned ? caption : `${caption}, not in training`,
          title: caption,
          onclick: () => set({ picture: i }),
          onkeydown: (event) => {
            const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
            if (!by) return;
            event.preventDefault();
            const next = (i + by + choices.length) % choices.length;
            choices[next].focus();
            set({ picture: next });
          },
        },
        canvas,
      );
    });

    const board = h("canvas", {
      class: "cld-board",
      tabindex: "0",
      role: "application",
      "aria-label":
        "The picture, to draw on. With the keyboard: arrow keys move the brush, space paints.",
      onpointerdown: (event) => {
        if (event.button) return;
        event.preventDefault();
        board.setPointerCapture(event.pointerId);
        stroke = place(event);
        dab(stroke, stroke);
      },
      onpointermove: (event) => {
        if (!stroke) return;
        const next = place(event);
        dab(stroke, next);
        stroke = next;
      },
      onpointerup: () => {
        stroke = undefined;
      },
      onpointercancel: () => {
        stroke = undefined;
      },
      onkeydown: (event) => {
        const steps = {
          ArrowUp: [0, -1],
          ArrowDown: [0, 1],
          ArrowLeft: [-1, 0],
          ArrowRight: [1, 0],
        };
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === " ") {
          event.preventDefault();
          cursor ??= [32, 32];
          dab(cursor, cursor);
        } else if (event.key in steps) {
          event.preventDefault();
          const far = event.shiftKey ? 1 : BRUSH;
          cursor = (cursor ?? [32, 32]).map((one, i) =>
            clamp(one + steps[event.key][i] * far, MATCHING_SIDE - 1),
          );
          say(
            `Brush at ${cursor[0]} from the left, ${cursor[1]} from the top, of 64. ` +
              `Space paints ${paint}.`,
          );
        }
        showCursor();
      },
      onblur: () => {
        cursor = undefined;
        showCursor();
      },
    });
    const ring = h("span", { class: "cld-ring", hidden: true });

    function showCursor() {
      ring.hidden = !cursor;
      if (!cursor) return;
      ring.style.left = `${(100 * (cursor[0] + 0.5)) / MATCHING_SIDE}%`;
      ring.style.top = `${(100 * (cursor[1] + 0.5)) / MATCHING_SIDE}%`;
    }

    function place(event) {
      const box = board.getBoundingClientRect();
      return [
        ((event.clientX - box.left) / box.width) * MATCHING_SIDE,
        ((event.clientY - box.top) / box.height) * MATCHING_SIDE,
      ];
    }

    /** The rows or columns of the picture that a brush at this place reaches. */
    const within = (place_) =>
      Array.from({ length: MATCHING_SIDE }, (_, i) => i).filter(
        (i) => Math.abs(i - place_) <= BRUSH,
      );

    /** Paints from one place to another with a round brush, on the picture that is shown. */
    function dab([x0, y0], [x1, y1]) {
      const { picture } = state();
      drawing = pixelsOf(picture).slice();
      const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0)));
      for (let k = 0; k <= steps; k++) {
        const [x, y] = [x0 + ((x1 - x0) * k) / steps, y0 + ((y1 - y0) * k) / steps];
        for (const row of within(y)) {
          for (const column of within(x)) {
            if ((row - y) ** 2 + (column - x) ** 2 > BRUSH ** 2) continue;
            drawing.set(PAINTS[paint], 3 * (row * MATCHING_SIDE + column));
          }
        }
      }
      showDrawing(picture);
    }

    function blank() {
      drawing = new Uint8Array(drawing.length).fill(255);
      showDrawing(state().picture);
    }

    function showDrawing(before) {
      showPixels(board, drawing); // at once; the numbers follow
      if (before === DRAWN) redraw();
      else set({ picture: DRAWN });
    }

    const paints = Object.entries(PAINTS).map(([name, color]) => {
      const button = h("button", {
        type: "button",
        class: "cld-paint",
        "aria-label": name,
        title: name,
        "aria-pressed": String(name === paint),
        onclick: () => {
          paint = name;
          paints.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
        },
      });
      button.style.backgroundColor = `rgb(${color.join(" ")})`;
      return button;
    });
    const about = h("p", { class: "cld-hint" });

    const labels = h("textarea", {
      class: "cld-text",
      rows: "2",
      maxlength: "300",
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => set({ labels: labels.value }),
    });
    const templates = h("textarea", {
      class: "cld-text",
      rows: "2",
      maxlength: "200",
      spellcheck: "false",
      autocomplete: "off",
      oninput: () => set({ templates: templates.value }),
    });
    const bars = h("ol", { class: "cld-bars", "aria-label": "Labels, the most probable first" });

    body.append(
      h("div", { class: "cld-picks", role: "radiogroup", "aria-label": "Pictures" }, choices),
      h(
        "p",
        { class: "cld-hint" },
        "Training had eight other art styles, and in none of " + "them what has a dashed edge.",
      ),
      h(
        "div",
        { class: "cld-sides" },
        h(
          "div",
          { class: "cld-easel" },
          h("div", { class: "cld-stand" }, board, ring),
          about,
          h("p", {}, "Draw on it:"),
          h("div", { class: "cld-paints", role: "group", "aria-label": "Draw on it" }, paints),
          h(
            "div",
            {},
            h(
              "button",
              {
                type: "button",
                class: "cld-button",
                onclick: blank,
              },
              "White paper",
            ),
          ),
        ),
        h(
          "div",
          { class: "cld-words" },
          h(
            "label",
            { class: "cld-label" },
            `Labels, at most ${LABELS}, with commas between`,
            labels,
          ),
          h(
            "label",
            { class: "cld-label" },
            "Templates, one a line; the label stands in {}",
            templates,
          ),
          bars,
        ),
      ),
      matcher.credit(),
    );

    /** One bar for each place in the list of labels; they are kept, so that they can move. */
    const rows = Array.from({ length: LABELS }, (_, i) => {
      const [name, fill, share, cosine] = ["cld-name", "cld-fill", "cld-share", "cld-cosine"].map(
        (class_) => h("span", { class: `${class_} cld-number` }),
      );
      const speak = (on) => {
        at = on ? i : undefined;
        tell();
      };
      const button = h(
        "button",
        {
          type: "button",
          class: "cld-bar",
          onclick: () => speak(true),
          ...watched(speak),
        },
        name,
        h("span", { class: "cld-track" }, fill),
        share,
        cosine,
      );
      return { item: h("li", {}, button), button, name, fill, share, cosine };
    });

    /** Puts the bars in order; unless the reader wants no motion, each glides to its place. */
    function arrange(order) {
      const items = order.map(({ index }) => rows[index].item);
      const now = [...bars.children];
      if (items.length === now.length && items.every((item, i) => item === now[i])) return;
      const before = new Map(now.map((item) => [item, item.getBoundingClientRect().top]));
      const focused = document.activeElement;
      bars.replaceChildren(...items);
      if (items.some((item) => item.contains(focused))) focused.focus({ preventScroll: true });
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      for (const item of items) {
        const by = before.get(item) - item.getBoundingClientRect().top;
        const glide = { transform: [`translateY(${by}px)`, "none"] };
        if (by) item.animate(glide, { duration: 250, easing: "ease-out" });
      }
    }

    const shown = (picture) =>
      picture === DRAWN ? "Your drawing" : `The picture of “${matcher.names[picture].caption}”`;

    function tell() {
      const picture = shown(state().picture);
      if (!found.length) {
        say(["There is nothing to choose from.", ...notes].join(" "));
        return;
      }
      const [first, second] = found;
      const one = found.find(({ index }) => index === at);
      if (one && one !== first) {
        const below = (first.cosine - one.cosine).toFixed(2);
        say(
          `“${one.label}”: ${percent(one.share)}. Its cosine with the picture, ` +
            `${signed(one.cosine)}, is ${below} below that of “${first.label}”.`,
        );
        return;
      }
      say(
        [
          `${picture}: “${first.label}” ${percent(first.share)}, cosine ${signed(first.cosine)}` +
            (second
              ? `; then “${second.label}” ${percent(second.share)}, ` +
                `cosine ${signed(second.cosine)}.`
              : "."),
          ...notes,
        ].join(" "),
      );
    }

    return {
      async draw(asked) {
        const { picture } = asked;
        if (labels.value !== asked.labels) labels.value = asked.labels;
        if (templates.value !== asked.templates) templates.value = asked.templates;
        const names = split(asked.labels, /[,\n]/);
        const lines = split(asked.templates, "\n");
        const usable = lines.filter((line) => line.includes("{}"));
        const [used, forms] = [names.slice(0, LABELS), usable.slice(0, TEMPLATES)];
        notes = [];
        if (names.length > LABELS) notes.push(`Only the first ${LABELS} labels take part.`);
        if (usable.length > TEMPLATES)
          notes.push(`Only the first ${TEMPLATES} templates take part.`);
        if (usable.length < lines.length) {
          const odd = lines.find((line) => !line.includes("{}"));
          notes.push(`“${odd}” is left out: it has no {} for the label.`);
        }
        if (!used.length) notes.push("Give at least one label.");
        if (!forms.length) notes.push("Give at least one template; {} is the label alone.");

        showPixels(board, pixelsOf(picture));
        choices.forEach((one, i) => {
          one.setAttribute("aria-checked", String(i === picture));
          one.tabIndex = i === Math.max(picture, 0) ? 0 : -1;
        });
        const { caption, learned } = matcher.names[picture] ?? {};
        about.textContent =
          picture === DRAWN
            ? "Yours. A link does not carry it."
            : `${caption}${learned ? "" : ", not in training"}`;

        found = [];
        if (used.length && forms.length) {
          const filled = used.flatMap((name) =>
            forms.map((form) => form.replaceAll("{}", () => name)),
          );
          const [texts, vector] = await Promise.all([matcher.texts(filled), vectorOf(picture)]);
          const { share, cosine, length } = await ask.run("zero_shot", {
            texts: tensor("float32", [used.length, forms.length, matcher.width], texts),
            image: tensor("float32", [1, matcher.width], vector),
          });
          found = used
            .map((label, index) => ({
              label,
              index,
              share: share.data[index],
              cosine: cosine.data[index],
              length: length.data[index],
            }))
            .sort((a, b) => b.cosine - a.cosine);
        }
        found.forEach(({ index, label, share, cosine }, i) => {
          const row = rows[index];
          row.name.textContent = label;
          row.fill.style.width = `${100 * share}%`;
          row.share.textContent = percent(share);
          row.cosine.textContent = `cos ${signed(cosine)}`;
          row.button.setAttribute(
            "aria-label",
            `${i + 1}: ${label}, ${percent(share)}, cosine ${signed(cosine)}`,
          );
        });
        arrange(found);
        tell();
      },
      table: () => ({
        caption:
          `${shown(state().picture)} among ${count(found.length, "label")}. The length is that ` +
          "of the mean over the templates, before it was brought back to 1.",
        columns: ["label", "share", "cosine", "length of the mean"],
        rows: found.map(({ label, share, cosine, length }) => [
          label,
          share.toFixed(4),
          signed(cosine, 3),
          length.toFixed(3),
        ]),
      }),
    };
  },
});
