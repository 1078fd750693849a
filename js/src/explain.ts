// One step of a run: what went into it, and what it made of that.

import { standardNormal } from "./generated.ts";
import { knownRules } from "./known_rules.ts";
import type { Problem } from "./problem.ts";
import { type Rule, settingsArray } from "./rules.ts";
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
  /** The gradient as the rule was given it, with the noise. */
  readonly gradient: readonly number[];
  readonly rate: number;
  readonly parts: readonly Part[];
  /** The rule's formula, and the settings in it by their names. */
  readonly lines: Rule["lines"];
  readonly settings: ReadonlyMap<string, number>;
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
  const n = problem.dimension;
  const start = Float64Array.from(state.starts[state.activeStart]!);
  const h = settingsArray(rule.hyperparameters, entry.values);
  const step = rule.step(h);
  const size = step.stateSize(n);
  const settings = { ...settingsOf(entry, state), maxSteps: row + 1, keepStates: true };
  const again = problem.elsewhere?.again(state, settings);
  if (again === null) return null;
  const made = run(again?.objective ?? problem.compiled, start, again?.settings ?? settings, knownRules);
  if (made.count <= row) return null;
  const [before, after] = [row, row + 1].map((which) => made.state.subarray(which * size, (which + 1) * size)) as Two;
  let place = 0;
  const parts = step.parts.map(({ name, wide }) => {
    const width = wide ? n : 1;
    place += width;
    const own = (all: Float64Array) => Array.from(all.subarray(place - width, place));
    return { name, before: own(before), after: own(after) };
  });
  const at = (numbers: Float64Array, which: number) => Array.from(numbers.subarray(which * n, (which + 1) * n));
  const x = at(made.x, row);
  const next = at(made.x, row + 1);
  const change = x.map((value, i) => value - next[i]!);
  const { noise } = settings;
  const noisy = (slope: number, i: number) =>
    noise ? slope + noise.deviation * standardNormal(noise.seed, row + 1, i + 1) : slope;
  return {
    step: row + 1,
    x,
    gradient: at(made.gradient, row).map(noisy),
    rate: made.rate[row]!,
    parts,
    lines: rule.lines,
    settings: new Map(rule.hyperparameters.map(({ name }, k) => [name, h[k]!])),
    change,
  };
}

type Two = [Float64Array, Float64Array];

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
