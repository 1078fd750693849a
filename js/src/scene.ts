// What a figure shows: the runs, how far they are shown, and in which colours.
import type { Palette } from "./palette.ts";
import type { Run } from "./run.ts";

export interface ShownRun {
  readonly run: Run;
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

export interface Scene {
  readonly palette: Palette;
  readonly names: readonly string[];
  /** The two coordinates that are drawn; the second is the value for a function of one. */
  readonly axes: readonly [number, number];
  readonly runs: readonly ShownRun[];
  /** The step up to which the runs are drawn; null: to their ends. */
  readonly at: number | null;
  /** The rule and the start that are looked at. */
  readonly active: number;
  readonly activeStart: number;
  readonly minima: readonly (readonly number[])[];
  readonly arrows: readonly Arrow[];
}

/** The row of a run at the step shown. */
export function rowAt(run: Run, at: number | null): number {
  return at === null ? run.count : Math.min(at, run.count);
}
