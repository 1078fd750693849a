// How the gradient of a run is found: by the objective itself, or by perturbation as in fallline/gradients/perturbation.py.
import { differencePowers } from "./generated.ts";
import { SettingError } from "./rules.ts";

/** What is minimised; `valueAndGradient` fills the gradient and returns the value. */
export interface Objective {
  readonly dimension: number;
  value(x: Float64Array): number;
  valueAndGradient(x: Float64Array, gradient: Float64Array): number;
}

/** How the gradient is found; without a step, or with null, by the usual one of the scheme. */
export type GradientSettings =
  | { readonly kind: "exact" }
  | { readonly kind: "perturbation"; readonly step?: number | null; readonly scheme: string };

/** An objective with its gradient found in one of the ways, and the evaluations that this takes. */
export interface Slopes extends Objective {
  readonly costOfGradient: number;
  readonly costOfBoth: number;
  /** How far a coordinate is moved for a difference; of an exact gradient nothing is. */
  stepAt?(at: number): number;
}

export function slopesBy(objective: Objective, settings: GradientSettings): Slopes {
  if (settings.kind === "exact") {
    return {
      dimension: objective.dimension,
      value: (x) => objective.value(x),
      valueAndGradient: (x, gradient) => objective.valueAndGradient(x, gradient),
      costOfGradient: 1,
      costOfBoth: 2,
    };
  }
  const { step = null, scheme } = settings;
  const power = differencePowers[scheme];
  if (power === undefined) {
    throw new SettingError("scheme", scheme, `it must be one of ${Object.keys(differencePowers).join(", ")}`);
  }
  if (step !== null && !(step > 0 && step < Number.POSITIVE_INFINITY)) {
    throw new SettingError("step", step, "it must be a number above 0");
  }
  return new Differences(objective, step, scheme, power);
}

/** Difference quotients, one coordinate at a time. */
class Differences implements Slopes {
  readonly dimension: number;
  readonly costOfGradient: number;
  readonly costOfBoth: number;
  private readonly point: Float64Array;
  private readonly rounding: number;

  constructor(
    private readonly objective: Objective,
    private readonly step: number | null,
    private readonly scheme: string,
    power: number,
  ) {
    const n = objective.dimension;
    this.dimension = n;
    this.costOfGradient = scheme === "central" ? 2 * n : n + 1;
    this.costOfBoth = scheme === "central" ? 2 * n + 1 : n + 1;
    this.point = new Float64Array(n);
    this.rounding = Number.EPSILON ** power;
  }

  value(x: Float64Array): number {
    return this.objective.value(x);
  }

  valueAndGradient(x: Float64Array, gradient: Float64Array): number {
    const { objective, point, scheme } = this;
    const value = objective.value(x);
    point.set(x);
    for (let i = 0; i < x.length; i++) {
      const at = x[i]!;
      const h = this.stepAt(at);
      point[i] = scheme === "backward" ? at - h : at + h;
      const moved = objective.value(point);
      if (scheme === "central") {
        point[i] = at - h;
        gradient[i] = (moved - objective.value(point)) / (2 * h);
      } else {
        gradient[i] = (scheme === "backward" ? value - moved : moved - value) / h;
      }
      point[i] = at;
    }
    return value;
  }

  /** As far as it was asked for, or as the usual step is rounded. */
  stepAt(at: number): number {
    return this.step ?? at + this.rounding * Math.max(1, Math.abs(at)) - at;
  }
}
