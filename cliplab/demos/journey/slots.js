// @ts-check
// Station 2: the 77 slots, what stands in them, and what finds none.

import { h } from "../lib/elements.js";
import { count } from "../lib/wording.js";
import { nothingFollowed, spanOf } from "./trip.js";

/** @import { Drawn, Station, Trip } from "./types.js" */

/** @type {Station} */
export const slotsStation = {
  name: "slots",
  about:
    "The encoder reads a fixed number of ids, however long the prompt is. BOS marks the start, " +
    "EOS the end after the last token, and padding fills the slots that are left.",
  chapter: "06_masks",
  closeUps: [
    {
      demo: "slots",
      shows: "the slots under three masks",
      state: ({ plain }) => ({ prompt: plain }),
    },
  ],
  create() {
    const strip = h("div", { class: "cld-trip-slots" });
    return {
      element: h("div", { class: "cld-trip-part" }, strip),
      draw(trip) {
        strip.replaceChildren(...trip.names.map((_, slot) => slotCell(trip, slot)));
        return drawnSlots(trip);
      },
    };
  },
};

/**
 * A slot with its token and id; of padding the number alone.
 *
 * @param {Trip} trip
 * @param {number} slot
 */
function slotCell({ names, read, own }, slot) {
  const isPadding = slot > read.tokens.length + 1;
  return h(
    "span",
    {
      class: isPadding ? "cld-trip-slot cld-trip-pad" : "cld-trip-slot",
      "data-own": own.includes(slot),
    },
    h("small", {}, String(slot)),
    !isPadding && [h("span", {}, names[slot]), h("small", {}, `id ${read.ids[slot]}`)],
  );
}

/**
 * @param {Trip} trip
 * @returns {Drawn}
 */
function drawnSlots(trip) {
  const { names, own, read, word } = trip;
  const used = read.tokens.length + 2;
  const rest = names.length - used;
  const filled = rest
    ? `padding, which repeats the id of EOS, fills the other ${rest}`
    : "none is left for padding";
  const lost = read.lost ? ` ${count(read.lost, "token")} found no slot.` : "";
  const said = nothingFollowed(trip) ?? `“${word?.text}” stands in ${spanOf("slot", own)}.`;
  return {
    sentence:
      `${said} With BOS and EOS the prompt takes ${used} of the ${names.length} slots; ` +
      `${filled}.${lost}`,
    table: {
      caption: "What stands in each slot",
      columns: ["slot", "token", "id"],
      rows: names.map((name, slot) => [slot, name, read.ids[slot]]),
    },
  };
}
