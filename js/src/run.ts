// A run: a rule on an objective from a start, step by step as Fallline's reference engine makes it.
import { reasons, rules, standardNormal } from "./generated.ts";
import { Line, type Search } from "./line_search.ts";
import { type Rate, rateOf, type ScheduleSettings, type SearchSettings, searchOf } from "./rates.ts";
import { judged, type Point } from "./rest.ts";
import { type Progress, type Rule, SettingError, type Step, settingsArray, type Values } from "./rules.ts";
import { type GradientSettings, type Objective, type Slopes, slopesBy } from "./slopes.ts";
import { type Checked, conditionsOf, progressAt, type Stop, type StopSettings, stopAt } from "./stopping.ts";

export type { GradientSettings, Objective, ScheduleSettings, SearchSettings, StopSettings };

export interface Settings {
  readonly rule: string;
  readonly convention: string;
  readonly values: Values;
  readonly rate: number | ScheduleSettings | SearchSettings;
  readonly gradient: GradientSettings;
  /** Normal noise that is added to every slope that the rule is given. */
  readonly noise?: { readonly deviation: number; readonly seed: number };
  readonly maxSteps: number;
  readonly target?: number;
  /** The conditions, checked in order; by default a step that is nothing beside x. */
  readonly stop?: readonly StopSettings[];
  /** Whether the states of the rule are kept. */
  readonly keepStates?: boolean;
}

/** A run of `count` steps: of everything one row more, in which the last rate is NaN. */
export interface Run {
  readonly count: number;
  readonly dimension: number;
  readonly x: Float64Array;
  readonly value: Float64Array;
  /** The gradients for the rule's next step, but for the noise. */
  readonly gradient: Float64Array;
  readonly rate: Float64Array;
  /** The rule's states, if they were asked for: `stateSize` numbers a row. */
  readonly state: Float64Array;
  readonly reason: string;
  readonly converged: boolean;
  /** The evaluations of value and gradient, added. */
  readonly evaluations: number;
}

/** The rule of a name; `known` are all that there are. */
export function ruleNamed(name: string, convention: string, known: readonly Rule[] = rules): Rule {
  const rule = known.find((one) => one.name === name && one.convention === convention);
  if (!rule) throw new SettingError("rule", `${name}@${convention}`, "there is no such rule");
  return rule;
}

/** Runs a rule; `known` are all that it may be. */
export function run(objective: Objective, x0: Float64Array, settings: Settings, known: readonly Rule[] = rules): Run {
  return new Running(objective, x0, settings, known).recorded();
}

/** Where a run ends. */
export interface RunEnd extends Stop {
  readonly count: number;
  readonly x: Float64Array;
  readonly value: number;
  /** The values at some steps; NaN at those that it did not reach. */
  readonly marks: readonly number[];
}

/** Runs a rule to its end, of which alone it tells.
 *
 * Arguments:
 *   judge: whether the slope is looked at there; if not, `converged` is what the conditions claim.
 *   marks: the steps at which the value is told.
 */
export function endOf(
  objective: Objective,
  x0: Float64Array,
  settings: Settings,
  known: readonly Rule[],
  judge: boolean,
  marks: readonly number[] = [],
): RunEnd {
  return new Running(objective, x0, settings, known).end(judge, marks);
}

/** Rows of numbers that grow as a run goes on. */
class Rows {
  private numbers: Float64Array;

  constructor(
    private readonly width: number,
    rows: number,
  ) {
    this.numbers = new Float64Array(width * rows);
  }

  set(row: number, numbers: Float64Array): void {
    const place = row * this.width;
    this.room(place);
    for (let i = 0; i < this.width; i++) this.numbers[place + i] = numbers[i]!;
  }

  setOne(row: number, number: number): void {
    this.room(row);
    this.numbers[row] = number;
  }

  row(row: number): Float64Array {
    return this.numbers.subarray(row * this.width, (row + 1) * this.width);
  }

  upTo(rows: number): Float64Array {
    return this.numbers.subarray(0, rows * this.width);
  }

  private room(place: number): void {
    if (place < this.numbers.length || this.width === 0) return;
    const wider = new Float64Array(2 * this.numbers.length);
    wider.set(this.numbers);
    this.numbers = wider;
  }
}

// The rows that a run has room for at first.
const FIRST_ROWS = 1024;

/** A run in progress: everything that a step needs is allocated once. */
class Running {
  private readonly n: number;
  private readonly slopes: Slopes;
  private readonly rule: Rule;
  private readonly step: Step;
  private readonly h: Float64Array;
  private readonly rate: Rate | null;
  private readonly search: Search | null;
  private readonly conditions: readonly Checked[];
  private readonly progress: Progress;
  private readonly state: Float64Array;
  /** The slope as the rule is given it, where it takes it, and of which nothing is left at a minimum. */
  private readonly gradient: Float64Array;
  private readonly noisy: Float64Array;
  private readonly place: Float64Array;
  private readonly projected: Float64Array;
  /** Along which a line search looks: what a rate of 1 would subtract. */
  private direction: Float64Array;
  private readonly timed: boolean;
  private readonly began = performance.now();

  constructor(
    objective: Objective,
    x0: Float64Array,
    private readonly settings: Settings,
    known: readonly Rule[],
  ) {
    if (!(Number.isInteger(settings.maxSteps) && settings.maxSteps >= 1)) {
      throw new SettingError("maxSteps", settings.maxSteps, "it must be a whole number at least 1");
    }
    const n = objective.dimension;
    this.n = n;
    this.slopes = slopesBy(objective, settings.gradient);
    this.rule = ruleNamed(settings.rule, settings.convention, known);
    this.h = settingsArray(this.rule.hyperparameters, settings.values);
    this.step = this.rule.step(this.h);
    const { rate } = settings;
    const searches = typeof rate === "object" && "lineSearch" in rate;
    this.search = searches ? searchOf(rate) : null;
    this.rate = searches ? null : rateOf(rate, this.rule.rate);
    if (searches && this.step.lookahead) {
      throw new SettingError(
        "rate",
        rate.lineSearch,
        "the rule takes its gradient elsewhere than at x: give a number or a schedule",
      );
    }
    // The fourth argument is the rate; a search has none before the first step.
    if (searches && this.step.init.length > 3) {
      throw new SettingError(
        "rate",
        rate.lineSearch,
        "the rule asks for a rate without a line to search: give a number or a schedule",
      );
    }
    this.conditions = conditionsOf(settings.target, settings.stop);
    this.timed = this.conditions.some(({ condition }) => condition.name === "Seconds");
    this.state = new Float64Array(this.step.stateSize(n));
    this.gradient = new Float64Array(n);
    this.noisy = settings.noise ? new Float64Array(n) : this.gradient;
    this.place = new Float64Array(n);
    this.direction = this.place;
    this.projected = this.step.projected ? new Float64Array(n) : this.gradient;
    const changes = [new Float64Array(n), new Float64Array(n)];
    this.progress = progressAt(Float64Array.from(x0), this.projected, changes);
  }

  /** Runs to the end; `watch` is told of each point before it is left, with the rate of the step that leaves it. */
  private toEnd(watch: (rate: number) => void): Stop {
    const { progress } = this;
    this.step.init(progress.x, this.state, this.h, this.rate?.of(1) ?? Number.NaN);
    this.evaluate();
    progress.firstValue = progress.value;
    for (;;) {
      let stop = stopAt(progress, this.conditions, this.settings.maxSteps);
      const rate = stop ? Number.NaN : this.nextRate();
      // A rate of 0 on a slope is a line search's that found no lower value.
      if (rate === 0 && this.search && this.projected.some((slope) => slope !== 0)) {
        stop = { reason: reasons.noLowerValue, converged: false };
      }
      watch(stop ? Number.NaN : rate);
      if (stop) return stop;
      this.advance(rate);
    }
  }

  /** What the objective at the last point allows of the end. */
  private judged(first: Point, last: Point, stop: Stop): Stop & { readonly cost: number } {
    const { slopes, rule, step, h, conditions } = this;
    return judged({ slopes, rule, step, h, conditions, first, last }, stop);
  }

  end(judge: boolean, marks: readonly number[]): RunEnd {
    const { progress, gradient } = this;
    const passed = marks.map(() => Number.NaN);
    let first: Point | null = null;
    const here = (): Point => ({ x: progress.x.slice(), value: progress.value, gradient: gradient.slice() });
    const stop = this.toEnd(() => {
      first ??= here();
      const mark = marks.indexOf(progress.step);
      if (mark >= 0) passed[mark] = progress.value;
    });
    const { reason, converged } = judge ? this.judged(first!, here(), stop) : stop;
    return { count: progress.step, x: progress.x, value: progress.value, marks: passed, reason, converged };
  }

  recorded(): Run {
    const { n, progress, settings } = this;
    const rows = Math.min(settings.maxSteps + 1, FIRST_ROWS);
    const [x, gradient] = [new Rows(n, rows), new Rows(n, rows)];
    const [value, rate] = [new Rows(1, rows), new Rows(1, rows)];
    const state = new Rows(settings.keepStates ? this.state.length : 0, rows);
    const stop = this.toEnd((next) => {
      x.set(progress.step, progress.x);
      value.setOne(progress.step, progress.value);
      gradient.set(progress.step, this.gradient);
      rate.setOne(progress.step, next);
      state.set(progress.step, this.state);
    });
    const count = progress.step;
    const at = (row: number): Point => ({ x: x.row(row), value: value.row(row)[0]!, gradient: gradient.row(row) });
    const { cost, ...end } = this.judged(at(0), at(count), stop);
    return {
      count,
      dimension: n,
      x: x.upTo(count + 1),
      value: value.upTo(count + 1),
      gradient: gradient.upTo(count + 1),
      rate: rate.upTo(count + 1),
      state: state.upTo(count + 1),
      ...end,
      evaluations: progress.evaluations + cost,
    };
  }

  /** Evaluates the point that was reached, and where the rule takes its gradient. */
  private evaluate(): void {
    const { progress, step, slopes, gradient } = this;
    if (step.lookahead) {
      step.lookahead(progress.x, this.state, this.h, this.place);
      slopes.valueAndGradient(this.place, gradient);
      progress.value = slopes.value(progress.x);
      progress.evaluations += slopes.costOfGradient + 1;
    } else {
      progress.value = slopes.valueAndGradient(progress.x, gradient);
      progress.evaluations += slopes.costOfBoth;
    }
    step.projected?.(progress.x, gradient, this.h, this.projected);
    this.rate?.watch(progress.value);
    if (this.timed) progress.seconds = (performance.now() - this.began) / 1000;
  }

  /** The rate of the step that leaves the present point; 0 where a line search finds no lower value. */
  private nextRate(): number {
    const { progress, search, rate } = this;
    const next = progress.step + 1;
    this.addNoise(next);
    if (!search) return rate!.of(next);
    this.direction = this.directionWith(1, next);
    const counted = {
      value: (x: Float64Array) => {
        progress.evaluations += 1;
        return this.slopes.value(x);
      },
      both: (x: Float64Array, gradient: Float64Array) => {
        progress.evaluations += this.slopes.costOfBoth;
        return this.slopes.valueAndGradient(x, gradient);
      },
    };
    const longest = this.rule.longestRate;
    const found = search(new Line(counted, progress.x, this.direction, progress.value, this.gradient, longest));
    return Math.min(found, longest);
  }

  /** The slope that the rule is given in a step. */
  private addNoise(next: number): void {
    const { gradient, noisy, settings } = this;
    if (!settings.noise) return;
    const { deviation, seed } = settings.noise;
    for (let i = 0; i < this.n; i++) noisy[i] = gradient[i]! + deviation * standardNormal(seed, next, i + 1);
  }

  /** What the rule would subtract at a rate; its state stays as it is. */
  private directionWith(rate: number, next: number): Float64Array {
    const direction = new Float64Array(this.n);
    this.step.update(this.noisy, this.state.slice(), rate, next, this.h, direction);
    return direction;
  }

  /** Makes the step of a rate. */
  private advance(rate: number): void {
    const { n, progress, state, step, search } = this;
    const next = progress.step + 1;
    if (!search) [progress.change, progress.previousChange] = [progress.previousChange, progress.change];
    const { x, change } = progress;
    step.update(this.noisy, state, rate, next, this.h, change);
    if (search) this.checkStraight(rate, next);
    for (let i = 0; i < n; i++) x[i]! -= change[i]!;
    progress.step = next;
    progress.previousValue = progress.value;
    this.evaluate();
  }

  /** Refuses a rule whose step is not the rate times a direction: then the search looked along the wrong line. */
  private checkStraight(rate: number, next: number): void {
    let straight = isNear(this.progress.change, this.direction, rate);
    if (next === 1) {
      // Some rules depend on the first step only in the second: half the rate must give half the step.
      const [whole, half] = [1, 0.5].map((share) => this.directionWith(share, next + 1));
      straight &&= isNear(half!, whole!, 0.5);
    }
    if (!straight) {
      throw new SettingError(
        "rate",
        (this.settings.rate as SearchSettings).lineSearch,
        `a step of ${this.rule.title} is not the rate times a direction, so there is no line to search: ` +
          "give a number or a schedule",
      );
    }
  }
}

/** Whether a step is so many times a direction, but for rounding. */
function isNear(made: Float64Array, direction: Float64Array, times: number): boolean {
  return made.every((one, i) => {
    const expected = times * direction[i]!;
    return one === expected || Math.abs(one - expected) <= 1e-9 * Math.abs(expected);
  });
}
