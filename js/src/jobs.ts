// What workers compute: the ends of runs from many starts, or with many settings.
import { type Compiled, compile } from "./code.ts";
import { knownRules } from "./known_rules.ts";
import { settingsArray } from "./rules.ts";
import { type Run, run, type Settings } from "./run.ts";
import { ruleOf } from "./state.ts";

/** Runs of one rule from k starts of n coordinates; coordinate i of start r is starts[i*k + r]. */
export interface StartsJob {
  readonly kind: "starts";
  readonly formula: string;
  readonly settings: Settings;
  readonly starts: Float64Array;
  /** A run rests where it makes no longer steps than this. */
  readonly rest: number;
}

/** Runs from one start with many settings. */
export interface SettingsJob {
  readonly kind: "settings";
  readonly formula: string;
  readonly settings: readonly Settings[];
  readonly start: Float64Array;
  /** The value that counts as arrived. */
  readonly target: number;
}

export type Job = StartsJob | SettingsJob;

/** How k runs ended: where, at which value, and the step from which on they rested or were at the target, or -1. */
export interface Ends {
  readonly x: Float64Array;
  readonly value: Float64Array;
  readonly arrived: Int32Array;
}

/** So many runs are made side by side: their state then stays in the processor's cache. */
const LANES = 64;
/** A run that rests for so many steps has ended. */
const ENDED = 20;

export function done(job: Job): Ends {
  const problem = compile(job.formula);
  return job.kind === "starts" ? fromStarts(problem, job) : withSettings(problem, job);
}

function withSettings(problem: Compiled, { settings, start, target }: SettingsJob): Ends {
  const n = problem.dimension;
  const ends = emptyEnds(settings.length, n);
  for (const [r, one] of settings.entries()) {
    const made = run(problem, start, one, knownRules);
    keep(ends, r, made);
    ends.arrived[r] = made.value.findIndex((value) => value <= target);
  }
  return ends;
}

function fromStarts(problem: Compiled, job: StartsJob): Ends {
  const { settings, starts, rest } = job;
  const n = problem.dimension;
  const count = starts.length / n;
  const ends = emptyEnds(count, n);
  if (sideBySide(settings)) {
    for (let first = 0; first < count; first += LANES) lanes(problem, job, first, Math.min(LANES, count - first), ends);
    return ends;
  }
  const start = new Float64Array(n);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < n; i++) start[i] = starts[i * count + r]!;
    const made = run(problem, start, settings, knownRules);
    keep(ends, r, made);
    ends.arrived[r] = restOf(made, rest);
  }
  return ends;
}

function emptyEnds(count: number, n: number): Ends {
  return { x: new Float64Array(count * n), value: new Float64Array(count), arrived: new Int32Array(count).fill(-1) };
}

function keep({ x, value }: Ends, r: number, { x: path, value: values, count, dimension: n }: Run): void {
  for (let i = 0; i < n; i++) x[i * value.length + r] = path[count * n + i]!;
  value[r] = values[count]!;
}

/** The first step after which a run makes only small ones. */
function restOf({ x, count, dimension: n }: Run, rest: number): number {
  let step = count;
  while (step > 0 && moved(x, step, n) <= rest) step--;
  return step < count ? step : -1;
}

function moved(x: Float64Array, row: number, n: number): number {
  let most = 0;
  for (let k = row * n; k < (row + 1) * n; k++) most = Math.max(most, Math.abs(x[k]! - x[k - n]!));
  return most;
}

/** Whether the rule treats each coordinate alone, at a rate and with a gradient that are the same in each run. */
function sideBySide({ rule, convention, rate, gradient, noise, target }: Settings): boolean {
  const known = ruleOf(rule, convention);
  return (
    Boolean(known?.elementwise) &&
    typeof rate === "number" &&
    gradient.kind === "exact" &&
    !noise &&
    target === undefined
  );
}

/** Run some of the starts side by side, each update of the rule one call for all. */
function lanes(problem: Compiled, { settings, starts, rest }: StartsJob, first: number, k: number, ends: Ends): void {
  const n = problem.dimension;
  const count = starts.length / n;
  const rule = ruleOf(settings.rule, settings.convention)!;
  const h = settingsArray(rule.hyperparameters, settings.values);
  const step = rule.step(h);
  const [x, at, gradient, change] = Array.from({ length: 4 }, () => new Float64Array(k * n)) as Four;
  for (let i = 0; i < n; i++) x.set(starts.subarray(i * count + first, i * count + first + k), i * k);
  const state = new Float64Array(step.stateSize(k * n));
  const [point, slope] = [new Float64Array(n), new Float64Array(n)];
  const rested = new Int32Array(k).fill(-1);
  step.init(x, state, h);
  for (let t = 1, moving = k; t <= settings.maxSteps && moving; t++) {
    const places = step.lookahead ? at : x;
    step.lookahead?.(x, state, h, at);
    for (let r = 0; r < k; r++) {
      if (rested[r]! >= 0 && t - rested[r]! > ENDED) continue;
      for (let i = 0; i < n; i++) point[i] = places[i * k + r]!;
      problem.valueAndGradient(point, slope);
      for (let i = 0; i < n; i++) gradient[i * k + r] = slope[i]!;
    }
    step.update(gradient, state, settings.rate as number, t, h, change);
    moving = 0;
    for (let r = 0; r < k; r++) {
      if (rested[r]! >= 0 && t - rested[r]! > ENDED) continue;
      moving++;
      let still = true;
      for (let i = r; i < n * k; i += k) {
        x[i]! -= change[i]!;
        // NaN is not movement.
        if (Math.abs(change[i]!) > rest) still = false;
      }
      if (!still) rested[r] = -1;
      else if (rested[r]! < 0) rested[r] = t;
    }
  }
  for (let r = 0; r < k; r++) {
    for (let i = 0; i < n; i++) ends.x[i * count + first + r] = point[i] = x[i * k + r]!;
    ends.value[first + r] = problem.value(point);
    ends.arrived[first + r] = rested[r]!;
  }
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];
