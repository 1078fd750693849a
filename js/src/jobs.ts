// What workers compute: the ends of runs from many starts and the minima among them, or how runs with many settings end.
import { type Compiled, compile } from "./code.ts";
import { type Ends, endsFrom } from "./lanes.ts";
import { type Minima, minimaOf } from "./minima.ts";
import { type Outcomes, outcomesOf } from "./outcomes.ts";
import type { GradientSettings, Settings } from "./run.ts";
import { slopesBy } from "./slopes.ts";

/** The runs of one rule from k starts of n coordinates, one after the other. */
export interface StartsJob {
  readonly kind: "starts";
  readonly formula: string;
  readonly settings: Settings;
  readonly starts: Float64Array;
}

/** The minima among the ends of runs: see `minimaOf`. */
export interface MinimaJob {
  readonly kind: "minima";
  readonly formula: string;
  readonly gradient: GradientSettings;
  readonly ends: Ends;
  readonly known: readonly (readonly number[])[];
  readonly reach: Float64Array;
}

/** The runs from one start with many settings. */
export interface SettingsJob {
  readonly kind: "settings";
  readonly formula: string;
  readonly settings: readonly Settings[];
  readonly start: Float64Array;
}

export type Job = StartsJob | MinimaJob | SettingsJob;

interface Results {
  readonly starts: Ends;
  readonly minima: Minima;
  readonly settings: Outcomes;
}

/** What comes of a job. */
export type Result<J extends Job> = Results[J["kind"]];

export function done(job: Job): Result<Job> {
  const problem = compiled(job.formula);
  if (job.kind === "starts") return endsFrom(problem, job.settings, job.starts);
  if (job.kind === "minima") return minimaOf(slopesBy(problem, job.gradient), job.ends, job.known, job.reach);
  return outcomesOf(problem, job.start, job.settings);
}

let last: { readonly formula: string; readonly problem: Compiled } | undefined;

/** The formula's code, which is kept for the next job: engines make it fast while it runs. */
function compiled(formula: string): Compiled {
  if (last?.formula !== formula) last = { formula, problem: compile(formula) };
  return last.problem;
}
