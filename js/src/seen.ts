// What is seen on a plane: problem, state, runs and step in its two coordinates.
import { arrowsOf, type Explained } from "./explain.ts";
import { shown } from "./numbers.ts";
import { onPlane, type Plane } from "./principal_plane.ts";
import type { Problem } from "./problem.ts";
import type { Run } from "./run.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** What is drawn. */
export interface Seen {
  readonly problem: Problem;
  readonly state: State;
  readonly scene: Scene;
}

/** What is seen on a plane instead of in two of the coordinates. */
export function seenOn(plane: Plane, { problem, state, scene }: Seen, step: Explained | null): Seen {
  const on = (x: ArrayLike<number>) => onPlane(plane, x);
  const names = plane.variance.map((share, k) => STRINGS.component(k + 1, shown(100 * share, 3)));
  const minima = problem.minima.map(on);
  const flat: State = { ...state, axes: [0, 1], starts: state.starts.map(on) };
  const runs = scene.runs.map((one) => ({ ...one, run: projected(plane, one.run) }));
  const arrows = step ? arrowsOf(stepOn(plane, step), flat) : [];
  return {
    problem: { ...problem, compiled: compiledOn(plane, problem), names, dimension: 2, minima },
    state: flat,
    scene: { ...scene, names, axes: [0, 1], runs, minima, arrows },
  };
}

/** The point of the space at a place of the plane. */
function pointAt({ origin, directions: [first, second] }: Plane, place: ArrayLike<number>): Float64Array {
  return origin.map((one, i) => one + place[0]! * first[i]! + place[1]! * second[i]!);
}

/** A direction of the space, in the plane's coordinates. */
function along({ directions }: Plane, vector: ArrayLike<number>): [number, number] {
  const part = (direction: Float64Array) => direction.reduce((sum, one, i) => sum + one * vector[i]!, 0);
  return [part(directions[0]), part(directions[1])];
}

function compiledOn(plane: Plane, { compiled }: Problem): Problem["compiled"] {
  const { many: _, ...others } = compiled;
  return {
    ...others,
    dimension: 2,
    value: (place) => compiled.value(pointAt(plane, place)),
    valueAndGradient(place, gradient) {
      const whole = new Float64Array(compiled.dimension);
      const value = compiled.valueAndGradient(pointAt(plane, place), whole);
      gradient.set(along(plane, whole));
      return value;
    },
  };
}

function projected(plane: Plane, run: Run): Run {
  const { dimension: n, count } = run;
  const [x, gradient] = [new Float64Array(2 * (count + 1)), new Float64Array(2 * (count + 1))];
  for (let row = 0; row <= count; row++) {
    x.set(onPlane(plane, run.x.subarray(row * n, (row + 1) * n)), 2 * row);
    gradient.set(along(plane, run.gradient.subarray(row * n, (row + 1) * n)), 2 * row);
  }
  return { ...run, dimension: 2, x, gradient };
}

function stepOn(plane: Plane, step: Explained): Explained {
  const n = step.x.length;
  const parts = step.parts.map((part) =>
    part.after.length === n ? { ...part, after: along(plane, part.after) } : part,
  );
  const [gradient, change] = [along(plane, step.gradient), along(plane, step.change)];
  return { ...step, x: onPlane(plane, step.x), gradient, change, parts };
}
