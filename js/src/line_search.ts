// Line searches, as in fallline/line_search.py: they find the learning rate along the rule's direction.

/** A place on a line: its rate, the value, and the slope along the line. */
export interface Place {
  readonly rate: number;
  readonly value: number;
  readonly slope: number;
}

/** What a line evaluates; `both` fills the gradient and returns the value. */
export interface Evaluated {
  value(x: Float64Array): number;
  both(x: Float64Array, gradient: Float64Array): number;
}

/** The objective along one direction: x − rate · direction. */
export class Line {
  readonly start: Place;
  readonly #point: Float64Array;
  readonly #gradient: Float64Array;

  constructor(
    readonly objective: Evaluated,
    readonly x: Float64Array,
    /** What a rate of 1 subtracts from x. */
    readonly direction: Float64Array,
    value: number,
    gradient: Float64Array,
    /** The largest rate that may be tried. */
    readonly longest: number,
  ) {
    this.#point = new Float64Array(x.length);
    this.#gradient = new Float64Array(x.length);
    this.start = { rate: 0, value, slope: -dot(gradient, direction) };
  }

  /** Whether the rate is large enough to move any coordinate. */
  moves(rate: number): boolean {
    const { x, direction } = this;
    for (let i = 0; i < x.length; i++) if (x[i]! - rate * direction[i]! !== x[i]!) return true;
    return false;
  }

  value(rate: number): number {
    return this.objective.value(this.#at(rate));
  }

  at(rate: number): Place {
    const value = this.objective.both(this.#at(rate), this.#gradient);
    return { rate, value, slope: -dot(this.#gradient, this.direction) };
  }

  #at(rate: number): Float64Array {
    for (let i = 0; i < this.x.length; i++) this.#point[i] = this.x[i]! - rate * this.direction[i]!;
    return this.#point;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The learning rate of a step; 0 where no rate makes the value smaller. */
export type Search = (line: Line) => number;

/** The searches by their names, each made from its settings, of which none may be missing. */
export const searches: Readonly<Record<string, (settings: Readonly<Record<string, number>>) => Search>> = {
  backtracking:
    ({ initial, shrink, decrease }) =>
    (line) => {
      if (!(line.start.slope < 0)) return 0;
      let rate = Math.min(initial!, line.longest);
      while (line.moves(rate)) {
        if (line.value(rate) <= line.start.value + decrease! * rate * line.start.slope) return rate;
        rate *= shrink!;
      }
      return 0;
    },

  strong_wolfe: ({ initial, decrease, curvature, most_tries }) => {
    const settings = { decrease: decrease!, curvature: curvature!, mostTries: most_tries! };
    return (line) => strongWolfe(line, initial!, settings);
  },

  exact_quadratic:
    ({ initial }) =>
    (line) => {
      if (!(line.start.slope < 0)) return 0;
      const bend = line.at(initial!).slope - line.start.slope;
      return bend > 0 ? (-line.start.slope * initial!) / bend : initial!;
    },

  polyak:
    ({ initial, lowest }) =>
    (line) => {
      if (!(line.start.slope < 0)) return 0;
      return Math.min(initial!, Math.max(0, line.start.value - lowest!) / -line.start.slope);
    },
};

interface Wolfe {
  readonly decrease: number;
  readonly curvature: number;
  readonly mostTries: number;
}

/** Nocedal and Wright (2006), algorithms 3.5 and 3.6. */
function strongWolfe(line: Line, initial: number, settings: Wolfe): number {
  if (!(line.start.slope < 0)) return 0;
  let before = line.start;
  let tried = 0;
  let rate = Math.min(initial, line.longest);
  while (tried < settings.mostTries && line.moves(rate)) {
    const here = line.at(rate);
    if (!Number.isFinite(here.value) || !Number.isFinite(here.slope)) {
      // Outside the objective's domain: go back most of the way, as often as needed.
      rate = before.rate + (rate - before.rate) / 10;
      continue;
    }
    tried += 1;
    if (!falls(line, here, settings) || (tried > 1 && here.value >= before.value)) {
      return between(line, before, here, tried, settings);
    }
    if (isFlat(line, here, settings) || (rate === line.longest && here.slope < 0)) return rate;
    if (here.slope >= 0) return between(line, here, before, tried, settings);
    before = here;
    rate = Math.min(2 * rate, line.longest);
  }
  return before.rate;
}

function falls(line: Line, here: Place, { decrease }: Wolfe): boolean {
  return here.value <= line.start.value + decrease * here.rate * line.start.slope;
}

function isFlat(line: Line, here: Place, { curvature }: Wolfe): boolean {
  return Math.abs(here.slope) <= -curvature * line.start.slope;
}

/** Narrow a bracket whose end `low` is the best point so far and descends towards `high`. */
function between(line: Line, from: Place, to: Place, before: number, settings: Wolfe): number {
  let [low, high, tried] = [from, to, before];
  while (
    tried < settings.mostTries &&
    Math.abs(high.rate - low.rate) > Number.EPSILON * Math.max(low.rate, high.rate)
  ) {
    const here = line.at(interpolated(low, high));
    tried += 1;
    if (!falls(line, here, settings) || !(here.value < low.value)) {
      high = here;
      continue;
    }
    if (isFlat(line, here, settings)) return here.rate;
    if (here.slope * (high.rate - low.rate) >= 0) high = low;
    low = here;
  }
  return low.rate;
}

/**
 * The minimum of the cubic through two places, at least a tenth of the interval from its ends; the middle if the cubic
 * has no minimum, or overflows.
 */
export function interpolated(low: Place, high: Place): number {
  const width = high.rate - low.rate;
  const middle = low.rate + width / 2;
  const first = low.slope + high.slope - (3 * (high.value - low.value)) / width;
  const underRoot = first * first - low.slope * high.slope;
  if (!(underRoot >= 0 && underRoot < Number.POSITIVE_INFINITY)) return middle;
  const second = width < 0 ? -Math.sqrt(underRoot) : Math.sqrt(underRoot);
  const divisor = high.slope - low.slope + 2 * second;
  if (divisor === 0) return middle;
  const rate = high.rate - (width * (high.slope + second - first)) / divisor;
  const one = low.rate + 0.1 * width;
  const other = high.rate - 0.1 * width;
  return Math.min(Math.max(rate, Math.min(one, other)), Math.max(one, other));
}
