// One step of a run: what went into it, and what it made of that.
import type { Problem } from "./problem.ts";
import { run } from "./run.ts";
import type { Arrow } from "./scene.ts";
import { ruleOf, type State, settingsOf } from "./state.ts";

export interface Part {
  readonly name: string;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface Explained {
  /** The step's number, from 1. */
  readonly step: number;
  readonly x: readonly number[];
  readonly gradient: readonly number[];
  readonly rate: number;
  readonly parts: readonly Part[];
  /** What is subtracted from x. */
  readonly change: readonly number[];
}

/** Parts of a rule's state that are directions; the rule steps against them. */
const MEMORIES = new Set(["velocity", "m", "mean", "slow", "direction"]);
/** The length of the arrows of gradient and memory, as a share of the picture's width. */
const LENGTH = 0.13;

/** The step that leaves a row of the run of the rule looked at; null if the run makes none there. */
export function explained(problem: Problem, state: State, row: number): Explained | null {
  const entry = state.entries[state.active];
  const rule = entry && ruleOf(entry.rule, entry.convention);
  if (!entry || !rule) return null;
  const start = Float64Array.from(state.starts[state.activeStart]!);
  const names = partsOf(problem, state);
  const n = problem.dimension;
  const read = (memory: Float64Array) => {
    let place = 0;
    return names.map(({ wide }) => Array.from(memory.subarray(place, (place += wide ? n : 1))));
  };
  let before: number[][] = [];
  let found: Explained | null = null;
  const settings = { ...settingsOf(entry, state), maxSteps: row + 1 };
  const { x } = run(problem.compiled, start, settings, (at, gradient, memory, change, rate) => {
    const after = read(memory);
    if (at === row) {
      const parts = names.map(({ name }, k) => ({ name, before: before[k] ?? [], after: after[k]! }));
      found = { step: row + 1, x: [], gradient: [...gradient], rate, parts, change: [...change] };
    }
    before = after;
  });
  return found && { ...(found as Explained), x: Array.from(x.subarray(row * n, (row + 1) * n)) };
}

function partsOf(_: Problem, state: State): readonly { name: string; wide: boolean }[] {
  const entry = state.entries[state.active]!;
  const rule = ruleOf(entry.rule, entry.convention)!;
  return rule.step(
    Float64Array.from(rule.hyperparameters, ({ name, default: usual }) => Number(entry.values[name] ?? usual)),
  ).parts;
}

/** The arrows of a step: where it leads, and the directions of the gradient and of what the rule remembers. */
export function arrowsOf(step: Explained, { axes, box }: State): Arrow[] {
  const [first, second] = axes;
  const [width, height] = [box[1] - box[0], box[3] - box[2]];
  const from = [step.x[first]!, step.x[second]!] as const;
  const against = (vector: readonly number[]): [number, number] => [-vector[first]!, -vector[second]!];
  const direction = (kind: Arrow["kind"], vector: readonly number[]): Arrow[] => {
    const [u, v] = against(vector);
    const length = Math.hypot(u / width, v / height) / LENGTH;
    return length > 0 ? [{ kind, from, to: [from[0] + u / length, from[1] + v / length] }] : [];
  };
  const memory = step.parts.find(
    ({ name, after }) => MEMORIES.has(name.split(".").pop()!) && after.length === step.x.length,
  );
  const [u, v] = against(step.change);
  return [
    ...direction("gradient", step.gradient),
    ...(memory ? direction("memory", memory.after) : []),
    { kind: "step", from, to: [from[0] + u, from[1] + v] },
  ];
}
