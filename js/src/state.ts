// What the page shows, as plain data: everything that a link keeps, and that undo brings back.
import { middleOf, USUAL_STOP } from "./conditions.ts";
import { landscapes } from "./generated.ts";
import { knownRules } from "./known_rules.ts";
import type { Rule, Values } from "./rules.ts";
import type { Settings, StopSettings } from "./run.ts";
import type { Box } from "./view.ts";

export const LIMITS = {
  starts: 8,
  entries: 8,
  conditions: 8,
  steps: 10_000,
  dimension: 20,
  fragment: 30_000,
  operations: 5000,
} as const;

/** A rule in the race: its settings, and the number of its colour and dashes. */
export interface Entry {
  readonly rule: string;
  readonly convention: string;
  readonly values: Values;
  readonly rate: Settings["rate"];
  readonly look: number;
  readonly hidden: boolean;
}

export interface State {
  readonly formula: string;
  /** The part of the plane that is shown; of one variable, its first two numbers. */
  readonly box: Box;
  /** The two coordinates that are drawn. */
  readonly axes: readonly [number, number];
  /** Of more than two coordinates: two of them, or the plane along which the runs vary most. */
  readonly plane: "slice" | "principal";
  readonly starts: readonly (readonly number[])[];
  readonly entries: readonly Entry[];
  readonly steps: number;
  readonly gradient: Settings["gradient"];
  /** The standard deviation of noise on the gradient. */
  readonly noise: number;
  readonly seed: number;
  readonly target: number | null;
  /** What ends a run beside the target, checked in order. */
  readonly stop: readonly StopSettings[];
  /** The step shown; null: the last. */
  readonly at: number | null;
  /** The rule and the start that are looked at. */
  readonly active: number;
  readonly activeStart: number;
  readonly view: "map" | "surface";
  readonly basins: boolean;
  /** What stands beside the figure. */
  readonly panel: "histories" | "rates" | "numbers";
}

export function ruleOf(name: string, convention: string): Rule | undefined {
  return knownRules.find((rule) => rule.name === name && rule.convention === convention);
}

export const RATE = "learning_rate";

/** A rule with its own defaults. */
export function entryOf(rule: Rule, look: number, rate?: number, values: Values = {}): Entry {
  const own = rule.search ?? (typeof rule.rate.default === "number" ? rule.rate.default : 0.01);
  // What has no default is given the middle of its slider.
  const needed = rule.hyperparameters.filter(({ default: usual, optional }) => usual === null && !optional);
  const given = Object.fromEntries(needed.map((known) => [known.name, middleOf(known)]));
  const { name, convention } = rule;
  return { rule: name, convention, values: { ...given, ...values }, rate: rate ?? own, look, hidden: false };
}

/** The first number that no entry has as its look. */
export function freeLook(entries: readonly Entry[]): number {
  const taken = new Set(entries.map(({ look }) => look));
  return [0, 1, 2, 3, 4, 5, 6, 7].find((look) => !taken.has(look)) ?? 0;
}

/** The settings with which an entry is run. */
export function settingsOf(entry: Entry, state: State): Settings {
  return {
    rule: entry.rule,
    convention: entry.convention,
    values: entry.values,
    rate: entry.rate,
    gradient: state.gradient,
    maxSteps: state.steps,
    stop: state.stop,
    ...(state.noise > 0 ? { noise: { deviation: state.noise, seed: state.seed } } : {}),
    ...(state.target === null ? {} : { target: state.target }),
  };
}

/** The state that belongs to a landscape: its box and start. */
export function onLandscape(name: string): Pick<State, "formula" | "box" | "starts" | "axes" | "activeStart"> {
  const { formula, bounds, start } = landscapes.find((landscape) => landscape.name === name) ?? landscapes[0]!;
  const [across, up] = [bounds[0]!, bounds[1] ?? [0, 1]];
  return { formula, box: [across[0]!, across[1]!, up[0]!, up[1]!], starts: [[...start]], axes: [0, 1], activeStart: 0 };
}

/** Where runs on a landscape start so that rules part ways; elsewhere its own start serves. */
const FIRST_START = [-0.5, -1];

export function firstState(): State {
  const race: [string, number][] = [
    ["gradient_descent", 0.01],
    ["momentum", 0.004],
    ["adam", 0.25],
    ["rmsprop", 0.08],
  ];
  const entries = race.flatMap(([name, rate], look) => {
    const rule = ruleOf(name, "paper");
    return rule ? [entryOf(rule, look, rate)] : [];
  });
  return {
    ...onLandscape("himmelblau"),
    starts: [FIRST_START],
    entries,
    steps: 100,
    gradient: { kind: "exact" },
    noise: 0,
    seed: 0,
    target: null,
    stop: USUAL_STOP,
    at: null,
    active: 1,
    activeStart: 0,
    view: "map",
    basins: false,
    plane: "slice",
    panel: "histories",
  };
}
