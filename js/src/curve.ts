// The curve of a function of one variable, with the points of the runs on it and the tangent.
import { drawAxes } from "./axes.ts";
import { drawPaths, type Place, star } from "./paths.ts";
import { type Path, rowAt, type Scene } from "./scene.ts";
import type { View } from "./view.ts";

/** The lowest and highest value to show between two ends. */
export function heightsOf(f: (x: number) => number, left: number, right: number): [number, number] {
  const values = Float64Array.from({ length: 400 }, (_, k) => f(left + ((right - left) * k) / 399)).filter(
    Number.isFinite,
  );
  values.sort();
  if (!values.length) return [-1, 1];
  const at = (share: number) => values[Math.round(share * (values.length - 1))]!;
  const room = 3 * (at(0.98) - at(0.02));
  const low = at(0) >= at(0.02) - room ? at(0) : at(0.02);
  const high = at(1) <= at(0.98) + room ? at(1) : at(0.98);
  const margin = (high - low) * 0.08 || 1;
  return [low - 1.6 * margin, high + margin];
}

/** Arguments:
 *   every: how many pixels apart values are computed.
 */
export function drawCurve(
  canvas: HTMLCanvasElement,
  f: (x: number) => number,
  view: View,
  scene: Scene<Path>,
  every = 0.5,
): void {
  const ink = canvas.getContext("2d")!;
  const scale = canvas.width / view.width;
  ink.setTransform(scale, 0, 0, scale, 0, 0);
  ink.fillStyle = scene.palette.dark ? "#131f2c" : "#f4f7fa";
  ink.fillRect(0, 0, view.width, view.height);
  ink.beginPath();
  let pen = false;
  for (let x = 0; x <= view.width; x += every) {
    const y = view.down(f(view.point(x, 0)[0]));
    if (Math.abs(y) < 1e5) {
      if (pen) ink.lineTo(x, y);
      else ink.moveTo(x, y);
      pen = true;
    } else pen = false;
  }
  const area = scene.palette.heights[1]!;
  ink.strokeStyle = area;
  ink.lineWidth = 3;
  ink.lineJoin = "round";
  ink.stroke();
  drawAxes(ink, view, scene.palette, [scene.names[0]!, scene.names[1] ?? `f(${scene.names[0]})`]);
  for (const [x] of scene.minima) star(ink, view.across(x!), view.down(f(x!)), scene.palette);
}

/** Draw the points of the runs, and the tangent where the run looked at is. */
export function drawDescent(ink: CanvasRenderingContext2D, view: View, scene: Scene): void {
  const place: Place = ({ run }, row) => [view.across(run.x[row]!), view.down(run.value[row]!)];
  const looked = scene.runs.find(({ entry, start }) => entry === scene.active && start === scene.activeStart);
  if (looked) {
    const row = rowAt(looked.run, scene.at);
    const [x, value, slope] = [looked.run.x[row]!, looked.run.value[row]!, looked.run.gradient[row]!];
    const [left, right] = view.box;
    const reach = (right - left) / 6;
    ink.beginPath();
    ink.moveTo(view.across(x - reach), view.down(value - slope * reach));
    ink.lineTo(view.across(x + reach), view.down(value + slope * reach));
    ink.strokeStyle = scene.palette.arrows.gradient;
    ink.lineWidth = 2;
    ink.setLineDash([6, 4]);
    ink.stroke();
    ink.setLineDash([]);
  }
  drawPaths(ink, scene, place, false);
}
