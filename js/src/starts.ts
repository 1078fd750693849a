// The starts: moved, added and removed on the figure.
import { onPlane, type Plane } from "./principal_plane.ts";
import type { Problem } from "./problem.ts";
import { LIMITS, type State } from "./state.ts";

type Point = readonly [number, number];

export class StartMoves {
  /** Arguments:
   *   now: what is shown, and on which plane, if it is not in two of the coordinates.
   *   change: changes the state; then the keyboard goes to a start, if one is given.
   */
  constructor(
    private readonly now: () => { problem: Problem; state: State; plane: Plane | null },
    private readonly change: (part: Partial<State>, gesture: string | null, focus: number | null) => void,
  ) {}

  move(index: number, point: Point): void {
    const { starts } = this.now().state;
    const moved = starts.map((start, k) => (k === index ? this.placed(start, point) : start));
    this.change({ starts: moved }, `start ${index}`, null);
  }

  /** Move a start by so much in the coordinates that are drawn. */
  nudge(index: number, [across, up]: Point): void {
    const { problem, state, plane } = this.now();
    const start = state.starts[index]!;
    const [first, second] = problem.dimension === 1 ? [0, 0] : state.axes;
    const [x, y] = plane ? onPlane(plane, start) : [start[first]!, start[second]!];
    this.move(index, [x + across, y + up]);
  }

  /** Add a start; where there are as many as may be, move the one that is looked at. */
  add(point: Point): void {
    const { starts, activeStart } = this.now().state;
    if (starts.length >= LIMITS.starts) {
      this.move(activeStart, point);
      return;
    }
    const added = this.placed(starts[activeStart]!, point);
    this.change({ starts: [...starts, added], activeStart: starts.length }, null, starts.length);
  }

  /** Remove a start, but not the last. */
  remove(index: number): void {
    const starts = this.now().state.starts.filter((_, k) => k !== index);
    if (!starts.length) return;
    const activeStart = Math.min(index, starts.length - 1);
    this.change({ starts, activeStart }, null, activeStart);
  }

  keepOne(): void {
    const { starts, activeStart } = this.now().state;
    this.change({ starts: [starts[activeStart]!], activeStart: 0 }, null, 0);
  }

  /** A start at a point of the figure; the coordinates that are not drawn stay, or how far it is from the plane. */
  private placed(start: readonly number[], [across, up]: Point): number[] {
    const { problem, state, plane } = this.now();
    if (problem.dimension === 1) return [across];
    if (plane) {
      const [x, y] = onPlane(plane, start);
      const [one, other] = plane.directions;
      return start.map((value, i) => value + (across - x) * one[i]! + (up - y) * other[i]!);
    }
    const [first, second] = state.axes;
    return start.map((value, k) => (k === first ? across : k === second ? up : value));
  }
}
