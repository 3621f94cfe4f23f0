// @ts-check
// A table of class "sortable": each head becomes a button that sorts by its column, up, then down,
// then as the table was. Without this script the table is whole, and its heads are text.
/** @type {Record<string, string>} the state after each press */
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
const byNumbersToo = new Intl.Collator("en", { numeric: true });

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const body = table.tBodies[0];
  const asItWas = [...body.rows];
  const heads = [.../** @type {HTMLTableRowElement} */ (table.tHead?.rows[0]).cells];

  /** @param {number} column @param {string} direction */
  function sort(column, direction) {
    /** @param {HTMLTableRowElement} row */
    const text = (row) => /** @type {string} */ (row.cells[column].textContent);
    const rows = [...asItWas];
    const sign = direction === "descending" ? -1 : 1;
    if (direction !== "none") rows.sort((a, b) => sign * byNumbersToo.compare(text(a), text(b)));
    body.append(...rows);
    for (const head of heads) head.removeAttribute("aria-sort");
    if (direction !== "none") heads[column].setAttribute("aria-sort", direction);
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () =>
      sort(column, NEXT[head.getAttribute("aria-sort") ?? "none"]),
    );
    head.append(button);
  });
}

/** @type {NodeListOf<HTMLTableElement>} */
const sortable = document.querySelectorAll("table.sortable");
sortable.forEach(makeSortable);
