// Paths on a figure: lines with a rim, dots at the steps, a ball at the step shown, arrows.
import { DASHES, type Palette } from "./palette.ts";
import { type Arrow, type Path, rowAt, type Scene, type ShownRun } from "./scene.ts";
import type { View } from "./view.ts";

/** Where a row of a run is on the figure. */
export type Place = (run: ShownRun<Path>, row: number) => readonly [number, number];

/** Where the rows of runs fall on a map. */
export function onMap(view: View, [first, second]: Scene["axes"]): Place {
  return ({ run }, row) => [
    view.across(run.x[row * run.dimension + first]!),
    view.down(run.x[row * run.dimension + second]!),
  ];
}

export function drawPaths(ink: CanvasRenderingContext2D, scene: Scene, place: Place, joined = true): void {
  // The rule looked at comes last, on top.
  const order = [...scene.runs].sort((a, b) => Number(a.entry === scene.active) - Number(b.entry === scene.active));
  ink.lineJoin = ink.lineCap = "round";
  for (const shown of order) {
    const row = rowAt(shown.run, scene.at);
    const strong = scene.runs.length < 13 || shown.start === scene.activeStart;
    const colour = scene.palette.runs[shown.look]!;
    if (joined) {
      if (row < shown.run.count) stroke(ink, line(shown, row, shown.run.count, place), colour, 1.2, 0.35, []);
      const done = line(shown, 0, row, place);
      if (strong) stroke(ink, done, scene.palette.rim, 4.4, 0.7, []);
      stroke(ink, done, colour, strong ? 2.2 : 1.4, strong ? 1 : 0.7, DASHES[shown.look]!);
    }
    if (strong) dots(ink, shown, row, place, colour, joined ? 7 : 0);
  }
  for (const shown of order) ball(ink, place(shown, rowAt(shown.run, scene.at)), scene, shown);
}

export function line(shown: ShownRun<Path>, from: number, to: number, place: Place): Path2D {
  const path = new Path2D();
  // Lines far outside would be clipped by the canvas at a cost, and past its limits wrongly.
  for (let row = from; row <= to; row++) {
    const [x, y] = place(shown, row);
    if (Math.abs(x) < 1e5 && Math.abs(y) < 1e5) path.lineTo(x, y);
  }
  return path;
}

export function stroke(
  ink: CanvasRenderingContext2D,
  path: Path2D,
  colour: string,
  width: number,
  opacity: number,
  dashes: readonly number[],
): void {
  ink.globalAlpha = opacity;
  ink.strokeStyle = colour;
  ink.lineWidth = width;
  ink.setLineDash(dashes as number[]);
  ink.stroke(path);
  ink.setLineDash([]);
  ink.globalAlpha = 1;
}

/** A dot at each step that is so many pixels from the last dot. */
function dots(
  ink: CanvasRenderingContext2D,
  shown: ShownRun,
  last: number,
  place: Place,
  colour: string,
  apart: number,
): void {
  let [x, y] = place(shown, 0);
  ink.fillStyle = colour;
  ink.beginPath();
  for (let row = 1; row <= last; row++) {
    const [across, down] = place(shown, row);
    if (Math.abs(across - x) + Math.abs(down - y) < apart) continue;
    ink.moveTo(across + 2.4, down);
    ink.arc(across, down, 2.4, 0, 7);
    [x, y] = [across, down];
  }
  ink.fill();
}

function ball(
  ink: CanvasRenderingContext2D,
  [x, y]: readonly [number, number],
  { palette, active }: Scene,
  shown: ShownRun,
): void {
  ink.beginPath();
  ink.arc(x, y, shown.entry === active ? 5.5 : 4.5, 0, 7);
  ink.fillStyle = palette.runs[shown.look]!;
  ink.fill();
  ink.strokeStyle = palette.rim;
  ink.lineWidth = 1.5;
  ink.stroke();
}

/** A star with its middle at a pixel. */
export function star(ink: CanvasRenderingContext2D, x: number, y: number, palette: Palette): void {
  ink.beginPath();
  for (let k = 0; k < 10; k++) {
    const [angle, radius] = [(k * Math.PI) / 5 - Math.PI / 2, k % 2 ? 3.2 : 7.5];
    ink.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  ink.closePath();
  ink.fillStyle = palette.ground;
  ink.strokeStyle = palette.ink;
  ink.lineWidth = 1.2;
  ink.fill();
  ink.stroke();
}

export function drawArrows(
  ink: CanvasRenderingContext2D,
  view: View,
  arrows: readonly Arrow[],
  palette: Palette,
): void {
  for (const { kind, from, to } of arrows) {
    const [x0, y0, x1, y1] = [view.across(from[0]), view.down(from[1]), view.across(to[0]), view.down(to[1])];
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (!(length > 3) || !(length < 1e5)) continue;
    const [u, v] = [(x1 - x0) / length, (y1 - y0) / length];
    const head = Math.min(11, length / 2);
    const shaft = new Path2D();
    shaft.moveTo(x0, y0);
    shaft.lineTo(x1 - u * head * 0.7, y1 - v * head * 0.7);
    const tip = new Path2D();
    tip.moveTo(x1, y1);
    tip.lineTo(x1 - head * (u + 0.45 * v), y1 - head * (v - 0.45 * u));
    tip.lineTo(x1 - head * (u - 0.45 * v), y1 - head * (v + 0.45 * u));
    tip.closePath();
    stroke(ink, shaft, palette.rim, 6.5, 0.9, []);
    stroke(ink, tip, palette.rim, 3.5, 0.9, []);
    const colour = palette.arrows[kind];
    stroke(ink, shaft, colour, 3, 1, kind === "memory" ? [5, 4] : []);
    ink.fillStyle = colour;
    ink.fill(tip);
  }
}
