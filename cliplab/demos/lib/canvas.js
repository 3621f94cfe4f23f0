// @ts-check
// What is drawn on a canvas: pictures, and fields of numbers.

/** @import { Place } from "./types.js" */

const BLUE = "rgb(42, 125, 190)";
const ORANGE = "rgb(214, 110, 30)";

/**
 * The pen of a canvas, which every browser has that runs modules.
 *
 * @param {HTMLCanvasElement} canvas
 */
export const penOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/**
 * Puts a square picture on a canvas: pixels [side · side · 3], red, green, blue.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} pixels
 */
export function showPixels(canvas, pixels) {
  const side = Math.sqrt(pixels.length / 3);
  const image = new ImageData(side, side);
  image.data.fill(255);
  for (let i = 0; i < pixels.length; i++) image.data[i + Math.floor(i / 3)] = pixels[i];
  canvas.width = canvas.height = side;
  penOf(canvas).putImageData(image, 0, 0);
}

/**
 * How full the color of a share is: even in its square root, so that small shares still differ.
 *
 * @param {number} share  from 0 to 1
 */
export const fullness = (share) => Math.sqrt(share);

/**
 * Draws numbers as a field of squares: the fuller the color, the larger; hatched where `blocked`.
 *
 * value(row, column) is between −1 and 1: blue above 0, orange below. The empty color is the page's
 * own, so that one drawing reads in both themes.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{
 *   rows: number,
 *   columns: number,
 *   value: (row: number, column: number) => number,
 *   blocked?: (row: number, column: number) => boolean,
 *   side?: number,
 *   mark?: Place | false,
 * }} field  side of a square in pixels of the page; mark: the square that is chosen
 */
export function heatmap(canvas, { rows, columns, value, blocked = () => false, side = 6, mark }) {
  const unit = 2 * side; // sharp on dense screens, and when it is recorded
  canvas.width = columns * unit;
  canvas.height = rows * unit;
  const pen = penOf(canvas);
  const hidden = new Path2D(); // all that is hatched, filled at once: line by line takes too long
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = column;
      if (blocked(row, column)) {
        while (column + 1 < columns && blocked(row, column + 1)) column++;
        hidden.rect(first * unit, row * unit, (column + 1 - first) * unit, unit);
      } else {
        const number = value(row, column);
        pen.fillStyle = number < 0 ? ORANGE : BLUE;
        pen.globalAlpha = Math.min(Math.max(Math.abs(number), 0.03), 1);
        pen.fillRect(column * unit, row * unit, unit - 1, unit - 1);
      }
    }
  }
  pen.globalAlpha = 1;
  pen.fillStyle = hatching(pen, unit);
  pen.fill(hidden);
  if (mark) {
    pen.strokeStyle = ORANGE;
    pen.lineWidth = 3;
    pen.strokeRect(mark[1] * unit - 1, mark[0] * unit - 1, unit + 1, unit + 1);
  }
}

/**
 * A slanted line in each square.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {number} unit
 */
function hatching(pen, unit) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = unit;
  const hatch = penOf(tile);
  hatch.strokeStyle = "rgba(128, 128, 128, .55)";
  hatch.lineWidth = 1.4;
  hatch.moveTo(1, unit - 1);
  hatch.lineTo(unit - 1, 1);
  hatch.stroke();
  return /** @type {CanvasPattern} */ (pen.createPattern(tile, "repeat"));
}
