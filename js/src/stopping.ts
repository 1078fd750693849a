// The stopping conditions of a run, and which of them ends it.
import { reasons, stoppingConditions } from "./generated.ts";
import { type Condition, type Progress, SettingError, settingsArray, type Tests, type Values } from "./rules.ts";

export interface StopSettings {
  readonly condition: string;
  readonly values: Values;
}

/** A condition of a run, with its settings. */
export interface Checked {
  readonly condition: Condition;
  readonly tests: Tests;
  readonly h: Float64Array;
}

/** Why a run ends, as far as its conditions say. */
export interface Stop {
  readonly reason: string;
  readonly converged: boolean;
}

/** The end of a run that has made all its steps. */
export const STEP_LIMIT: Stop = { reason: reasons.stepLimit, converged: false };

/** The conditions in the order in which they are checked: a run always ends where it is not finite.
 *
 * Arguments:
 *   target: the value to reach, if there is one.
 *   stop: the others; by default a step that is nothing beside x.
 */
export function conditionsOf(
  target: number | undefined,
  stop: readonly StopSettings[] = [{ condition: "StepSize", values: {} }],
): Checked[] {
  const others = stop.filter(({ condition }) => condition !== "NotFinite");
  const reached = target === undefined ? [] : [{ condition: "Target", values: { value: target } }];
  return [{ condition: "NotFinite", values: {} }, ...reached, ...others].map(({ condition: name, values }) => {
    const condition = stoppingConditions.find((one) => one.name === name);
    if (!condition) throw new SettingError("stop", name, "there is no such stopping condition");
    const h = settingsArray(condition.hyperparameters, values);
    return { condition, tests: condition.tests(h), h };
  });
}

/** Whether these conditions are those of a run of which none is asked for. */
export function areUsual(stop?: readonly StopSettings[]): boolean {
  if (stop === undefined) return true;
  const [only, ...others] = stop;
  return only?.condition === "StepSize" && (only.values.tolerance ?? null) === null && !others.length;
}

/** Why a run ends at its present point; null if it goes on. */
export function stopAt(progress: Progress, conditions: readonly Checked[], maxSteps: number): Stop | null {
  for (const { condition, tests, h } of conditions) {
    const met = progress.step ? tests.near(progress, h) && tests.met(progress, h) : tests.first(progress, h);
    if (met) return condition;
  }
  return progress.step === maxSteps ? STEP_LIMIT : null;
}

/** What conditions look at, before the first step. */
export function progressAt(x: Float64Array, gradient: Float64Array, changes: readonly Float64Array[]): Progress {
  return {
    step: 0,
    x,
    value: Number.NaN,
    gradient,
    // There is none before the first step, and with a line search none before the last.
    change: changes[0]!.fill(Number.POSITIVE_INFINITY),
    previousChange: changes[1]!.fill(Number.POSITIVE_INFINITY),
    previousValue: Number.NaN,
    firstValue: Number.NaN,
    evaluations: 0,
    seconds: 0,
  };
}
