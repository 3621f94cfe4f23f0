// How a field of numbers is explored by keys and pointer.

/**
 * Makes an element a field with a place in it: arrow keys and clicks go `to` another, hovering and
 * focus are told `over(true, place)`, without a place where that is the one gone to.
 */
export function steer(element, { label, where, from, to, over }) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    Home: [0, -Infinity], End: [0, Infinity] };
  element.tabIndex = 0;
  element.setAttribute("role", "application");
  element.setAttribute("aria-label", `${label}. Use the arrow keys.`);
  element.addEventListener("keydown", (event) => {
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    over(true);
    to(from().map((one, axis) => one + steps[event.key][axis]));
  });
  element.addEventListener("click", (event) => {
    const place = where(event);
    if (place) to(place);
  });
  element.addEventListener("pointermove", (event) => {
    const place = event.pointerType === "mouse" && where(event);
    if (place) over(true, place);
  });
  element.addEventListener("pointerleave", () => over(false));
  element.addEventListener("focus", () => over(true));
  element.addEventListener("blur", () => over(false));
}
