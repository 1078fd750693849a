// Whether a run that came to rest did so at a minimum, as in fallline/engines/rest.py.
import { fmax, leftAt, scaleOf, sizeOf } from "./flatness.ts";
import { flatness, reasons } from "./generated.ts";
import type { Rule, Step } from "./rules.ts";
import type { Slopes } from "./slopes.ts";
import type { Checked, Stop } from "./stopping.ts";

/** Where a run was, with the gradient for its rule's next step. */
export interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** How a run ended. */
export interface End extends Stop {
  /** The evaluations that were made to find that. */
  readonly cost: number;
}

/** What ended, by which rule and by which conditions. */
export interface Ended {
  readonly slopes: Slopes;
  readonly rule: Rule;
  readonly step: Step;
  readonly h: Float64Array;
  readonly conditions: readonly Checked[];
  readonly first: Point;
  readonly last: Point;
}

/** The end that the objective at a run's last point allows, given what its conditions say. */
export function judged(ended: Ended, { reason, converged }: Stop): End {
  const { slopes, rule, step, h, conditions, first, last } = ended;
  const asBefore = { reason, converged, cost: 0 };
  if (reason === reasons.notFinite) {
    const isKink = last.x.every(Number.isFinite) && Number.isFinite(last.value);
    return isKink ? { ...asBefore, reason: reasons.noGradient } : asBefore;
  }
  const claim = conditions.find(({ condition, tests }) => tests.onASlope !== null && condition.reason === reason);
  const isFarOff = reasons.undecided.includes(reason) && reason !== reasons.noLowerValue && !step.unbalanced;
  if (!isWorthALook(slopes, reason, claim) || (isFarOff && !isPerhapsFlat(first, last))) return asBefore;
  const unbalanced = step.unbalanced
    ? (gradient: Float64Array, near: number) => {
        const out = new Float64Array(gradient.length);
        step.unbalanced?.(last.x, gradient, near, h, out);
        return out;
      }
    : null;
  const size = sizeOf(last.x, first.x, first.value, first.gradient);
  const { left, cost } = leftAt(slopes, unbalanced, last.x, last.value, size, scaleOf(last.value, first.value));
  if (!claim) {
    if (!left.gone || left.down > 0) return { ...asBefore, cost };
    return { reason: reason === reasons.noLowerValue ? reasons.toRounding : reason, converged: true, cost };
  }
  if (!left.gone && !claim.tests.holds(left, claim.h)) {
    const decays = rule.decays.some((place) => h[place] !== 0);
    return { reason: decays ? reason : claim.tests.onASlope!, converged: false, cost };
  }
  if (left.down === 0) return { ...asBefore, cost };
  return { reason: left.down === 1 ? reasons.maximum : reasons.saddle, converged: false, cost };
}

/** Whether the slope can contradict a reason. */
function isWorthALook({ dimension }: Slopes, reason: string, claim: Checked | undefined): boolean {
  // A small gradient is a statement about the slope; what it leaves open is the curvature.
  if (claim?.condition.name === "GradientNorm") return dimension <= flatness.modest;
  return claim !== undefined || reasons.undecided.includes(reason);
}

/** Whether a run's last gradient is so small beside its first that the slope may be gone. */
function isPerhapsFlat(first: Point, last: Point): boolean {
  const length = Math.hypot(...last.gradient);
  const turned = Math.hypot(...last.gradient.map((slope, i) => slope - first.gradient[i]!));
  const fall = 0.5 * length * length * Math.hypot(...last.x.map((at, i) => at - first.x[i]!));
  const limit = flatness.roughly * flatness.rounding * fmax(Math.abs(last.value), 1) * turned;
  return fall <= limit && Number.isFinite(last.value);
}
