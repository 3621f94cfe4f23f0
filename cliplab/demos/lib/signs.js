// @ts-check
// Signs on a picture, as large as a share of attention: a disc for the word that is looked at, a
// hatched square for one that is held beside it. Each has a light and a dark edge, so that it shows
// on any picture.

import { penOf } from "./canvas.js";

/**
 * Draws a sign around a point, in pixels of the page.
 *
 * @typedef {(pen: CanvasRenderingContext2D, x: number, y: number, size: number) => void} Sign
 */

export const SIGN_CELL = 40; // of a place on the canvas
const DISC = { fill: "rgba(38, 116, 190, .78)", line: "rgb(12, 58, 104)" };
const SQUARE = { fill: "rgb(226, 114, 20)", line: "rgb(140, 62, 0)" };

/**
 * The picture, enlarged, with signs at each of its side · side places.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} plain   the picture itself
 * @param {number} side
 * @param {{ sign: Sign, part: (place: number) => number }[]} layers   part: 0 … 1, how large
 */
export function drawSigns(canvas, plain, side, layers) {
  const scale = Math.ceil(devicePixelRatio); // sharp on dense screens
  canvas.width = canvas.height = side * SIGN_CELL * scale;
  const pen = penOf(canvas);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(plain, 0, 0, canvas.width, canvas.height);
  pen.scale(scale, scale);
  for (let place = 0; place < side ** 2; place++) {
    const [row, column] = [Math.floor(place / side), place % side];
    layers
      .map(({ sign, part }) => ({ sign, size: (0.12 + 0.76 * part(place)) * SIGN_CELL }))
      .sort((a, b) => b.size - a.size) // the smaller one above
      .forEach(({ sign, size }) =>
        sign(pen, (column + 0.5) * SIGN_CELL, (row + 0.5) * SIGN_CELL, size),
      );
  }
}

/** @type {Sign} */
export function drawDisc(pen, x, y, size) {
  pen.beginPath();
  pen.arc(x, y, size / 2, 0, 2 * Math.PI);
  pen.fillStyle = DISC.fill;
  pen.fill();
  drawEdge(pen, ["#fff", 3], [DISC.line, 1.2], () => pen.stroke());
}

/** @type {Sign} */
export function drawSquare(pen, x, y, size) {
  const [left, top] = [x - size / 2, y - size / 2];
  pen.save();
  pen.beginPath();
  pen.rect(left, top, size, size);
  pen.fillStyle = "rgba(255, 255, 255, .45)";
  pen.fill();
  pen.clip();
  pen.beginPath();
  for (let d = -size; d < size; d += 6) {
    pen.moveTo(left + d, top + size);
    pen.lineTo(left + d + size, top);
  }
  pen.strokeStyle = SQUARE.fill;
  pen.lineWidth = 2;
  pen.stroke();
  pen.restore();
  drawEdge(pen, ["#fff", 4], [SQUARE.line, 1.8], () => pen.strokeRect(left, top, size, size));
}

/**
 * A light line, and a dark one inside it.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {[color: string, width: number]} light
 * @param {[color: string, width: number]} dark
 * @param {() => void} stroke
 */
export function drawEdge(pen, light, dark, stroke) {
  for (const [color, width] of [light, dark]) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    stroke();
  }
}
