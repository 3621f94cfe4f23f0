// @ts-check
// Where a station leads to: its chapter, and the demos that show it from nearby, which open with the
// prompt of the journey. In a notebook they are named, with the line that shows them.

import { h } from "../lib/elements.js";
import { stateAddress } from "../lib/link.js";

/** @import { CloseUp, Station, Trip } from "./types.js" */

/**
 * @param {Station} station
 * @param {Trip} trip
 * @param {string | undefined} site   where the site begins
 */
export function stationLinks({ chapter, closeUps }, trip, site) {
  const number = `Chapter ${parseInt(chapter, 10)}`;
  return [
    h(
      "span",
      {},
      "Read on: ",
      site ? h("a", { href: `${site}chapters/${chapter}.html` }, number) : number,
    ),
    ...closeUps.map((one) => h("span", {}, "Close-up: ", closeUpLink(one, trip, site))),
  ];
}

/**
 * @param {CloseUp} closeUp
 * @param {Trip} trip
 * @param {string | undefined} site
 */
function closeUpLink({ demo, shows, state }, trip, site) {
  const wanted = state(trip);
  if (site)
    return h("a", { href: stateAddress(`${site}book/playground.html`, demo, wanted) }, shows);
  const given = Object.entries(wanted).map(([name, value]) => `, ${name}=${JSON.stringify(value)}`);
  return [shows, " ", h("code", {}, `cliplab.demo("${demo}"${given.join("")})`)];
}
