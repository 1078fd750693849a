// The map of basins that the figure shows: computed anew when something that it depends on has changed.
import { type BasinMap, basinMaps } from "./basins.ts";
import type { Problem } from "./problem.ts";
import type { State } from "./state.ts";
import type { Workers } from "./workers.ts";

export class BasinLayer {
  private map: BasinMap | null = null;
  private key = "";
  private formula = "";

  /** Arguments:
   *   made: called when there is another map, a coarse or a finer one.
   */
  constructor(
    private readonly workers: Workers,
    private readonly made: () => void,
  ) {}

  /** The map there is; null until the first is computed, and where none is wanted. */
  of(problem: Problem, state: State): BasinMap | null {
    const entry = state.entries[state.active];
    const wanted = state.basins && problem.dimension > 1 && entry !== undefined;
    const key = wanted ? keyOf(problem, state) : "";
    if (key === this.key) return this.map;
    if (!wanted || state.formula !== this.formula) this.map = null;
    this.key = key;
    this.formula = state.formula;
    this.workers.forget("starts", "minima");
    if (wanted) {
      const take = (map: BasinMap) => {
        this.map = map;
        this.made();
      };
      void basinMaps(this.workers, problem, state, take, () => key === this.key);
    }
    return this.map;
  }
}

function keyOf({ dimension }: Problem, state: State): string {
  const { formula, box, axes, steps, gradient, noise, seed, stop, entries, active } = state;
  const { look: _, hidden: __, ...rule } = entries[active]!;
  const held = dimension > 2 ? state.starts[state.activeStart] : null;
  return JSON.stringify([formula, box, axes, held, steps, gradient, noise, seed, stop, rule]);
}
