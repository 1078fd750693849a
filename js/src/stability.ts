// The largest rate with which a rule stays at a minimum, by theory.
import type { Compiled } from "./code.ts";
import type { Entry } from "./state.ts";

/** The rounds of the power iteration, and how far apart it compares gradients. */
const [ROUNDS, APART] = [60, 1e-5];

/** 2 / λ for gradient descent, 2 (1 + γ) / λ with momentum γ, as a multiple of 2 / λ; null for rules without such a limit. */
export function limitFactor({ rule, convention, values }: Entry): number | null {
  if (rule === "gradient_descent") return 1;
  const isPlain = rule === "momentum" && /^(paper|keras|optax)$/.test(convention);
  return isPlain ? 1 + Number(values.momentum ?? 0.9) : null;
}

/** The largest curvature at a point, by power iteration on differences of gradients. */
export function largestCurvature({ valueAndGradient, dimension: n }: Compiled, at: Float64Array): number {
  let v = Float64Array.from({ length: n }, (_, i) => 1 / (i + 1));
  let size = 0;
  const [ahead, behind] = [new Float64Array(n), new Float64Array(n)];
  for (let round = 0; round < ROUNDS; round++) {
    const length = Math.hypot(...v);
    const shift = v.map((value) => (APART * value) / length);
    valueAndGradient(
      shift.map((value, i) => at[i]! + value),
      ahead,
    );
    valueAndGradient(
      shift.map((value, i) => at[i]! - value),
      behind,
    );
    v = v.map((_, i) => (ahead[i]! - behind[i]!) / (2 * APART));
    size = Math.hypot(...v);
  }
  return size;
}
