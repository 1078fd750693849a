// What a figure shows: the runs, how far they are shown, and in which colours.
import type { Palette } from "./palette.ts";
import type { Run } from "./run.ts";

/** What a figure shows of a run: `count` steps, and of everything one row more. */
export interface Path {
  readonly count: number;
  readonly dimension: number;
  readonly x: Float64Array;
  readonly value: Float64Array;
  /** The step or epoch of each row, rising; absent: its number. */
  readonly times?: Float64Array;
  /** How high each row is on a surface, from 0 to 1; absent: as its value. */
  readonly heights?: Float64Array;
}

export interface ShownRun<R extends Path = Run> {
  readonly run: R;
  /** The number of the rule in the list, and of the start. */
  readonly entry: number;
  readonly start: number;
  /** Its colour and dashes, by number. */
  readonly look: number;
}

export interface Arrow {
  readonly kind: "gradient" | "step" | "memory";
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

export interface Scene<R extends Path = Run> {
  readonly palette: Palette;
  readonly names: readonly string[];
  /** The two coordinates that are drawn; the second is the value for a function of one. */
  readonly axes: readonly [number, number];
  readonly runs: readonly ShownRun<R>[];
  /** The step, or time, up to which the runs are drawn; null: to their ends. */
  readonly at: number | null;
  /** The rule and the start that are looked at. */
  readonly active: number;
  readonly activeStart: number;
  readonly minima: readonly (readonly number[])[];
  readonly arrows: readonly Arrow[];
  /** Whether the points are coloured from the first to the last, which are those of one run then. */
  readonly graded?: boolean;
}

/** The row of a run at the step shown; −1 before its first. */
export function rowAt({ count, times }: Path, at: number | null): number {
  if (at === null) return count;
  return times ? upTo(times, at) - 1 : Math.min(at, count);
}

/** The step or epoch of a row. */
export function timeOf({ times }: Path, row: number): number {
  return times ? times[row]! : row;
}

/** How many of some rising numbers are at most a bound. */
export function upTo(numbers: ArrayLike<number>, bound: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
