// In which minimum the run of a rule from each point of the map ends: coarse at first, finer while one waits.
import type { Ends, StartsJob } from "./jobs.ts";
import { numbersOf, type Palette } from "./palette.ts";
import type { Problem } from "./problem.ts";
import { type State, settingsOf } from "./state.ts";
import type { Box } from "./view.ts";
import type { Workers } from "./workers.ts";

/** The points along each side, one map after the other. */
const SIDES = [32, 96, 256];
/** Ends this share of the map's width apart are one minimum. */
const REACH = 0.01;
/** A run rests whose steps are no longer than this share of it. */
const REST = 1e-4;
/** Runs make at least so many steps, to arrive. */
const STEPS = 300;

export interface BasinMap {
  readonly box: Box;
  readonly side: number;
  /** Rows from the top: the number of the minimum, or -1. */
  readonly basin: Int16Array;
  /** The step from which on the run rests, as a share of all steps. */
  readonly slowness: Float32Array;
  readonly minima: readonly (readonly number[])[];
}

/** Compute the maps, coarse to fine. Stops when `wanted` says so. */
export async function basinMaps(
  workers: Workers,
  problem: Problem,
  state: State,
  made: (map: BasinMap) => void,
  wanted: () => boolean,
): Promise<void> {
  const entry = state.entries[state.active];
  if (!entry) return;
  const { target: _, stop: __, ...settings } = settingsOf(entry, { ...state, steps: Math.max(STEPS, state.steps) });
  const rest = REST * widthOf(state);
  for (const side of SIDES) {
    const parts = stripes(side, workers.count).map(async ([first, last]) => {
      const job: StartsJob = {
        kind: "starts",
        formula: problem.formula,
        settings,
        starts: starts(problem, state, side, first, last),
        rest,
      };
      return workers.ask(job);
    });
    const ends = await Promise.all(parts);
    if (!wanted() || ends.includes(null)) return;
    made(sorted(ends as Ends[], problem, state, side, settings.maxSteps));
  }
}

function stripes(side: number, count: number): [number, number][] {
  const edges = Array.from({ length: count + 1 }, (_, k) => Math.round((k * side) / count));
  return edges.slice(1).map((last, k) => [edges[k]!, last]);
}

function widthOf({ box }: State): number {
  return Math.max(box[1] - box[0], box[3] - box[2]);
}

/** The middles of the cells of some rows of the map. */
function starts(
  { dimension: n }: Problem,
  { box, axes, starts: given, activeStart }: State,
  side: number,
  first: number,
  last: number,
): Float64Array {
  const count = (last - first) * side;
  const made = new Float64Array(count * n);
  for (let i = 0; i < n; i++) made.fill(given[activeStart]![i]!, i * count, (i + 1) * count);
  const [left, right, bottom, top] = box;
  for (let row = first, r = 0; row < last; row++) {
    for (let column = 0; column < side; column++, r++) {
      made[axes[0] * count + r] = left + ((right - left) * (column + 0.5)) / side;
      if (n > 1) made[axes[1] * count + r] = top - ((top - bottom) * (row + 0.5)) / side;
    }
  }
  return made;
}

/** The map from the ends of all runs: the minima are those known, and where runs came to rest. */
function sorted(ends: readonly Ends[], problem: Problem, state: State, side: number, steps: number): BasinMap {
  const n = problem.dimension;
  const { box } = state;
  const reach = REACH * widthOf(state);
  const minima: number[][] = problem.minima.map((point) => [...point]);
  const basin = new Int16Array(side * side).fill(-1);
  const slowness = new Float32Array(side * side);
  const near = (x: readonly number[]) =>
    minima.findIndex((minimum) => minimum.every((value, i) => Math.abs(value - x[i]!) <= reach));
  // First those at rest, of which new minima are made; then those that only came near one.
  for (const resting of [true, false]) {
    let cell = 0;
    for (const { x, value, arrived } of ends) {
      const count = value.length;
      for (let r = 0; r < count; r++, cell++) {
        if (arrived[r]! >= 0 !== resting || !Number.isFinite(value[r]!)) continue;
        const point = Array.from({ length: n }, (_, i) => x[i * count + r]!);
        if (!point.every(Number.isFinite)) continue;
        let found = near(point);
        if (found < 0 && resting && minima.length < 60 && isBottom(problem, point, reach))
          found = minima.push(point) - 1;
        basin[cell] = found;
        slowness[cell] = resting ? arrived[r]! / steps : 1;
      }
    }
  }
  return { box, side, basin, slowness, minima };
}

/** Whether the value is lower at a point than around it. */
function isBottom({ compiled, dimension }: Problem, point: readonly number[], reach: number): boolean {
  const x = Float64Array.from(point);
  const value = compiled.value(x);
  for (let i = 0; i < dimension; i++) {
    for (const shift of [-reach, reach]) {
      x[i] = point[i]! + shift;
      if (!(compiled.value(x) > value)) return false;
    }
    x[i] = point[i]!;
  }
  return true;
}

/** The map as a picture of one pixel a cell: each minimum a colour, darker where the run is slow. */
export function basinPicture({ side, basin, slowness }: BasinMap, palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const ink = canvas.getContext("2d")!;
  const image = ink.createImageData(side, side);
  const colours = palette.basins.map(numbersOf);
  for (const [cell, number] of basin.entries()) {
    const [red, green, blue] =
      number < 0 ? (palette.dark ? [20, 22, 26] : [235, 235, 235]) : colours[number % colours.length]!;
    const shade = number < 0 ? 1 : 1.08 - 0.3 * Math.sqrt(slowness[cell]!);
    image.data.set([red * shade, green * shade, blue * shade, 255], 4 * cell);
  }
  ink.putImageData(image, 0, 0);
  return canvas;
}
