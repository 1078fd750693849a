// Lines of equal height through a grid, by marching squares.
import type { Landscape } from "./landscape.ts";
import type { Palette } from "./palette.ts";
import type { View } from "./view.ts";

/** For each corner pattern of a cell, pairs of edges that a line joins: 0 top, 1 right, 2 bottom, 3 left. */
const JOINED = [
  [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
  [2, 3], [0, 2], [0, 1, 2, 3], [1, 2], [1, 3], [0, 1], [3, 0], [],
]; // biome-ignore format: a table

/** Draw the lines between the bands of a landscape. */
export function drawContours(ink: CanvasRenderingContext2D, land: Landscape, view: View, palette: Palette): void {
  const lines = new Path2D();
  for (let k = 1; k < land.bands; k++) contour(lines, land, k / land.bands, view.width, view.height);
  ink.strokeStyle = palette.line;
  ink.lineWidth = 1;
  ink.stroke(lines);
}

/** Add the line at one level to a path, on a figure of so many pixels. */
function contour(path: Path2D, land: Landscape, level: number, width: number, height: number): void {
  const { share, columns, rows } = land;
  const [sx, sy] = [width / (columns - 1), height / (rows - 1)];
  for (let j = 0; j < rows - 1; j++) {
    for (let i = 0; i < columns - 1; i++) {
      const k = j * columns + i;
      const [a, b, c, d] = [share[k]!, share[k + 1]!, share[k + columns + 1]!, share[k + columns]!];
      const pattern = (a > level ? 1 : 0) | (b > level ? 2 : 0) | (c > level ? 4 : 0) | (d > level ? 8 : 0);
      if (pattern === 0 || pattern === 15 || Number.isNaN(a + b + c + d)) continue;
      const edges = JOINED[pattern]!;
      for (let e = 0; e < edges.length; e++) {
        const edge = edges[e]!;
        const x = edge === 1 ? i + 1 : edge === 3 ? i : i + (edge ? (level - d) / (c - d) : (level - a) / (b - a));
        const y =
          edge === 0 ? j : edge === 2 ? j + 1 : j + (edge === 1 ? (level - b) / (c - b) : (level - a) / (d - a));
        if (e % 2) path.lineTo(x * sx, y * sy);
        else path.moveTo(x * sx, y * sy);
      }
    }
  }
}
