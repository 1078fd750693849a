// How flat an objective is at a point, as in fallline/engines/flatness.py: the fall that slope and curvature still
// promise, and where it curves down.
import { flatness } from "./generated.ts";
import type { Left } from "./rules.ts";
import type { Slopes } from "./slopes.ts";

const { apart: EXACT_APART, estimatesApart, least: LEAST, modest, noise: NOISE, rounding: ROUNDING } = flatness;
const TINY = 2 ** -1022;

/** What a slope and the curvature promise. */
interface Promised {
  readonly fall: number;
  /** Newton's step. */
  readonly step: Float64Array;
  /** The share of the directions in which the objective curves down. */
  readonly down: number;
}

/** The larger and the smaller number; of NaN and a number, the number, as NumPy's fmax and fmin. */
export const fmax = (a: number, b: number): number => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b));
const fmin = (a: number, b: number): number => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b));

/** The size whose rounding limits values: their own, but no less than the first one's, or 1 if that is less. */
export function scaleOf(value: number, firstValue: number): number {
  return fmax(Math.abs(value), fmin(Math.abs(firstValue), 1));
}

/** A length for each coordinate over which the objective may change. */
export function sizeOf(
  x: Float64Array,
  firstX: Float64Array,
  firstValue: number,
  firstGradient: Float64Array,
): Float64Array {
  return x.map((at, i) => {
    const across = Math.abs(firstValue) / Math.abs(firstGradient[i]!);
    const size = Math.max(Math.abs(at), fmin(fmax(Math.abs(at - firstX[i]!), across), 1));
    return size > 0 ? size : 1;
  });
}

/**
 * What is left of the slope at a point, and the evaluations that it takes.
 *
 * `unbalanced` gives what of a gradient no set and no penalty holds, looking so far; null for all of it.
 */
export function leftAt(
  slopes: Slopes,
  unbalanced: ((gradient: Float64Array, near: number) => Float64Array) | null,
  x: Float64Array,
  value: number,
  size: Float64Array,
  scale: number,
): { left: Left; cost: number } {
  const apart = slopes.stepAt ? estimatesApart : EXACT_APART;
  const noise = x.map((at) => (slopes.stepAt ? (NOISE * scale) / slopes.stepAt(at) : 0));
  const gradient = gradientAt(slopes, x);
  const slope = unbalanced ? unbalanced(gradient, apart * Math.max(...size)) : gradient;
  const alone = x.length > modest || unbalanced !== null;
  const promised = (alone ? alongTheSlope : inAllDirections)(slopes, x, slope, size, noise, apart, scale);
  let gone = promised.fall <= ROUNDING * scale;
  const slight = promised.fall <= ROUNDING * fmax(scale, 1);
  let looks = 1 + 2 * (alone ? 1 : x.length);
  if (!alone && !gone) {
    gone = turns(slopes, x, slope, ROUNDING * scale);
    looks += 2 * x.length;
  }
  const left = { x, value, slope, ...promised, gone: Number(gone), slight: Number(slight) };
  return { left, cost: looks * slopes.costOfGradient };
}

function gradientAt(slopes: Slopes, x: Float64Array): Float64Array {
  const gradient = new Float64Array(x.length);
  slopes.valueAndGradient(x, gradient);
  return gradient;
}

/** Where each slope turns round so near that the value cannot fall above its rounding: at a minimum with a kink. */
function turns(slopes: Slopes, x: Float64Array, slope: Float64Array, rounding: number): boolean {
  return slope.every((pull, i) => {
    if (pull === 0) return true;
    const near = rounding / Math.abs(pull);
    const [ahead, behind] = [moved(x, i, near), moved(x, i, -near)];
    return gradientAt(slopes, ahead)[i]! >= 0 && gradientAt(slopes, behind)[i]! <= 0 && ahead[i]! > behind[i]!;
  });
}

function moved(x: Float64Array, i: number, by: number): Float64Array {
  const point = x.slice();
  point[i]! += by;
  return point;
}

function inAllDirections(
  slopes: Slopes,
  x: Float64Array,
  slope: Float64Array,
  size: Float64Array,
  given: Float64Array,
  apart: number,
  scale: number,
): Promised {
  const n = x.length;
  const every = (of: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => of(i));
  const total = (of: (i: number) => number): number => every(of).reduce((sum, part) => sum + part, 0);
  const { hessian, known } = hessianAt(slopes, x, apart, size);
  const noise = every((i) => Math.max(given[i]!, NOISE * total((j) => Math.abs(hessian[i]![j]!) * Math.abs(x[j]!))));
  const doubt = every((i) => (noise[i]! + NOISE * Math.abs(slope[i]!)) / (apart * size[i]!));
  // Each coordinate in units in which its curvature is 1, or in which that would be seen.
  const unit = every((i) => {
    const largest = Math.max(Math.abs(hessian[i]![i]!), doubt[i]!);
    return 1 / Math.sqrt(largest > 0 ? largest : 1);
  });
  const { values, vectors } = eigen(hessian.map((row, i) => row.map((entry, j) => entry * unit[i]! * unit[j]!)));
  const along = vectors.map((row, i) => row.map((entry) => unit[i]! * entry));
  const seen = slope.map((pull, i) => (Math.abs(pull) <= noise[i]! ? 0 : pull));
  const pull = every((j) => total((i) => along[i]![j]! * seen[i]!));
  // How far each axis goes until a coordinate has moved by its own size.
  const reach = every((j) => Math.min(...every((i) => size[i]! / Math.max(Math.abs(along[i]![j]!), TINY))));
  const steepest = Math.max(...values.map(Math.abs));
  const least = every((j) =>
    Math.max(
      LEAST * steepest,
      total((i) => along[i]![j]! ** 2 * doubt[i]!),
    ),
  );
  const isUp = (j: number): boolean => values[j]! > least[j]!;
  const isDown = (j: number): boolean =>
    values[j]! < -least[j]! && -0.5 * values[j]! * reach[j]! * reach[j]! > ROUNDING * scale;
  const way = every((j) => (isUp(j) ? pull[j]! / values[j]! : Math.sign(pull[j]!) * reach[j]!));
  const down = total((j) => Number(isDown(j))) / n;
  if (!known && slope.some((part) => part !== 0)) return unknown(n, down);
  const fall = total((j) => (isUp(j) ? (0.5 * pull[j]! * pull[j]!) / values[j]! : Math.abs(pull[j]!) * reach[j]!));
  return { fall, step: every((i) => total((j) => along[i]![j]! * way[j]!)), down };
}

function unknown(n: number, down: number): Promised {
  return { fall: Number.POSITIVE_INFINITY, step: new Float64Array(n).fill(Number.POSITIVE_INFINITY), down };
}

/** The second derivatives, 0 where one is not finite, and whether all are. */
function hessianAt(
  slopes: Slopes,
  x: Float64Array,
  apart: number,
  size: Float64Array,
): { hessian: Float64Array[]; known: boolean } {
  const rows = Array.from(x, (_, i) => {
    const [ahead, behind] = [moved(x, i, apart * size[i]!), moved(x, i, -apart * size[i]!)];
    const [rising, falling] = [gradientAt(slopes, ahead), gradientAt(slopes, behind)];
    return rising.map((slope, j) => (slope - falling[j]!) / (ahead[i]! - behind[i]!));
  });
  const known = rows.every((row) => row.every(Number.isFinite));
  return { hessian: rows.map((row, i) => row.map((_, j) => (known ? (row[j]! + rows[j]![i]!) / 2 : 0))), known };
}

/** The same, of the line along the slope: a lower bound of the fall, and nothing about other directions. */
function alongTheSlope(
  slopes: Slopes,
  x: Float64Array,
  slope: Float64Array,
  size: Float64Array,
  noise: Float64Array,
  apart: number,
): Promised {
  const length = Math.hypot(...slope);
  const direction = slope.map((part) => part / (length > 0 ? length : 1));
  const reach = Math.max(...size);
  const [ahead, behind] = [1, -1].map((sign) => x.map((at, i) => at + sign * apart * reach * direction[i]!));
  const [rising, falling] = [gradientAt(slopes, ahead!), gradientAt(slopes, behind!)];
  const bend = direction.reduce((sum, part, i) => sum + (rising[i]! - falling[i]!) * part, 0);
  const curvature = bend / (2 * apart * reach);
  if (!Number.isFinite(curvature) && length > 0) return unknown(x.length, 0);
  const limit = Math.hypot(...noise);
  const doubt = (limit + NOISE * length) / (apart * reach);
  const atX = NOISE * Math.abs(curvature) * Math.hypot(...x);
  const pull = length <= fmax(limit, atX) ? 0 : length;
  const isUp = curvature > doubt;
  const way = isUp ? pull / curvature : pull > 0 ? reach : 0;
  const fall = isUp ? (0.5 * pull * pull) / curvature : pull * reach;
  return { fall, step: direction.map((part) => part * way), down: 0 };
}

// The rotations of all pairs of axes are made anew until nothing beside the diagonal is left, at most so often.
const MOST_SWEEPS = 50;

/** The eigenvalues and, in columns, the eigenvectors of a symmetric matrix. Golub and Van Loan (2013), section 8.5.2. */
export function eigen(matrix: readonly Float64Array[]): { values: Float64Array; vectors: Float64Array[] } {
  const n = matrix.length;
  const a = matrix.map((row) => row.slice());
  const vectors = matrix.map((_, i) => Float64Array.from({ length: n }, (_, j) => Number(i === j)));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const mixed = a[p]![q]!;
        if (Math.abs(mixed) <= Number.EPSILON * Math.sqrt(Math.abs(a[p]![p]! * a[q]![q]!)) || mixed === 0) continue;
        turned = true;
        rotate(a, vectors, p, q);
      }
    }
    if (!turned) break;
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i]![i]!), vectors };
}

/** Jacobi's rotation of two axes, after which nothing of one is in the other. */
function rotate(a: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const mixed = a[p]![q]!;
  const half = (a[q]![q]! - a[p]![p]!) / 2;
  const size = Math.max(Math.hypot(half, mixed), TINY);
  const tangent = mixed / (half + (half < 0 || Object.is(half, -0) ? -size : size));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = tangent * cosine;
  for (const row of a) [row[p], row[q]] = [cosine * row[p]! - sine * row[q]!, sine * row[p]! + cosine * row[q]!];
  const [first, second] = [a[p]!, a[q]!];
  for (let k = 0; k < a.length; k++) {
    [first[k], second[k]] = [cosine * first[k]! - sine * second[k]!, sine * first[k]! + cosine * second[k]!];
  }
  first[q] = second[p] = 0;
  for (const row of vectors) [row[p], row[q]] = [cosine * row[p]! - sine * row[q]!, sine * row[p]! + cosine * row[q]!];
}
