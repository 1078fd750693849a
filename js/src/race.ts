// The runs of all rules from all starts, and how they compare.

import { knownRules } from "./known_rules.ts";
import type { Problem } from "./problem.ts";
import { type Rule, SettingError } from "./rules.ts";
import { type Run, run } from "./run.ts";
import type { ShownRun } from "./scene.ts";
import { type Entry, ruleOf, type State, settingsOf } from "./state.ts";

export interface Race {
  readonly runs: readonly ShownRun[];
  /** Why a rule cannot be run, by its number. */
  readonly problems: ReadonlyMap<number, string>;
  /** The most steps that a run made. */
  readonly steps: number;
}

/** Milliseconds that the runs may take; a step takes about so many evaluations of the value. */
const PATIENCE = 300;
const EVALUATIONS = 5;

/** The steps that a number of runs can make while one waits: of a slow formula fewer than are wanted. */
function affordable({ cost }: Problem, steps: number, runs: number): number {
  return Math.max(2, Math.min(steps, Math.floor(PATIENCE / (EVALUATIONS * cost * Math.max(1, runs)))));
}

/** Run every rule that is not hidden from every start. */
export function race(problem: Problem, wanted: State): Race {
  if (problem.elsewhere) return problem.elsewhere.race(wanted);
  const steps = affordable(problem, wanted.steps, wanted.entries.length * wanted.starts.length);
  const state = { ...wanted, steps };
  const runs: ShownRun[] = [];
  const problems = new Map<number, string>();
  for (const [index, entry] of state.entries.entries()) {
    if (entry.hidden) continue;
    const settings = settingsOf(entry, state);
    try {
      for (const [number, start] of state.starts.entries()) {
        const made = run(problem.compiled, Float64Array.from(start), settings, knownRules);
        runs.push({ run: made, entry: index, start: number, look: entry.look });
      }
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      problems.set(index, error.message);
    }
  }
  return { runs, problems, steps };
}

/** The lowest value of the known minima, or else the lowest that a run has seen. */
export function lowestOf(problem: Problem, runs: readonly ShownRun[]): number {
  const known = problem.minima.map((point) => problem.compiled.value(Float64Array.from(point)));
  let lowest = known.length ? Math.min(...known) : Number.POSITIVE_INFINITY;
  if (!known.length) {
    for (const { run } of runs) for (const value of run.value) if (value < lowest) lowest = value;
  }
  return lowest;
}

/** The first step at which a run's value is at most the target; null if at none. */
export function stepsTo(run: Run, target: number): number | null {
  const row = run.value.findIndex((value) => value <= target);
  return row < 0 ? null : row;
}

/** The rates tried are from 1e-7 to 10, so many in a decade. */
const [LEAST, MOST, DECADE] = [-7, 1, 10];
export const RATES = Array.from({ length: (MOST - LEAST) * DECADE + 1 }, (_, place) =>
  Number((10 ** (LEAST + place / DECADE)).toPrecision(2)),
);

/** So many steps a rate is tried with, where one can wait for them. */
const FEW = 30;

/** The constant rate with which the rule ends lowest from a start.
 *
 * Arguments:
 *   among: for how many rules it is found while one waits.
 */
export function bestRate(problem: Problem, state: State, entry: Entry, among = 1): number {
  const start = Float64Array.from(state.starts[state.activeStart]!);
  // Of a slow formula fewer rates, so that each has some steps.
  const every = Math.min(DECADE, Math.ceil(FEW / affordable(problem, FEW, RATES.length * among)));
  const rates = RATES.filter((_, place) => place % every === 0);
  const tried = { ...state, steps: affordable(problem, state.steps, rates.length * among) };
  let best = 0.01;
  let lowest = Number.POSITIVE_INFINITY;
  for (const rate of rates) {
    const { value, count } = run(problem.compiled, start, settingsOf({ ...entry, rate }, tried), knownRules);
    // Of as low ends, the one that came there first.
    const end = value[count]! + 1e-12 * count;
    if (end < lowest) [lowest, best] = [end, rate];
  }
  return best;
}

/** The rules, each constant rate the one with which it ends lowest of those that neither climb nor leave the box.
 *
 * A rate that leaps over hills may end lower by luck, but shows nobody how the rule goes.
 */
export function suited(problem: Problem, state: State): readonly Entry[] {
  const start = Float64Array.from(state.starts[0]!);
  const among = state.entries.length;
  const steps = affordable(problem, state.steps, RATES.length * among);
  const ends = (entry: Entry, rate: number): number => {
    const made = run(problem.compiled, start, settingsOf({ ...entry, rate }, { ...state, steps }), knownRules);
    return isCalm(made, state) ? made.value[made.count]! + 1e-12 * made.count : Number.POSITIVE_INFINITY;
  };
  return state.entries.map((entry) => {
    if (typeof entry.rate !== "number") return entry;
    const values = RATES.map((rate) => ends(entry, rate));
    const lowest = Math.min(...values);
    const rate =
      lowest < Number.POSITIVE_INFINITY ? RATES[values.indexOf(lowest)]! : bestRate(problem, state, entry, among);
    return { ...entry, rate };
  });
}

/** Whether a run stays below its start, and in the part of the plane that is shown. */
function isCalm({ x, value, dimension }: Run, { axes, box }: State): boolean {
  if (!value.every((one) => one <= value[0]!)) return false;
  const drawn = dimension > 1 ? axes : [0];
  return drawn.every((axis, side) => {
    const [low, high] = [box[2 * side]!, box[2 * side + 1]!];
    for (let k = axis; k < x.length; k += dimension) if (!(x[k]! >= low && x[k]! <= high)) return false;
    return true;
  });
}

/** A rule's title in words: GradientDescent is Gradient Descent. */
export function ruleTitle({ name, title }: Rule): string {
  const parts = name.split("_");
  if (parts.join("") !== title.toLowerCase()) return title;
  const ends = parts.map((_, k) => parts.slice(0, k + 1).join("").length);
  return ends.map((end, k) => title.slice(ends[k - 1] ?? 0, end)).join(" ");
}

/** A rule's title, and its convention if it is not the paper's. */
export function titleOf({ rule, convention }: Entry): string {
  const known = ruleOf(rule, convention);
  const title = known ? ruleTitle(known) : rule;
  return convention === "paper" ? title : `${title} (${convention})`;
}
