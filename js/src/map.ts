// The contour map of a function of two coordinates, and the paths on it.
import { drawAxes } from "./axes.ts";
import { type BasinMap, basinPicture } from "./basins.ts";
import { drawContours } from "./contour.ts";
import type { Landscape } from "./landscape.ts";
import type { Palette } from "./palette.ts";
import { drawArrows, drawPaths, onMap, star } from "./paths.ts";
import { paintRelief } from "./relief.ts";
import type { Scene } from "./scene.ts";
import type { View } from "./view.ts";

/** Draw what does not change while runs do. */
export function drawGround(
  canvas: HTMLCanvasElement,
  land: Landscape,
  view: View,
  scene: Scene,
  basins: BasinMap | null,
): void {
  paintRelief(canvas, land, scene.palette);
  const ink = canvas.getContext("2d")!;
  const scale = canvas.width / view.width;
  ink.setTransform(scale, 0, 0, scale, 0, 0);
  if (basins) drawBasins(ink, view, basins, scene.palette);
  drawContours(ink, land, view, scene.palette);
  drawAxes(ink, view, scene.palette, [scene.names[scene.axes[0]]!, scene.names[scene.axes[1]]!]);
  for (const point of basins?.minima ?? scene.minima)
    star(ink, view.across(point[scene.axes[0]]!), view.down(point[scene.axes[1]]!), scene.palette);
}

/** The basins over the ground: each start in the colour of the minimum in which it ends. */
function drawBasins(ink: CanvasRenderingContext2D, view: View, basins: BasinMap, palette: Palette): void {
  const [left, right, bottom, top] = basins.box;
  const [x, y] = [view.across(left), view.down(top)];
  ink.globalAlpha = palette.dark ? 0.75 : 0.8;
  ink.imageSmoothingEnabled = basins.side > 128;
  ink.drawImage(basinPicture(basins, palette), x, y, view.across(right) - x, view.down(bottom) - y);
  ink.globalAlpha = 1;
}

/** Draw the runs over the ground. */
export function drawMap(ink: CanvasRenderingContext2D, view: View, scene: Scene): void {
  drawPaths(ink, scene, onMap(view, scene.axes));
  drawArrows(ink, view, scene.arrows, scene.palette);
}
