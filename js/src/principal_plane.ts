// The plane along which the points of the runs vary most, as in fallline/pictures/plane.py, which shows what happens in
// many coordinates.
import type { Run } from "./run.ts";
import type { ShownRun } from "./scene.ts";

type Point = Float64Array;

/** A direction along which the paths extend by less than this share of their length is rounding. */
const ROUNDING = 1e-12;
/** So many points of a run are looked at. */
const MOST_POINTS = 2000;
/** The rotations of all pairs of columns are made anew until none is left, at most so often. */
const MOST_SWEEPS = 60;

export interface Plane {
  /** A point in it: where the first run ended. */
  readonly origin: Point;
  /** Two vectors of length 1 at a right angle. */
  readonly directions: readonly [Point, Point];
  /** The share of the paths' variance along each of them. */
  readonly variance: readonly [number, number];
}

/** The plane of runs; null where one has no finite point. */
export function principalPlane(runs: readonly ShownRun[]): Plane | null {
  const first = runs[0]?.run;
  if (!first) return null;
  const n = first.dimension;
  const all = runs.map(({ run }) => nearPoints(run));
  const origin = pointOf(first, Number.isFinite(first.value[first.count]) ? first.count : lowestRow(first));
  if (all.some((points) => !points.length) || !origin.every(Number.isFinite)) return null;
  const points = all.flat();
  // Scaled so that no square overflows.
  const largest = points.reduce((most, point) => Math.max(most, ...point.map(Math.abs)), 0) || 1;
  const mean = Float64Array.from(
    { length: n },
    (_, i) => points.reduce((sum, x) => sum + x[i]! / largest, 0) / points.length,
  );
  const columns = Array.from({ length: n }, (_, i) => Float64Array.from(points, (x) => x[i]! / largest - mean[i]!));
  const { lengths, vectors } = singular(columns);
  const kept = lengths.map((length) => length > ROUNDING * Math.sqrt(points.length));
  const [one, other] = completed(
    vectors.filter((_, k) => k < 2 && kept[k]),
    n,
  ).map(signed);
  const squares = lengths.map((length, k) => (kept[k] ? length * length : 0));
  const total = squares.reduce((sum, square) => sum + square, 0);
  const variance = total ? ([squares[0]! / total, (squares[1] ?? 0) / total] as const) : ([1, 0] as const);
  return { origin, directions: [one!, other!], variance };
}

/** The orthogonal projection of a point, in the plane's coordinates. */
export function onPlane({ origin, directions }: Plane, x: ArrayLike<number>): [number, number] {
  const along = (direction: Point) => direction.reduce((sum, part, i) => sum + part * (x[i]! - origin[i]!), 0);
  return [along(directions[0]), along(directions[1])];
}

function pointOf({ x, dimension: n }: Run, row: number): Point {
  return x.subarray(row * n, (row + 1) * n);
}

function lowestRow({ value }: Run): number {
  let lowest = 0;
  for (let row = 1; row < value.length; row++) if (value[row]! < value[lowest]!) lowest = row;
  return lowest;
}

/** The run's points without outliers, thinned. */
function nearPoints(run: Run): Point[] {
  const points = Array.from(run.value, (_, row) => pointOf(run, row)).filter((point) => point.every(Number.isFinite));
  if (!points.length) return [];
  const away = (point: Point) => Math.sqrt(point.reduce((sum, one, i) => sum + (one - points[0]![i]!) ** 2, 0));
  const distances = points.map(away);
  // Of a run that fell without bound, the point of interest is its start.
  const best = lowestRow(run);
  const fell = !Number.isFinite(run.value[run.count]) && best >= run.count - 1;
  const limit = reach(distances, away(pointOf(run, fell ? 0 : best)));
  const near = points.filter((_, k) => distances[k]! <= limit);
  if (near.length <= MOST_POINTS) return near;
  const stride = (near.length - 1) / (MOST_POINTS - 1);
  return Array.from({ length: MOST_POINTS }, (_, k) => near[Math.round(k * stride)]!);
}

/** The largest distance that is no outlier: thirty times that of the best point or the first step, or a little more. */
function reach(distances: readonly number[], best: number): number {
  const near = Math.max(Number.isNaN(best) ? 0 : best, distances[1] ?? 0);
  if (!(near > 0 && near < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
  const sorted = [...distances].sort((a, b) => a - b);
  const place = 0.75 * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return Math.min(Math.max(30 * near, 2 * (low + (high - low) * (place % 1))), 1000 * near);
}

/** The singular values of a matrix, given by its columns, the largest first, and the right singular vectors.
 *
 * One-sided Jacobi rotations, which find small ones as exactly as large ones: Golub and Van Loan (2013), section 8.6.3.
 */
function singular(columns: readonly Float64Array[]): { lengths: number[]; vectors: Point[] } {
  const n = columns.length;
  const rest = columns.map((column) => column.slice());
  const along = columns.map((_, i) => Float64Array.from({ length: n }, (_, j) => Number(i === j)));
  for (let sweep = 0, turned = true; turned && sweep < MOST_SWEEPS; sweep++) {
    turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [first, second] = [rest[p]!, rest[q]!];
        const [alpha, beta, mixed] = [dot(first, first), dot(second, second), dot(first, second)];
        if (Math.abs(mixed) <= Number.EPSILON * Math.sqrt(alpha * beta)) continue;
        turned = true;
        const half = (beta - alpha) / (2 * mixed);
        const tangent = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.hypot(1, half));
        rotate(first, second, tangent);
        rotate(along[p]!, along[q]!, tangent);
      }
    }
  }
  const lengths = rest.map((column) => Math.sqrt(dot(column, column)));
  const order = lengths.map((_, k) => k).sort((a, b) => lengths[b]! - lengths[a]!);
  return { lengths: order.map((k) => lengths[k]!), vectors: order.map((k) => along[k]!) };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function rotate(first: Float64Array, second: Float64Array, tangent: number): void {
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let k = 0; k < first.length; k++) {
    const [a, b] = [first[k]!, second[k]!];
    first[k] = cosine * a - sine * b;
    second[k] = sine * a + cosine * b;
  }
}

/** Two directions at a right angle: those given, completed by the coordinate axes farthest from them. */
function completed(given: readonly Point[], n: number): Point[] {
  const directions = [...given];
  while (directions.length < 2) {
    const shares = Array.from({ length: n }, (_, i) => directions.reduce((sum, one) => sum + one[i]! ** 2, 0));
    const axis = shares.indexOf(Math.min(...shares));
    const rest = Float64Array.from({ length: n }, (_, i) =>
      directions.reduce((left, one) => left - one[axis]! * one[i]!, Number(i === axis)),
    );
    directions.push(rest.map((part) => part / Math.sqrt(dot(rest, rest))));
  }
  return directions;
}

/** The direction with a sign that makes its largest part positive. */
function signed(direction: Point): Point {
  const largest = direction.reduce((most, part) => (Math.abs(part) > Math.abs(most) ? part : most), 0);
  return direction.map((part) => part * Math.sign(largest));
}
