// What is shown as files: the picture, the runs' numbers.
import { DASHES } from "./palette.ts";
import { onMap } from "./paths.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import type { Run } from "./run.ts";
import { rowAt, type Scene } from "./scene.ts";
import type { State } from "./state.ts";
import type { View } from "./view.ts";

/** Offer a file to be kept. */
export function offer(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** All rows of all runs, as a table with commas between. */
export function csvOf(problem: Problem, state: State, { runs }: Scene): string {
  const head = ["rule", "start", ...columnsOf(problem)];
  const lines = [head.map(cell).join(",")];
  for (const { run, entry, start } of runs) {
    const named = [cell(titleOf(state.entries[entry]!)), start + 1];
    for (let row = 0; row <= run.count; row++)
      lines.push([...named, ...rowOf(run, row).map((one) => one ?? "")].join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** What the numbers of a step are. */
export const columnsOf = ({ names }: Problem): string[] => ["step", ...names, "value", "gradient_norm", "rate"];

/** The numbers of a step; after the last there is no rate. */
export function rowOf({ x, value, gradient, rate, dimension: n }: Run, row: number): (number | null)[] {
  const at = (numbers: Float64Array) => numbers.subarray(row * n, (row + 1) * n);
  const left = rate[row]!;
  return [row, ...at(x), value[row]!, Math.hypot(...at(gradient)), Number.isNaN(left) ? null : left];
}

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The map as a drawing: the ground as pixels, the paths as lines. */
export function svgOf(ground: HTMLCanvasElement, view: View, scene: Scene, curve: boolean): string {
  const { width, height } = view;
  const lines = curve ? [] : scene.runs.map((shown) => pathOf(shown, view, scene));
  const image = `<image href="${ground.toDataURL()}" width="${width}" height="${height}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${image}${lines.join("")}</svg>`;
}

function pathOf(shown: Scene["runs"][number], view: View, scene: Scene): string {
  const place = onMap(view, scene.axes);
  const points: string[] = [];
  for (let row = 0; row <= rowAt(shown.run, scene.at); row++) {
    const [x, y] = place(shown, row);
    if (Math.abs(x) < 1e5 && Math.abs(y) < 1e5) points.push(`${x.toFixed(2)},${y.toFixed(2)}`);
  }
  const line = (stroke: string, width: number, dashes: string) =>
    `<polyline points="${points.join(" ")}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-dasharray="${dashes}" stroke-linejoin="round"/>`;
  const dashes = DASHES[shown.look]!.join(" ");
  return line(scene.palette.rim, 4.4, "none") + line(scene.palette.runs[shown.look]!, 2.2, dashes || "none");
}
