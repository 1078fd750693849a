// How runs with many settings end, as in fallline/experiments/outcomes.py.
import type { Compiled } from "./code.ts";
import { outcomes, reasons } from "./generated.ts";
import { knownRules } from "./known_rules.ts";
import { endOf, type RunEnd, type Settings } from "./run.ts";
import { areUsual } from "./stopping.ts";

/** How k runs ended. */
export interface Outcomes {
  /** The number of its outcome, in the order of `outcomes`. */
  readonly outcome: Uint8Array;
  readonly steps: Int32Array;
  readonly value: Float64Array;
  /** Where each of them ended, n coordinates a run. */
  readonly x: Float64Array;
}

const NAMES = Object.keys(outcomes);
/** Where no other condition is asked for, a run also ends when it has risen far above its start. */
const STOP: NonNullable<Settings["stop"]> = [
  { condition: "StepSize", values: {} },
  { condition: "Diverging", values: {} },
];

/** The runs from one start with many settings. */
export function outcomesOf(problem: Compiled, start: Float64Array, all: readonly Settings[]): Outcomes {
  const n = problem.dimension;
  const found = {
    outcome: new Uint8Array(all.length),
    steps: new Int32Array(all.length),
    value: new Float64Array(all.length),
    x: new Float64Array(all.length * n),
  };
  const first = problem.value(start);
  for (const [k, settings] of all.entries()) {
    // With a target, it alone decides.
    const hasTarget = settings.target !== undefined;
    const ending = areUsual(settings.stop) ? { ...settings, stop: STOP } : settings;
    const end = endOf(problem, start, ending, knownRules, !hasTarget, quarters(settings.maxSteps));
    found.outcome[k] = NAMES.indexOf(outcomeOf(end, first, hasTarget));
    found.steps[k] = end.count;
    found.value[k] = end.value;
    found.x.set(end.x, k * n);
  }
  return found;
}

/** The steps at which the quarters of the second half of a run begin. */
function quarters(steps: number): number[] {
  const marks = [4, 5, 6, 7].map((eighth) => Math.ceil((steps * eighth) / 8));
  return [...new Set(marks)].filter((mark) => mark < steps);
}

function outcomeOf(
  { reason, converged, marks, value }: RunEnd,
  first: number,
  hasTarget: boolean,
): keyof typeof outcomes {
  if (hasTarget ? reason === "target reached" : converged) return "converged";
  if (reason === reasons.notFinite || reason === "diverging") return "diverged";
  if (converged || reasons.atRest.includes(reason)) return "stuck";
  // Another condition than the step limit has ended it before the last mark.
  const isEarly = Number.isNaN(marks.at(-1));
  const values = isEarly ? [first, value] : [...marks, value];
  const pairs = values.slice(1).map((after, k) => after - values[k]!);
  if (pairs.every((change) => change < 0)) return "slow";
  return value > first && pairs.every((change) => change > 0) ? "diverged" : "oscillating";
}
