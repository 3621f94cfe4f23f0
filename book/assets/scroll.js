// @ts-check
// What is wider than its column scrolls inside itself. Keyboard users can scroll only what they can
// focus, so such an element becomes a tab stop while it overflows.
const WIDE =
  "mjx-container[display=true], .pst-scrollable-table-container, div.highlight pre, " +
  ".cliplab-scroll";

function markScrollable() {
  /** @type {NodeListOf<HTMLElement>} */
  const wide = document.querySelectorAll(WIDE);
  for (const element of wide)
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
}

window.addEventListener("load", async () => {
  await /** @type {any} */ (window).MathJax?.startup?.promise;
  new ResizeObserver(markScrollable).observe(document.body);
});
