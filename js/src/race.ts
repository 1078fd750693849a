// The runs of all rules from all starts, and how they compare.
import type { Problem } from "./problem.ts";
import { type Rule, SettingError } from "./rules.ts";
import { type Run, run } from "./run.ts";
import type { ShownRun } from "./scene.ts";
import { type Entry, ruleOf, type State, settingsOf } from "./state.ts";

export interface Race {
  readonly runs: readonly ShownRun[];
  /** Why a rule cannot be run, by its number. */
  readonly problems: ReadonlyMap<number, string>;
}

/** Run every rule that is not hidden from every start. */
export function race(problem: Problem, state: State): Race {
  const runs: ShownRun[] = [];
  const problems = new Map<number, string>();
  for (const [index, entry] of state.entries.entries()) {
    if (entry.hidden) continue;
    const settings = settingsOf(entry, state);
    try {
      for (const [number, start] of state.starts.entries()) {
        const made = run(problem.compiled, Float64Array.from(start), settings);
        runs.push({ run: made, entry: index, start: number, look: entry.look });
      }
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      problems.set(index, error.message);
    }
  }
  return { runs, problems };
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

/** The constant rate with which the rule ends lowest from a start, among some a factor of 1.3 apart. */
export function bestRate(problem: Problem, state: State, entry: Entry): number {
  const start = Float64Array.from(state.starts[state.activeStart] ?? state.starts[0]!);
  let best = 0.01;
  let lowest = Number.POSITIVE_INFINITY;
  for (let power = -36; power <= 10; power++) {
    const rate = Number((1.3 ** power).toPrecision(2));
    const { value, count } = run(problem.compiled, start, settingsOf({ ...entry, rate }, state));
    // Of as low ends, the one that came there first.
    const end = value[count]! + 1e-12 * count;
    if (end < lowest) [lowest, best] = [end, rate];
  }
  return best;
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
