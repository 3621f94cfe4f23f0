// @ts-check
// What a demo draws, as a table: for those who do not see the drawing, and for exact numbers.

import { h } from "./elements.js";

/** @import { Table } from "./types.js" */

/**
 * A table that is closed at first, and written anew by `fill` while it is open.
 *
 * @param {() => Table | undefined} content  undefined while nothing is drawn
 */
export function tableView(content) {
  const summary = h("summary", {}, "As a table");
  const view = h("details", { class: "cld-table", ontoggle: () => fill() }, summary);
  function fill() {
    const table = view.open && content();
    if (table) view.replaceChildren(summary, scrollingTable(table));
  }
  return { view, fill };
}

/** @param {Table} table */
function scrollingTable({ caption, columns, rows }) {
  const cell = (/** @type {string | number} */ value, /** @type {number} */ i) =>
    i ? h("td", {}, String(value)) : h("th", { scope: "row" }, String(value));
  const head = columns.map((name) => h("th", { scope: "col" }, String(name)));
  const body = rows.map((row) => h("tr", {}, row.map(cell)));
  return h(
    "div",
    { class: "cld-scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, body),
    ),
  );
}
