// A function that Python computes: what it was last said to be, and the questions that bring it up to the state.
import { type BasinMap, slownessOf } from "./basins.ts";
import type { Compiled } from "./code.ts";
import { fragmentOf } from "./fragment.ts";
import type { Answer, Host } from "./host.ts";
import type { Problem } from "./problem.ts";
import type { Race } from "./race.ts";
import { type Axes, type Cells, cellsOf } from "./rate_cells.ts";
import type { Objective, Run, Settings } from "./run.ts";
import type { ShownRun } from "./scene.ts";
import type { State } from "./state.ts";
import type { Box } from "./view.ts";

/** The function as Python tells of it. */
export interface GivenObjective {
  readonly title: string;
  readonly names: readonly string[];
}

/** Values over a box, rows from the top. */
interface Land {
  readonly box: Box;
  readonly axes: State["axes"];
  readonly columns: number;
  readonly rows: number;
  readonly values: Float64Array;
}

/** What the values asked for depend on, and the runs. */
const OF_LAND = ["formula", "box", "axes"] as const satisfies readonly (keyof State)[];
const OF_RUNS = ["formula", "starts", "steps", "gradient", "noise", "seed", "target", "stop"] as const;
/** How many values a side has: soon a few, then all. */
const COARSE = 24;
const FINE = 96;
/** The cells along a side of its maps, coarse to fine, and the milliseconds within which an answer asks for a finer one. */
const BASINS = [16, 64];
const RATES = [8, 24];
const SOON = 500;

export class Elsewhere {
  readonly problem: Problem;
  private land: Land | null = null;
  private told: readonly Omit<ShownRun, "look">[] = [];
  private problems: ReadonlyMap<number, string> = new Map();
  private readonly asked = { land: "", runs: "" };
  private readonly faults = new Map<string, string>();
  private answered = false;

  /** Arguments:
   *   changed: called when more is known: of the function's values, or of the runs.
   *   failed: called with what Python could not do; empty when it could.
   */
  constructor(
    given: GivenObjective,
    private readonly host: Host,
    private readonly changed: (what: "land" | "runs") => void,
    private readonly failed: (problem: string) => void,
  ) {
    const { title, names } = given;
    const dimension = names.length;
    const compiled: Compiled = {
      text: title,
      reading: null,
      symbol: "f",
      names,
      dimension,
      value: (x) => this.value(x),
      valueAndGradient: (x, gradient) => {
        gradient.fill(Number.NaN);
        return this.value(x);
      },
    };
    // Between values that are known it costs next to nothing.
    this.problem = { formula: title, compiled, names, dimension, minima: [], cost: 1e-4, elsewhere: this };
  }

  /** Whether Python has said anything yet. */
  get isKnown(): boolean {
    return this.answered;
  }

  /** The runs as far as they are known; Python is asked for those of a state that is new. */
  race(state: State): Race {
    const link = fragmentOf(state);
    const rules = state.entries.map(({ look: _, ...settings }) => settings);
    const runs = JSON.stringify([OF_RUNS.map((key) => state[key]), rules]);
    if (runs !== this.asked.runs) {
      this.asked.runs = runs;
      this.host.ask("runs", { link }, (answer) => this.take(answer, () => this.takeRuns(answer)));
    }
    this.look(state, link);
    const known = this.told.filter(({ entry, start }) => {
      const rule = state.entries[entry];
      return rule && !rule.hidden && start < state.starts.length;
    });
    const shown = known.map((one) => ({ ...one, look: state.entries[one.entry]!.look }));
    return { runs: shown, problems: this.problems, steps: state.steps };
  }

  /** What makes the same steps as the run looked at: its slopes, in their order; null where they are not known. */
  again(state: State, settings: Settings): { objective: Objective; settings: Settings } | null {
    const looked = this.told.find(({ entry, start }) => entry === state.active && start === state.activeStart);
    if (!looked || (typeof settings.rate === "object" && "lineSearch" in settings.rate)) return null;
    const { gradient: slopes, value, count, dimension } = looked.run;
    let next = 0;
    const objective: Objective = {
      dimension,
      value: () => value[Math.min(next, count)]!,
      valueAndGradient: (_, gradient) => {
        const row = Math.min(next++, count);
        gradient.set(slopes.subarray(row * dimension, (row + 1) * dimension));
        return value[row]!;
      },
    };
    const maxSteps = Math.min(settings.maxSteps, Math.max(1, count));
    return { objective, settings: { ...settings, gradient: { kind: "exact" }, maxSteps } };
  }

  /** Ask for the constant rate with which a rule ends lowest from the start looked at. */
  best(state: State, entry: number, rates: readonly number[], take: (rate: number) => void): void {
    this.host.ask("best", { link: fragmentOf(state), entry, rates }, (answer) => {
      this.judge(answer);
      if (answer.error === undefined) take(Number(answer.rate));
    });
  }

  /** Ask for the maps of basins, coarse to fine; see `basinMaps`. */
  basins(state: State, steps: number, made: (map: BasinMap) => void, wanted: () => boolean): void {
    const { box, axes } = state;
    this.askFor(
      "basins",
      BASINS,
      wanted,
      (side) => ({ link: fragmentOf(state), box, axes, side, steps }),
      (side, answer) => {
        const [basin, taken] = answer.arrays.map((array) => Int32Array.from(array)) as [Int32Array, Int32Array];
        const minima = (answer.minima as number[][]).map((point) => Float64Array.from(point));
        made({ box, side, basin, minima, slowness: slownessOf(taken, basin) });
      },
    );
  }

  /** Ask for the maps over two hyperparameters, coarse to fine; see `rateMaps`. */
  rates(state: State, axes: Axes, made: (cells: Cells) => void, wanted: () => boolean): void {
    const sides = (size: number) => [axes[0].values(2 * size), axes[1]?.values(size) ?? [Number.NaN]] as const;
    const about = (size: number) => {
      const values = sides(size);
      return { link: fragmentOf(state), grid: axes.flatMap((axis, k) => (axis ? [[axis.name, values[k]!]] : [])) };
    };
    this.askFor("rates", RATES, wanted, about, (size, { arrays }) => {
      const [outcome, steps, value, x] = arrays as [Float64Array, Float64Array, Float64Array, Float64Array];
      const found = { outcome: Uint8Array.from(outcome), steps: Int32Array.from(steps), value, x };
      made(cellsOf([found], ...sides(size)));
    });
  }

  /** Ask in one size after another, as long as Python answers soon. */
  private askFor(
    kind: string,
    sizes: readonly number[],
    wanted: () => boolean,
    about: (size: number) => Record<string, unknown>,
    take: (size: number, answer: Answer) => void,
  ): void {
    const [size, ...finer] = sizes;
    if (size === undefined) return;
    const asked = performance.now();
    this.host.ask(kind, about(size), (answer) => {
      this.judge(answer);
      if (answer.error !== undefined || !wanted()) return;
      take(size, answer);
      if (performance.now() - asked < SOON) this.askFor(kind, finer, wanted, about, take);
    });
  }

  private look(state: State, link: string): void {
    // Where other coordinates are held changes the values drawn.
    const held = state.starts[state.activeStart]?.map((value, k) => (state.axes.includes(k) ? 0 : value));
    const key = JSON.stringify([OF_LAND.map((name) => state[name]), this.problem.dimension > 2 && held]);
    if (key === this.asked.land) return;
    this.asked.land = key;
    const { box, axes } = state;
    const flat = this.problem.dimension > 1;
    const ask = (size: number) => {
      const [columns, rows] = flat ? [size, size] : [8 * size, 1];
      const take = (answer: Answer) =>
        this.take(answer, () => {
          const [values] = answer.arrays as [Float64Array];
          this.land = { box, axes, columns: Number(answer.columns), rows: Number(answer.rows), values };
          if (answer.columns === columns && size < FINE && key === this.asked.land) ask(FINE);
        });
      this.host.ask("land", { link, box, axes, columns, rows }, take);
    };
    ask(COARSE);
  }

  private take(answer: Answer, keep: () => void): void {
    this.answered = true;
    this.judge(answer);
    if (answer.error !== undefined) return;
    keep();
    this.changed(answer.kind === "land" ? "land" : "runs");
  }

  /** Tell what Python could not do last: an answer of one kind says nothing of the others. */
  private judge({ kind, error }: Answer): void {
    this.faults.delete(kind);
    if (error !== undefined) this.faults.set(kind, error);
    this.failed([...this.faults.values()].at(-1) ?? "");
  }

  private takeRuns({ runs, problems, arrays }: Answer): void {
    const made = runs as readonly (Pick<Run, "count" | "reason" | "converged"> & { entry: number; start: number })[];
    this.told = made.map(({ entry, start, ...end }, k) => {
      const [x, value, gradient, rate] = arrays.slice(4 * k, 4 * k + 4) as Float64Array[];
      const kept = { x: x!, value: value!, gradient: gradient!, rate: rate!, state: new Float64Array() };
      return { entry, start, run: { ...end, ...kept, dimension: this.problem.dimension, evaluations: 0 } };
    });
    this.problems = new Map(
      Object.entries(problems as Record<string, string>).map(([entry, text]) => [Number(entry), text]),
    );
  }

  /** The value at a point of the plane that is drawn, between those that are known; NaN outside of them. */
  private value(x: Float64Array): number {
    if (!this.land) return Number.NaN;
    const { box, axes, columns, rows, values } = this.land;
    const [left, right, bottom, top] = box;
    const across = ((x[axes[0]]! - left) / (right - left)) * (columns - 1);
    const down = rows === 1 ? 0 : ((top - x[axes[1]]!) / (top - bottom)) * (rows - 1);
    // A hair outside is rounding.
    if (!(across > -1e-6 && across < columns - 1 + 1e-6 && down > -1e-6 && down < rows - 1 + 1e-6)) return Number.NaN;
    const column = Math.max(0, Math.min(columns - 2, Math.floor(across)));
    const row = Math.max(0, Math.min(rows - 2, Math.floor(down)));
    const [u, v] = [across - column, down - row];
    const along = (line: number) => {
      const k = line * columns + column;
      return values[k]! * (1 - u) + values[k + 1]! * u;
    };
    return rows === 1 ? along(0) : along(row) * (1 - v) + along(row + 1) * v;
  }
}
