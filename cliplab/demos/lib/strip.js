// @ts-check
// A strip of buttons that is wider than its demo and scrolls sideways.

/**
 * Moves the strip until a button in it is in sight; the page stays, which scrollIntoView would move.
 *
 * @param {HTMLElement} button
 */
export function bringIntoSight(button) {
  requestAnimationFrame(() => {
    // The first time, the demo has been drawn and comes onto the page before the next frame.
    const { parentElement: strip, offsetLeft, offsetWidth } = button;
    if (!strip) return;
    const [right, left] = [offsetLeft, offsetLeft + offsetWidth - strip.clientWidth];
    strip.scrollLeft = Math.max(left, Math.min(right, strip.scrollLeft));
  });
}
