// Recorded runs on a figure, as the library's pictures show them: one by the colours of its steps, several by markers.
import { line, onMap, stroke } from "./paths.ts";
import type { RecordedRun } from "./recorded.ts";
import { rowAt, type Scene } from "./scene.ts";
import type { View } from "./view.ts";

/** The markers at the ends of several runs: how many corners (0: a circle), the angle of the first, and a letter. */
const MARKERS = [
  [0, 0, "●"], [4, 45, "■"], [3, -90, "▲"], [4, 0, "◆"], [3, 90, "▼"], [5, -90, "⬟"], [3, 0, "▶"], [3, 180, "◀"],
] as const; // biome-ignore format: a table

/** The marker of a run: the ninth has the colour of the first, with another marker. */
export const markerOf = ({ number }: RecordedRun) =>
  MARKERS[(number + Math.floor(number / MARKERS.length)) % MARKERS.length]!;

/** Draw the runs as far as they are shown; those on a curve are not joined. */
export function drawRecorded(
  ink: CanvasRenderingContext2D,
  view: View,
  scene: Scene<RecordedRun>,
  joined: boolean,
): void {
  const place = onMap(view, scene.axes);
  const { palette, graded } = scene;
  ink.lineJoin = ink.lineCap = "round";
  for (const shown of scene.runs) {
    const row = rowAt(shown.run, scene.at);
    const colour = palette.runs[shown.look]!;
    if (joined) {
      const path = line(shown, 0, row, place);
      if (!graded) stroke(ink, path, palette.rim, 5, 0.8, []);
      stroke(ink, path, graded ? palette.ink : colour, graded ? 1 : 2.5, 1, []);
      if (!graded) continue;
    }
    const places = Array.from({ length: row + 1 }, (_, k) => place(shown, k));
    // All rims lie below all points, as these are close to each other.
    for (const at of places) dot(ink, at, 5, palette.ink);
    places.forEach((at, k) => {
      const green = Math.round((255 * k) / Math.max(1, shown.run.count));
      dot(ink, at, 4, graded ? `rgb(255, ${green}, 0)` : colour);
    });
  }
  drawEnds(ink, scene, (run, row) => [view.across(run.x[2 * row]!), view.down(run.x[2 * row + 1]!)]);
}

/** Draw the markers where the runs are, on top of all paths. */
export function drawEnds(
  ink: CanvasRenderingContext2D,
  { runs, at, palette, graded }: Scene<RecordedRun>,
  spot: (run: RecordedRun, row: number) => readonly [number, number],
): void {
  for (const { run, look } of runs) {
    const [corners, turn] = graded ? [0, 0] : markerOf(run);
    const [colour, rim] = graded ? [palette.ground, palette.ink] : [palette.runs[look]!, palette.rim];
    dot(ink, spot(run, rowAt(run, at)), 6, colour, rim, corners, turn);
  }
}

function dot(
  ink: CanvasRenderingContext2D,
  [x, y]: readonly [number, number],
  radius: number,
  colour: string,
  rim = "",
  corners = 0,
  turn = 0,
): void {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  ink.beginPath();
  if (!corners) ink.arc(x, y, radius, 0, 2 * Math.PI);
  for (let corner = 0; corner < corners; corner++) {
    const angle = ((turn + (360 / corners) * corner) * Math.PI) / 180;
    ink.lineTo(x + 1.35 * radius * Math.cos(angle), y + 1.35 * radius * Math.sin(angle));
  }
  ink.closePath();
  ink.fillStyle = colour;
  ink.fill();
  if (!rim) return;
  ink.strokeStyle = rim;
  ink.lineWidth = 1;
  ink.stroke();
}
