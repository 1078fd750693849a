// The minima among the ends of many runs, as in fallline/experiments/minima.py, which says what counts as one.
import { eigen } from "./flatness.ts";
import { basins } from "./generated.ts";
import { type Ends, HOW } from "./lanes.ts";
import type { Objective } from "./slopes.ts";

type Point = Float64Array;

const { notArrived: NOT_ARRIVED, diverged: DIVERGED, least: LEAST } = basins;
/** Newton's steps, and the share of the reach that the last one may be. */
const [ROUNDS, CLOSE] = [20, 0.01];

export interface Minima {
  /** Those with the most runs first. */
  readonly minima: readonly Point[];
  /** Of each run the number of its minimum, or that it did not arrive, or diverged. */
  readonly basin: Int32Array;
}

/** The minima at the ends of runs.
 *
 * Arguments:
 *   known: the minima that the objective knows.
 *   reach: the distance, in each coordinate, within which two points are the same minimum.
 */
export function minimaOf(
  objective: Objective,
  { x, value, how }: Ends,
  known: readonly (readonly number[])[],
  reach: Point,
): Minima {
  const n = objective.dimension;
  const shape = new Shape(objective, reach);
  const basin = Int32Array.from(how, (end) => (end === HOW.diverged ? DIVERGED : NOT_ARRIVED));
  const runs = Array.from(how.keys());
  const at = (run: number): Point => x.subarray(run * n, (run + 1) * n);
  const isAt = (all: Point, run: number, minimum: ArrayLike<number>): boolean => {
    for (let i = 0; i < n; i++) if (!(Math.abs(all[run * n + i]! - minimum[i]!) <= reach[i]!)) return false;
    return true;
  };
  const named = (point: Point): Point => {
    const same = known.findLast((minimum) => isAt(point, 0, minimum));
    return same ? Float64Array.from(same) : point.map((one) => one + 0);
  };

  const rested = runs.filter((run) => how[run] === HOW.converged || how[run] === HOW.noGradient);
  const { lowest, group } = groupsOf(rested.map(at), (k) => value[rested[k]!]!, reach);
  const places = lowest.map((k) => at(rested[k]!));
  const flat = places.map((point) => shape.isFlat(point));
  const minima: Point[] = [];
  const number = places.map((point, k) =>
    flat[k] && shape.isBowl(point) ? minima.push(named(point)) - 1 : NOT_ARRIVED,
  );
  const moving = how.map((end) => Number(end === HOW.underWay));
  for (const [k, run] of rested.entries()) {
    basin[run] = number[group[k]!]!;
    moving[run] = Number(!flat[group[k]!]);
  }
  // Known minima count too: at a kink, Newton's method finds none.
  minima.push(...known.map((minimum) => Float64Array.from(minimum)));
  let left = runs.filter((run) => basin[run] === NOT_ARRIVED && moving[run]);
  const assign = (first: number): void => {
    left = left.filter((run) => {
      for (let k = first; k < minima.length; k++) {
        if (!isAt(x, run, minima[k]!)) continue;
        basin[run] = k;
        return false;
      }
      return true;
    });
  };
  assign(0);
  const before = minima.length;
  minima.push(...shape.minimaNear(left.map(at), (k) => value[left[k]!]!).map(named));
  assign(before);
  return bySize(minima, basin);
}

/** The lowest of each group of points linked by a chain, by their numbers, and the group of each point. */
function groupsOf(
  points: readonly Point[],
  value: (k: number) => number,
  reach: Point,
): { lowest: number[]; group: Int32Array } {
  const { lowest, cell } = cellsOf(points, value, reach);
  const linked = linksOf(lowest.map((k) => points[k]!.map((one, i) => one / reach[i]!)));
  const best: number[] = [];
  for (const [place, k] of lowest.entries()) {
    const number = linked[place]!;
    const other = best[number];
    if (other === undefined || value(k) < value(other)) best[number] = k;
  }
  return { lowest: best, group: cell.map((place) => linked[place]!) };
}

/** The points sorted into the cells of a grid, half as wide as the reach: the lowest point of each, and the cell of each point. */
function cellsOf(
  points: readonly Point[],
  value: (k: number) => number,
  reach: Point,
): { lowest: number[]; cell: Int32Array } {
  const known = new Map<string | number, number>();
  const lowest: number[] = [];
  const sizes = reach.map((one) => one / 2);
  const cell = Int32Array.from(points, (point, k) => {
    const key = keyOf(point, sizes);
    const place = known.get(key);
    if (place === undefined) {
      known.set(key, lowest.length);
      return lowest.push(k) - 1;
    }
    // Of several as low the one that comes first.
    if (value(k) < value(lowest[place]!)) lowest[place] = k;
    return place;
  });
  return { lowest, cell };
}

/** The cell of a point: as a number where one holds it, which is faster. */
function keyOf(point: Point, sizes: Point): string | number {
  const wide = 2 ** Math.floor(52 / point.length);
  let key = 0;
  for (let i = 0; i < point.length; i++) {
    const place = Math.floor(point[i]! / sizes[i]!);
    if (!(Math.abs(place) < wide / 2)) return point.map((one, k) => Math.floor(one / sizes[k]!)).join();
    key = key * wide + place;
  }
  return key;
}

/** Number the points: those linked by a chain of steps of at most 1 in each coordinate get the same number. */
function linksOf(points: readonly Point[]): Int32Array {
  const order = points.map((_, k) => k).sort((a, b) => points[a]![0]! - points[b]![0]!);
  const number = new Int32Array(points.length).fill(-1);
  let count = 0;
  for (const seed of order.keys()) {
    if (number[order[seed]!]! >= 0) continue;
    const waiting = [seed];
    number[order[seed]!] = count;
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const here = points[order[place]!]!;
      for (const way of [-1, 1]) {
        for (let other = place + way; other >= 0 && other < order.length; other += way) {
          const k = order[other]!;
          if (Math.abs(points[k]![0]! - here[0]!) > 1) break;
          if (number[k]! >= 0 || !points[k]!.every((one, i) => Math.abs(one - here[i]!) <= 1)) continue;
          number[k] = count;
          waiting.push(other);
        }
      }
    }
    count++;
  }
  return number;
}

/** How an objective curves at a point. */
interface Curved {
  /** The gradient along each axis, the curvatures, and the axes in columns. */
  readonly along: Float64Array;
  readonly curvature: Float64Array;
  readonly axes: readonly Float64Array[];
}

/** Slopes and curvatures of an objective, from gradients a tenth of the reach apart. */
class Shape {
  constructor(
    private readonly objective: Objective,
    private readonly reach: Point,
  ) {}

  /** Whether the slope leads no further than within reach. */
  isFlat(x: Point): boolean {
    const curved = this.curvedAt(x);
    if (!curved) return this.isLowest(x);
    const sizes = curved.curvature.map(Math.abs);
    // In a valley without a slope along it, rounding must not count as a slope.
    const least = LEAST * Math.max(...sizes);
    const step = stepOf(curved, (k) => Math.max(sizes[k]!, least));
    return this.isWithin(step, 1) || this.isLowest(x);
  }

  /** Whether a point without a slope is a minimum: no saddle, and not on a plateau. */
  isBowl(x: Point): boolean {
    const curved = this.curvedAt(x);
    return (curved && !isNegative(curved) && curved.curvature.some((one) => one !== 0)) || this.isLowest(x);
  }

  /** The minima within reach of points, by Newton's method: some rules circle a minimum and never come to rest. */
  minimaNear(points: readonly Point[], value: (k: number) => number): Point[] {
    const found: Point[] = [];
    for (const k of cellsOf(points, value, this.reach).lowest) {
      const minimum = this.newton(points[k]!);
      if (minimum) found.push(minimum);
    }
    const values = found.map((point) => this.objective.value(point));
    return groupsOf(found, (k) => values[k]!, this.reach).lowest.map((k) => found[k]!);
  }

  private newton(began: Point): Point | null {
    let x = began;
    for (let round = 0; round < ROUNDS; round++) {
      const curved = this.curvedAt(x);
      if (!curved) return null;
      const step = stepOf(curved, (k) => curved.curvature[k]!);
      x = x.map((one, i) => one - step[i]!);
      if (
        !this.isWithin(
          x.map((one, i) => one - began[i]!),
          1,
        )
      )
        return null;
    }
    const curved = this.curvedAt(x);
    if (!curved || isNegative(curved)) return null;
    return this.isWithin(
      stepOf(curved, (k) => curved.curvature[k]!),
      CLOSE,
    )
      ? x
      : null;
  }

  private isWithin(step: Point, share: number): boolean {
    return step.every((one, i) => Math.abs(one) <= share * this.reach[i]!);
  }

  private gradientAt(x: Point): Point {
    const gradient = new Float64Array(x.length);
    this.objective.valueAndGradient(x, gradient);
    return gradient;
  }

  /** How the objective curves at a point; null where it has no slope or curvature there. */
  private curvedAt(x: Point): Curved | null {
    const slope = this.gradientAt(x);
    const rows = Array.from(x, (_, i) => {
      const [ahead, behind] = [1, -1].map((sign) => this.gradientAt(this.shifted(x, i, sign)));
      return ahead!.map((one, j) => (one - behind![j]!) / (2 * (this.reach[i]! / 10)));
    });
    const hessian = rows.map((row, i) => row.map((one, j) => (one + rows[j]![i]!) / 2));
    if (![slope, ...hessian].every((row) => row.every(Number.isFinite))) return null;
    const { values, vectors } = eigen(hessian);
    const along = values.map((_, k) => slope.reduce((sum, one, i) => sum + vectors[i]![k]! * one, 0));
    return { along, curvature: values, axes: vectors };
  }

  private shifted(x: Point, i: number, sign: number): Point {
    return x.map((one, k) => (k === i ? one + (sign * this.reach[i]!) / 10 : one));
  }

  /** Whether it is a kink, a point without a gradient, where the value is lower than on all sides. */
  private isLowest(x: Point): boolean {
    if (this.gradientAt(x).every(Number.isFinite)) return false;
    const value = this.objective.value(x);
    return x.every((_, i) => [1, -1].every((sign) => this.objective.value(this.shifted(x, i, sign)) > value));
  }
}

/** Newton's step, given the curvature along each axis; where the gradient is zero, so is the step. */
function stepOf({ along, axes }: Curved, curvature: (k: number) => number): Point {
  const way = along.map((one, k) => (one === 0 ? 0 : one / curvature(k)));
  return Float64Array.from(axes, (row) => row.reduce((sum, one, k) => sum + one * way[k]!, 0));
}

/** Whether the least curvature is negative by more than its error. */
function isNegative({ curvature }: Curved): boolean {
  return Math.min(...curvature) < -LEAST * Math.max(...curvature.map(Math.abs));
}

/** The distinct minima that runs reached, those with the most runs first, and the map with their numbers. */
function bySize(all: readonly Point[], basin: Int32Array): Minima {
  const sizes = new Map<string, number>();
  const keys = all.map((point) => point.join());
  for (const number of basin) if (number >= 0) sizes.set(keys[number]!, (sizes.get(keys[number]!) ?? 0) + 1);
  const inOrder = (a: Point, b: Point): number => {
    const i = a.findIndex((one, k) => one !== b[k]);
    return i < 0 ? 0 : a[i]! - b[i]!;
  };
  const distinct = all.filter((_, k) => sizes.has(keys[k]!) && keys.indexOf(keys[k]!) === k);
  const minima = distinct.sort((a, b) => sizes.get(b.join())! - sizes.get(a.join())! || inOrder(a, b));
  const places = new Map(minima.map((point, place) => [point.join(), place]));
  const place = keys.map((key) => places.get(key)!);
  return { minima, basin: basin.map((number) => (number >= 0 ? place[number]! : number)) };
}
