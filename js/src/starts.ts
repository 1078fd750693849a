// The starts: moved, added and removed on the figure.
import type { Problem } from "./problem.ts";
import { LIMITS, type State } from "./state.ts";

type Point = readonly [number, number];

export class StartMoves {
  /** Arguments:
   *   now: what is shown.
   *   change: changes the state; then the keyboard goes to a start, if one is given.
   */
  constructor(
    private readonly now: () => { problem: Problem; state: State },
    private readonly change: (part: Partial<State>, gesture: string | null, focus: number | null) => void,
  ) {}

  move(index: number, point: Point): void {
    const { starts } = this.now().state;
    const moved = starts.map((start, k) => (k === index ? this.placed(start, point) : start));
    this.change({ starts: moved }, `start ${index}`, null);
  }

  /** Move a start by so much in the coordinates that are drawn. */
  nudge(index: number, [across, up]: Point): void {
    const { problem, state } = this.now();
    const start = state.starts[index]!;
    const [first, second] = problem.dimension === 1 ? [0, 0] : state.axes;
    this.move(index, [start[first]! + across, start[second]! + up]);
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

  /** A start at a point of the figure; the coordinates that are not drawn stay. */
  private placed(start: readonly number[], [across, up]: Point): number[] {
    const { problem, state } = this.now();
    if (problem.dimension === 1) return [across];
    const [first, second] = state.axes;
    return start.map((value, k) => (k === first ? across : k === second ? up : value));
  }
}
