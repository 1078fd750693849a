// Runs of one rule from many starts, of which the ends alone are kept: side by side where the rule allows it.
import type { Compiled, ManyValues } from "./code.ts";
import { flatness, reasons } from "./generated.ts";
import { knownRules } from "./known_rules.ts";
import { type Progress, type Rule, type Step, settingsArray } from "./rules.ts";
import { endOf, ruleNamed, type Settings } from "./run.ts";
import { type Objective, type Slopes, slopesBy } from "./slopes.ts";
import { areUsual, type Checked, conditionsOf, STEP_LIMIT, type Stop, stopAt } from "./stopping.ts";

/** How k runs ended, one after the other: where, at which value, after how many steps, and how (see HOW). */
export interface Ends {
  /** n coordinates a run. */
  readonly x: Float64Array;
  readonly value: Float64Array;
  readonly steps: Int32Array;
  readonly how: Uint8Array;
}

/** How a run ended, as far as its conditions say. */
export const HOW = { underWay: 0, converged: 1, noGradient: 2, diverged: 3 } as const;

/** So many runs are made side by side: their state then stays in the processor's cache. */
const LANES = 64;

export function emptyEnds(count: number, n: number): Ends {
  return {
    x: new Float64Array(count * n),
    value: new Float64Array(count),
    steps: new Int32Array(count),
    how: new Uint8Array(count),
  };
}

/** The ends of the runs from k starts of n coordinates. */
export function endsFrom(problem: Compiled, settings: Settings, starts: Float64Array): Ends {
  const n = problem.dimension;
  const count = starts.length / n;
  const ends = emptyEnds(count, n);
  ends.x.set(starts);
  const rule = ruleNamed(settings.rule, settings.convention, knownRules);
  if (sideBySide(rule, settings)) {
    for (let first = 0; first < count; first += LANES) {
      new Lanes(problem, rule, settings, ends, first, Math.min(LANES, count - first)).run();
    }
    return ends;
  }
  for (let r = 0; r < count; r++) {
    const end = endOf(problem, starts.subarray(r * n, (r + 1) * n), settings, knownRules, false);
    keep(ends, r, end.x, end.value, end.count, end);
  }
  return ends;
}

function keep(ends: Ends, r: number, x: Float64Array, end: number, count: number, stop: Stop): void {
  const { value, steps, how } = ends;
  ends.x.set(x, r * x.length);
  value[r] = end;
  steps[r] = count;
  const hasEnd = Number.isFinite(end) && x.every(Number.isFinite);
  if (!hasEnd || stop.reason === "diverging") how[r] = HOW.diverged;
  else if (stop.reason === reasons.notFinite) how[r] = HOW.noGradient;
  else how[r] = stop.converged ? HOW.converged : HOW.underWay;
}

/** Whether the rule treats each coordinate alone, at a rate and with a gradient that depend on nothing else. */
function sideBySide(rule: Rule, { rate, values, noise, stop = [] }: Settings): boolean {
  const step = rule.step(settingsArray(rule.hyperparameters, values));
  const timed = stop.some(({ condition }) => condition === "Seconds");
  return rule.elementwise && typeof rate === "number" && !noise && !step.projected && !timed;
}

/** Runs side by side: the numbers of each stand one after the other, in arrays of all of them. */
class Lanes {
  private readonly n: number;
  private readonly h: Float64Array;
  private readonly step: Step;
  private readonly evaluate: ManyValues;
  private readonly conditions: readonly Checked[];
  /** Whether the conditions are those for which `mayStop` is made. */
  private readonly isUsual: boolean;
  private readonly state: Float64Array;
  private readonly x: Float64Array;
  private readonly place: Float64Array;
  private readonly gradient: Float64Array;
  private readonly value: Float64Array;
  private readonly previousValue: Float64Array;
  private readonly firstValue: Float64Array;
  private readonly changes: readonly Float64Array[];
  /** Which runs go on, and how many of them there are. */
  private readonly moving: Int32Array;
  private count: number;

  /** Arguments:
   *   ends: what is told of the runs from the `first` on, k of them, which are where they start.
   */
  constructor(
    private readonly problem: Compiled,
    rule: Rule,
    private readonly settings: Settings,
    private readonly ends: Ends,
    private readonly first: number,
    k: number,
  ) {
    const n = problem.dimension;
    this.n = n;
    this.h = settingsArray(rule.hyperparameters, settings.values);
    this.step = rule.step(this.h);
    this.slopes = slopesBy(problem, settings.gradient);
    this.evaluate = (settings.gradient.kind === "exact" && problem.many) || oneByOne(this.slopes);
    this.conditions = conditionsOf(settings.target, settings.stop);
    this.isUsual = areUsual(settings.stop) && settings.target === undefined;
    this.state = new Float64Array(this.step.stateSize(k * n));
    this.x = ends.x.slice(first * n, (first + k) * n);
    const rows = (count: number) => Array.from({ length: count }, () => new Float64Array(k * n));
    [this.place, this.gradient] = rows(2) as [Float64Array, Float64Array];
    this.changes = rows(2).map((change) => change.fill(Number.POSITIVE_INFINITY));
    [this.value, this.previousValue, this.firstValue] = [0, 1, 2].map(() => new Float64Array(k)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    this.moving = Int32Array.from({ length: k }, (_, r) => r);
    this.count = k;
  }

  private readonly slopes: Slopes;

  /** Run them to their ends. */
  run(): void {
    const { step, x, state, h, gradient, changes, value, moving } = this;
    step.init(x, state, h, this.settings.rate as number);
    for (let made = 0; ; made++) {
      step.lookahead?.(x, state, h, this.place);
      this.evaluate(step.lookahead ? this.place : x, moving, this.count, value, gradient);
      if (step.lookahead) this.valuesAtX();
      if (made === 0) this.firstValue.set(value);
      this.stop(made);
      if (!this.count) return;
      step.update(gradient, state, this.settings.rate as number, made + 1, h, changes[made % 2]!);
      this.advance(changes[made % 2]!);
    }
  }

  /** The values at x, where the gradients were taken elsewhere. */
  private valuesAtX(): void {
    for (let j = 0; j < this.count; j++) {
      const r = this.moving[j]!;
      this.value[r] = this.problem.value(this.own(this.x, r));
    }
  }

  private own(all: Float64Array, r: number): Float64Array {
    return all.subarray(r * this.n, (r + 1) * this.n);
  }

  /** Take out the runs that a condition ends. */
  private stop(made: number): void {
    const { moving } = this;
    const { maxSteps } = this.settings;
    let left = 0;
    for (let j = 0; j < this.count; j++) {
      const r = moving[j]!;
      const otherwise = made === maxSteps ? STEP_LIMIT : null;
      const stop = this.mayStop(r, made) ? stopAt(this.progress(r, made), this.conditions, maxSteps) : otherwise;
      if (stop) keep(this.ends, this.first + r, this.own(this.x, r), this.value[r]!, made, stop);
      else moving[left++] = r;
    }
    this.count = left;
  }

  /** Whether a condition may end a run: quick, and true wherever one does. */
  private mayStop(r: number, made: number): boolean {
    if (!this.isUsual) return true;
    const { x, gradient, n } = this;
    const change = this.changes[(made + 1) % 2]!;
    let longest = 0;
    let size = 1;
    let total = this.value[r]! * this.value[r]!;
    for (let k = r * n; k < (r + 1) * n; k++) {
      const length = Math.abs(change[k]!);
      if (length > longest) longest = length;
      size += Math.abs(x[k]!);
      total += x[k]! * gradient[k]!;
    }
    return longest <= 2 * flatness.short * size || !Number.isFinite(total);
  }

  /** What the conditions look at. */
  private progress(r: number, made: number): Progress {
    const changes = this.changes.map((change) => this.own(change, r));
    return {
      step: made,
      x: this.own(this.x, r),
      value: this.value[r]!,
      gradient: this.own(this.gradient, r),
      change: changes[(made + 1) % 2]!,
      previousChange: changes[made % 2]!,
      previousValue: this.previousValue[r]!,
      firstValue: this.firstValue[r]!,
      evaluations: (made + 1) * (this.step.lookahead ? this.slopes.costOfGradient + 1 : this.slopes.costOfBoth),
      seconds: 0,
    };
  }

  /** Make a step; where a run has ended is told already. */
  private advance(change: Float64Array): void {
    const { x } = this;
    for (let k = 0; k < x.length; k++) x[k]! -= change[k]!;
    this.previousValue.set(this.value);
  }
}

/** Value and gradient of runs one by one. */
function oneByOne(objective: Objective): ManyValues {
  const n = objective.dimension;
  return (points, runs, count, values, gradients) => {
    for (let j = 0; j < count; j++) {
      const r = runs[j]!;
      const own = (all: Float64Array) => all.subarray(r * n, (r + 1) * n);
      values[r] = objective.valueAndGradient(own(points), own(gradients));
    }
  };
}
