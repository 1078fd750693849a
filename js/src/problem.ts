// What is minimised: the compiled formula, what is known of it, and what an evaluation costs.
import { type Compiled, compile } from "./code.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { landscapes } from "./generated.ts";
import { FormulaError } from "./grammar.ts";
import { TooManyNodes } from "./graph.ts";
import type { ShownRun } from "./scene.ts";
import { LIMITS, onLandscape, type State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import type { Box } from "./view.ts";

export interface Problem {
  readonly formula: string;
  readonly compiled: Compiled;
  readonly names: readonly string[];
  readonly dimension: number;
  readonly minima: readonly (readonly number[])[];
  /** Milliseconds that an evaluation takes. */
  readonly cost: number;
  /** What knows its values and runs, where the page cannot compute them. */
  readonly elsewhere?: Elsewhere;
}

const given = new Map<string, Problem>();

/** Let a text stand for a problem that the page was handed. */
export function give(problem: Problem): void {
  given.set(problem.formula, problem);
}

/** Read a formula.
 *
 * Throws a FormulaError.
 */
export function problemOf(formula: string): Problem {
  const known = given.get(formula.trim());
  if (known) return known;
  const compiled = compiledWithin(formula);
  const { names, dimension } = compiled;
  if (dimension > LIMITS.dimension) throw refused(STRINGS.tooManyVariables(dimension, LIMITS.dimension));
  const landscape = landscapes.find((one) => one.formula === formula.trim());
  let cost: number | undefined;
  return {
    formula,
    compiled,
    names,
    dimension,
    minima: landscape?.minima ?? [],
    // Measured when something is computed, which reading a link does not.
    get cost() {
      cost ??= costOf(compiled);
      return cost;
    },
  };
}

/** The formula's functions, if an evaluation is so short that the page can wait for thousands. */
function compiledWithin(formula: string): Compiled {
  try {
    return compile(formula, { most: LIMITS.operations });
  } catch (error) {
    if (!(error instanceof TooManyNodes)) throw error;
    throw refused(STRINGS.tooManyOperations(LIMITS.operations));
  }
}

function refused(problem: string): FormulaError {
  return new FormulaError(problem, [{ start: 0, end: 0, problem }]);
}

function costOf({ dimension, value }: Compiled): number {
  const x = new Float64Array(dimension).fill(0.3);
  let least = Number.POSITIVE_INFINITY;
  // Clocks of browsers are coarse, and the first evaluations slow: ever longer series, of which the quickest counts.
  for (let count = 16, all = 0; count <= 4096 && all < 60; count *= 4) {
    const begun = performance.now();
    for (let k = 0; k < count; k++) value(x);
    const passed = performance.now() - begun;
    least = Math.min(least, Math.max(passed, 0.05) / count);
    all += passed;
  }
  return least;
}

/** The starts with as many coordinates as the problem has. */
export function fitted(starts: State["starts"], dimension: number): State["starts"] {
  if (starts.every((start) => start.length === dimension)) return starts;
  return starts.map((start) => Array.from({ length: dimension }, (_, k) => start[k] ?? 1));
}

/** The function of the two coordinates drawn, the others held at a start. */
export function slice(
  { compiled, dimension }: Problem,
  axes: State["axes"],
  held: readonly number[],
): (x: number, y: number) => number {
  const [first, second] = axes;
  const x = Float64Array.from({ length: dimension }, (_, k) => held[k] ?? 0);
  if (dimension === 1) {
    return (across) => {
      x[0] = across;
      return compiled.value(x);
    };
  }
  return (across, up) => {
    x[first] = across;
    x[second] = up;
    return compiled.value(x);
  };
}

/** The box that shows all: the landscape's own, or of another formula one that holds the runs. */
export function wholeOf({ formula, minima, dimension }: Problem, { axes, box }: State, runs: readonly ShownRun[]): Box {
  const known = landscapes.find((one) => one.formula === formula);
  if (known) return onLandscape(known.name).box;
  const reach = (axis: number, [low, high]: readonly [number, number]): [number, number] => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const see = (value: number) => {
      if (Math.abs(value) < 1e6) [least, most] = [Math.min(least, value), Math.max(most, value)];
    };
    for (const { run } of runs) for (let k = axis; k < run.x.length; k += dimension) see(run.x[k]!);
    for (const point of minima) see(point[axis]!);
    const room = 0.15 * (most - least) || 1;
    return least <= most ? [least - room, most + room] : [low, high];
  };
  const across = reach(axes[0], [box[0], box[1]]);
  return [...across, ...(dimension > 1 ? reach(axes[1], [box[2], box[3]]) : ([box[2], box[3]] as const))];
}
