// @ts-check
// What is shown of the open station: what happens there, what it computed, where it leads to.

import { h } from "../lib/elements.js";
import { attentionStation } from "./attention.js";
import { stationLinks } from "./links.js";
import { pictureStation } from "./picture.js";
import { rowsStation } from "./rows.js";
import { slotsStation } from "./slots.js";
import { stepsStation } from "./steps.js";
import { tokensStation } from "./tokens.js";
import { weightsStation } from "./weights.js";

/** @import { Acts, Drawn, Trip, Way } from "./types.js" */

const STATIONS = [
  tokensStation,
  slotsStation,
  rowsStation,
  attentionStation,
  weightsStation,
  stepsStation,
  pictureStation,
];
export const NAMES = STATIONS.map(({ name }) => name);
const PATIENCE = 250; // milliseconds, before a reader is told to wait

/**
 * @param {Acts} acts
 * @param {(sentence: string) => void} say
 * @param {string | undefined} site   where the site begins
 */
export function createPanel(acts, say, site) {
  const views = STATIONS.map((station) => station.create(acts));
  const about = h("p", {});
  const part = h("div", {});
  const rest = h("p", { class: "cld-hint" });
  const links = h("p", { class: "cld-trip-links" });
  const element = h(
    "div",
    { class: "cld-trip-panel", role: "tabpanel", tabindex: "0" },
    about,
    part,
    rest,
    links,
  );
  let open = -1;
  return {
    element,
    /**
     * The text comes at once; the numbers when they are computed.
     *
     * @param {Trip} trip
     * @param {Way} way
     * @returns {Promise<Drawn>}
     */
    async draw(trip, way) {
      const number = NAMES.indexOf(trip.state.station);
      const station = STATIONS[number];
      if (number !== open) {
        open = number;
        about.textContent = station.about;
        part.replaceChildren(views[number].element);
        element.setAttribute(
          "aria-label",
          `Station ${number + 1} of ${NAMES.length}: ${station.name}`,
        );
      }
      const lines = trip.read.tokens.length + 2; // BOS and EOS among them
      rest.hidden = !station.isByRow || lines <= trip.shown;
      rest.textContent = `The first ${trip.shown} of ${lines} rows, without the padding, are shown.`;
      links.replaceChildren(...stationLinks(station, trip, site));
      const waiting = setTimeout(() => {
        element.toggleAttribute("data-waiting", true);
        say("Fetching what computes this …");
      }, PATIENCE);
      try {
        return await views[number].draw(trip, way);
      } finally {
        clearTimeout(waiting);
        element.toggleAttribute("data-waiting", false);
      }
    },
  };
}
