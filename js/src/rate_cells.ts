// How a rule ends with each of many settings: a sweep over two of its hyperparameters, coarse at first.
import { outcomes } from "./generated.ts";
import type { MapAxis } from "./map_axis.ts";
import type { Outcomes } from "./outcomes.ts";
import type { Problem } from "./problem.ts";
import { type Entry, type State, settingsOf } from "./state.ts";
import type { Workers } from "./workers.ts";

/** Cells across and up, one map after the other. */
const SIZES = [
  [24, 12],
  [64, 36],
] as const;
/** So many jobs are made for each worker: short ones, so that all are busy to the end. */
const PORTIONS = 4;

/** The cells of a map, rows from the bottom. */
export interface Cells extends Outcomes {
  readonly across: readonly number[];
  /** The values of the other hyperparameter; one that is NaN if there is none. */
  readonly up: readonly number[];
  /** The best cell: of those that converged that with the fewest steps, or else that with the lowest value. */
  readonly best: number;
  /** That with the lowest value. */
  readonly lowest: number;
}

/** The two hyperparameters of a map; the second is missing where a rule has only its rate. */
export type Axes = readonly [MapAxis, MapAxis | undefined];

/** The entry with the settings of a cell. */
export function entryAt(entry: Entry, [first, second]: Axes, across: number, up: number): Entry {
  const changed = first.with(entry, across);
  return second ? second.with(changed, up) : changed;
}

/** Compute the maps, coarse to fine. Stops when `wanted` says so. */
export async function rateMaps(
  workers: Workers,
  problem: Problem,
  state: State,
  axes: Axes,
  made: (cells: Cells) => void,
  wanted: () => boolean,
): Promise<void> {
  if (problem.elsewhere) return problem.elsewhere.rates(state, axes, made, wanted);
  const entry = state.entries[state.active]!;
  const start = Float64Array.from(state.starts[state.activeStart]!);
  for (const [columns, rows] of SIZES) {
    const across = axes[0].values(columns);
    const up = axes[1] ? axes[1].values(rows) : [Number.NaN];
    const settings = up.flatMap((y) => across.map((x) => settingsOf(entryAt(entry, axes, x, y), state)));
    const share = Math.ceil(settings.length / (PORTIONS * workers.count));
    const asked: Promise<Outcomes | null>[] = [];
    for (let first = 0; first < settings.length; first += share) {
      const portion = settings.slice(first, first + share);
      asked.push(workers.ask({ kind: "settings", formula: problem.formula, settings: portion, start }));
    }
    const parts = (await Promise.all(asked)).filter((part) => part !== null);
    if (!wanted() || parts.length < asked.length) return;
    made(cellsOf(parts, across, up));
  }
}

export function cellsOf(parts: readonly Outcomes[], across: readonly number[], up: readonly number[]): Cells {
  const whole = <Kind extends keyof Outcomes>(name: Kind) => parts.flatMap((part) => Array.from(part[name]));
  const found: Outcomes = {
    outcome: Uint8Array.from(whole("outcome")),
    steps: Int32Array.from(whole("steps")),
    value: Float64Array.from(whole("value")),
    x: Float64Array.from(whole("x")),
  };
  const converged = Object.keys(outcomes).indexOf("converged");
  const rank = (cell: number): [number, number] => {
    const value = found.value[cell]!;
    const steps = found.outcome[cell] === converged ? found.steps[cell]! : Number.POSITIVE_INFINITY;
    return [steps, Number.isNaN(value) ? Number.POSITIVE_INFINITY : value];
  };
  let best = 0;
  let lowest = 0;
  for (let cell = 1; cell < found.value.length; cell++) {
    const [[steps, value], [fewest, least]] = [rank(cell), rank(best)];
    if (steps < fewest || (steps === fewest && value < least)) best = cell;
    if (value < rank(lowest)[1]) lowest = cell;
  }
  return { ...found, across, up, best, lowest };
}
