// The rate map as a picture: how the run of each cell ended, the axes, the setting that a rule has, the theory's limit.
import { FONT } from "./axes.ts";
import { outcomes } from "./generated.ts";
import type { MapAxis } from "./map_axis.ts";
import { clamp, typed } from "./numbers.ts";
import { numbersOf, type Palette, ramp } from "./palette.ts";
import type { Axes, Cells } from "./rate_cells.ts";

/** The room for the ticks. */
const [LEFT, BOTTOM] = [60, 34];

/** Places on the map, 0 to 1 across and up. */
type Place = readonly [number, number];

export interface RatePicture {
  readonly axes: Axes;
  readonly cells: Cells | null;
  /** Where the present setting lies. */
  readonly here: Place;
  /** The line of the theory's limit. */
  readonly limit: readonly Place[];
}

/** The place at a point of a canvas. */
export function placeAt(canvas: HTMLCanvasElement, x: number, y: number): Place {
  const { width, height, left, top } = canvas.getBoundingClientRect();
  return [(x - left - LEFT) / (width - LEFT), 1 - (y - top) / (height - BOTTOM)];
}

export function drawRates(
  canvas: HTMLCanvasElement,
  { axes, cells, here, limit }: RatePicture,
  palette: Palette,
): void {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const ink = canvas.getContext("2d")!;
  ink.scale(devicePixelRatio, devicePixelRatio);
  const [w, h] = [width - LEFT, height - BOTTOM];
  if (cells) {
    ink.imageSmoothingEnabled = false;
    ink.drawImage(cellPicture(cells, palette), LEFT, 0, w, h);
  }
  ink.font = FONT;
  ink.fillStyle = palette.faint;
  drawAcross(ink, axes[0], w, h);
  if (axes[1]) drawUp(ink, axes[1], h);
  const at = ([across, up]: Place): [number, number] => [LEFT + across * w, (1 - up) * h];
  ink.save();
  ink.beginPath();
  ink.rect(LEFT, 0, w, h);
  ink.clip();
  drawLimit(ink, limit.map(at), palette);
  ink.restore();
  const [x, y] = at(here);
  if (Number.isFinite(x + y)) drawHere(ink, clamp(x, LEFT, LEFT + w), clamp(y, 0, h), palette);
}

function drawAcross(ink: CanvasRenderingContext2D, axis: MapAxis, w: number, h: number): void {
  ink.textAlign = "center";
  for (const way of [0.02, 0.26, 0.5, 0.74, 0.98])
    ink.fillText(typed(axis.value(way), 2), LEFT + clamp(way, 0.05, 0.94) * w, h + 14);
  ink.fillText(`${axis.symbol} ${axis.words}`, LEFT + w / 2, h + 29);
}

function drawUp(ink: CanvasRenderingContext2D, axis: MapAxis, h: number): void {
  ink.textAlign = "right";
  for (const way of [0.04, 0.35, 0.65, 0.96]) ink.fillText(typed(axis.value(way), 4), LEFT - 5, (1 - way) * h + 4);
  ink.save();
  ink.translate(9, h / 2);
  ink.rotate(-Math.PI / 2);
  ink.textAlign = "center";
  ink.fillText(`${axis.symbol} ${axis.words}`, 0, 2);
  ink.restore();
}

function drawLimit(ink: CanvasRenderingContext2D, line: readonly Place[], palette: Palette): void {
  for (const [width, colour, dashes] of [
    [4, palette.rim, []],
    [1.8, palette.ink, [5, 4]],
  ] as const) {
    ink.beginPath();
    for (const place of line) ink.lineTo(...place);
    ink.strokeStyle = colour;
    ink.lineWidth = width;
    ink.setLineDash([...dashes]);
    ink.stroke();
  }
  ink.setLineDash([]);
}

function drawHere(ink: CanvasRenderingContext2D, x: number, y: number, palette: Palette): void {
  ink.beginPath();
  ink.arc(x, y, 6, 0, 7);
  for (const [width, colour] of [
    [4, palette.rim],
    [2, palette.ink],
  ] as const) {
    ink.lineWidth = width;
    ink.strokeStyle = colour;
    ink.stroke();
  }
}

/** One pixel a cell: converged ones darker for more steps, slow ones for a higher value at the end. */
function cellPicture({ across, up, outcome, steps, value, lowest }: Cells, palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [across.length, up.length];
  const ink = canvas.getContext("2d")!;
  const image = ink.createImageData(across.length, up.length);
  const names = Object.keys(outcomes);
  const shades = {
    converged: shadesOf(palette.outcomes.converged, outcome, names.indexOf("converged"), (cell) => steps[cell]!),
    slow: shadesOf(palette.outcomes.slow, outcome, names.indexOf("slow"), (cell) => value[cell]! - value[lowest]!),
  };
  for (const [cell, number] of outcome.entries()) {
    const name = names[number] as keyof Palette["outcomes"];
    const colour = name === "converged" || name === "slow" ? shades[name](cell) : numbersOf(palette.outcomes[name][0]!);
    const row = up.length - 1 - Math.floor(cell / across.length);
    image.data.set([...colour, 255], 4 * (row * across.length + (cell % across.length)));
  }
  ink.putImageData(image, 0, 0);
  return canvas;
}

/** The colours of the cells of an outcome: from the least to the most of something, by powers of ten. */
function shadesOf(
  colours: readonly string[],
  outcome: Uint8Array,
  number: number,
  of: (cell: number) => number,
): (cell: number) => Uint8Array {
  const stops = ramp(colours, 64);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const place = (cell: number) => Math.log10(Math.max(of(cell), Number.MIN_VALUE));
  for (const [cell, one] of outcome.entries()) {
    if (one !== number || !(of(cell) > 0)) continue;
    [low, high] = [Math.min(low, place(cell)), Math.max(high, place(cell))];
  }
  return (cell) => {
    const share = high > low ? clamp((place(cell) - low) / (high - low), 0, 1) : 0;
    const at = 3 * Math.round(63 * share);
    return stops.subarray(at, at + 3);
  };
}
