// In which minimum the run of a rule from each point of the map ends: coarse at first, finer while one waits.
import { basins } from "./generated.ts";
import { type Ends, emptyEnds } from "./lanes.ts";
import type { Minima } from "./minima.ts";
import { clamp } from "./numbers.ts";
import { numbersOf, type Palette } from "./palette.ts";
import type { Problem } from "./problem.ts";
import type { Settings } from "./run.ts";
import { type State, settingsOf } from "./state.ts";
import type { Box } from "./view.ts";
import type { Workers } from "./workers.ts";

/** The points along each side, one map after the other. */
const SIDES = [32, 96, 256];
const REHEARSED = [16, 32];
/** A job is so many rows of the map: short, so that a worker is soon free for what is wanted next. */
const ROWS = 8;
/** Runs make at least so many steps, to arrive. */
const STEPS = 300;

export interface BasinMap extends Minima {
  readonly box: Box;
  readonly side: number;
  /** Of each run, rows from the top, how many steps it took: 0 for the fewest, 1 for the most. */
  readonly slowness: Float32Array;
}

/** Compute a small map of which nothing is shown, so that the workers are quick when one is wanted. */
export async function rehearse(workers: Workers, problem: Problem, state: State): Promise<void> {
  if (problem.elsewhere || problem.dimension < 2) return;
  const nothing = () => {};
  await basinMaps(workers, problem, state, nothing, () => true, REHEARSED);
}

/** Compute the maps, coarse to fine. Stops when `wanted` says so. */
export async function basinMaps(
  workers: Workers,
  problem: Problem,
  state: State,
  made: (map: BasinMap) => void,
  wanted: () => boolean,
  sides = SIDES,
): Promise<void> {
  const entry = state.entries[state.active];
  if (!entry) return;
  const steps = Math.max(STEPS, state.steps);
  if (problem.elsewhere) return problem.elsewhere.basins(state, steps, made, wanted);
  const { target: _, ...settings } = settingsOf(entry, { ...state, steps });
  const { formula, minima: known } = problem;
  for (const side of sides) {
    const grid = new Grid(state, side);
    const ends = await endsOver(grid, workers, formula, settings);
    if (!wanted() || !ends) return;
    const reach = grid.widths.map((width) => basins.tolerance * width);
    const found = await workers.ask({ kind: "minima", formula, gradient: settings.gradient, ends, known, reach });
    if (!wanted() || !found) return;
    made({ ...found, box: state.box, side, slowness: slownessOf(ends.steps, found.basin) });
  }
}
/** The starts in the middles of a map's cells; the coordinates that are not drawn are those of the start looked at. */
class Grid {
  private readonly start: readonly number[];
  private readonly axes: State["axes"];
  /** The first start and the last in each coordinate drawn, from the left and from the top. */
  private readonly ends: readonly (readonly [number, number])[];

  constructor(
    { box: [left, right, bottom, top], axes, starts, activeStart }: State,
    readonly side: number,
  ) {
    this.start = starts[activeStart]!;
    this.axes = axes;
    const [across, down] = [(right - left) / (2 * side), (top - bottom) / (2 * side)];
    this.ends = [
      [left + across, right - across],
      [top - down, bottom + down],
    ];
  }

  /** From the first start to the last in each coordinate; of those not drawn the larger of the two. */
  get widths(): Float64Array {
    const [across, up] = this.ends.map(([first, last]) => Math.abs(last - first)) as [number, number];
    return Float64Array.from(this.start, (_, i) => [across, up][this.axes.indexOf(i)] ?? Math.max(across, up));
  }

  /** The starts of some rows, one after the other. */
  rows(first: number, last: number): Float64Array {
    const n = this.start.length;
    const made = new Float64Array((last - first) * this.side * n);
    for (let row = first, place = 0; row < last; row++) {
      for (let column = 0; column < this.side; column++, place += n) {
        made.set(this.start, place);
        made[place + this.axes[0]] = this.at(0, column);
        made[place + this.axes[1]] = this.at(1, row);
      }
    }
    return made;
  }

  private at(axis: 0 | 1, place: number): number {
    const [first, last] = this.ends[axis]!;
    return place === this.side - 1 ? last : first + place * ((last - first) / (this.side - 1));
  }
}

/** The ends of the runs from a grid; null if they are not computed. */
async function endsOver(grid: Grid, workers: Workers, formula: string, settings: Settings): Promise<Ends | null> {
  const asked: Promise<Ends | null>[] = [];
  for (let row = 0; row < grid.side; row += ROWS) {
    const starts = grid.rows(row, Math.min(row + ROWS, grid.side));
    asked.push(workers.ask({ kind: "starts", formula, settings, starts }));
  }
  const parts = (await Promise.all(asked)).filter((part) => part !== null);
  return parts.length < asked.length ? null : joined(parts);
}

function joined(parts: readonly Ends[]): Ends {
  const count = parts.reduce((sum, { value }) => sum + value.length, 0);
  const n = parts[0]!.x.length / parts[0]!.value.length;
  const ends = emptyEnds(count, n);
  let run = 0;
  for (const part of parts) {
    ends.x.set(part.x, run * n);
    ends.value.set(part.value, run);
    ends.steps.set(part.steps, run);
    ends.how.set(part.how, run);
    run += part.value.length;
  }
  return ends;
}

/** How many steps each run took: 0 for the fewest, 1 for the most; everywhere 0 if all took about equally many. */
export function slownessOf(steps: Int32Array, basin: Int32Array): Float32Array {
  const arrived = steps.filter((_, run) => basin[run]! >= 0).sort();
  const at = (share: number) => arrived[Math.round(share * (arrived.length - 1))] ?? 0;
  const [fewest, most] = [at(0.01), at(0.99)];
  if (most < basins.telling * Math.max(fewest, 1)) return new Float32Array(steps.length);
  return Float32Array.from(steps, (count) => clamp((count - fewest) / (most - fewest), 0, 1));
}

/** The map as a picture of one pixel a cell: each minimum a colour, darker where the run is slow. */
export function basinPicture({ side, basin, slowness }: BasinMap, palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const ink = canvas.getContext("2d")!;
  const image = ink.createImageData(side, side);
  const colours = palette.basins.map(numbersOf);
  const [notArrived, diverged] = palette.outside.map(numbersOf);
  for (const [cell, number] of basin.entries()) {
    const known = number < 0 ? undefined : colours[number % colours.length];
    const [red, green, blue] = (known ?? (number === basins.diverged ? diverged : notArrived))!;
    const shade = known ? 1.08 - 0.3 * Math.sqrt(slowness[cell]!) : 1;
    image.data.set([red * shade, green * shade, blue * shade, 255], 4 * cell);
  }
  ink.putImageData(image, 0, 0);
  return canvas;
}
