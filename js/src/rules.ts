// What the page knows of rules, schedules, stopping conditions and landscapes: the types of generated.ts, and what
// builds its entries.
import { type Line, mathml, table } from "./mathml.ts";

/** The numbers that a setting may be: in words, the ends, whether they are left out, and whether it is whole. */
export interface Limits {
  readonly allowed: string;
  readonly least: number;
  readonly most: number;
  readonly leastOpen: boolean;
  readonly mostOpen: boolean;
  readonly whole: boolean;
}

/** A setting that can be changed. */
export interface Hyperparameter extends Limits {
  readonly name: string;
  /** Its symbol as MathML. */
  readonly symbol: string;
  readonly about: string;
  /** null if there is none: then one must be given, unless it is optional. */
  readonly default: number | boolean | string | null | readonly number[];
  /** The ends of its slider, whether that is logarithmic, and from where the distance is then counted. */
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly origin: number;
  /** The values for which there is code, if it is made for each of them; null for any number allowed. */
  readonly choices: readonly (number | boolean | string)[] | null;
  /** For how many numbers it has room, if it is a list; else 1. */
  readonly size: number;
  /** Whether null stands for the absence of a number. */
  readonly optional: boolean;
}

export type Value = number | boolean | string | null | readonly number[];
export type Values = Readonly<Record<string, Value>>;

/** A step of a rule. All arrays are filled in place; an array that is filled is none of those that are read. */
export interface Step {
  /** The parts of the state: first those of every coordinate, then those that all coordinates share. */
  readonly parts: readonly { readonly name: string; readonly wide: boolean }[];
  /** How many numbers the state takes, with what a step stores on the way. */
  stateSize(n: number): number;
  /** Computes the state at the start; the rate is that of the first step. */
  init(x: Float64Array, state: Float64Array, h: Float64Array, rate: number): void;
  /** Computes what is subtracted from x, and the state after the step. */
  update(
    gradient: Float64Array,
    state: Float64Array,
    rate: number,
    step: number,
    h: Float64Array,
    out: Float64Array,
  ): void;
  /** Where the gradient is taken, if not at x. */
  lookahead?(x: Float64Array, state: Float64Array, h: Float64Array, out: Float64Array): void;
  /** What is zero at a minimum, if not the gradient. */
  projected?(x: Float64Array, gradient: Float64Array, h: Float64Array, out: Float64Array): void;
  /** What of the gradient no set and no penalty of the rule's own balances, looking so far as `near`, if not all. */
  unbalanced?(x: Float64Array, gradient: Float64Array, near: number, h: Float64Array, out: Float64Array): void;
}

/** An update rule in one convention. */
export interface Rule {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly convention: string;
  /** Whether each coordinate is independent of the others: then many runs can be one call on all their coordinates. */
  readonly elementwise: boolean;
  /** The largest rate that a line search may give it. */
  readonly longestRate: number;
  readonly rate: Hyperparameter;
  /** The line search that it has in place of a rate by default. */
  readonly search: { readonly lineSearch: string; readonly values: Values } | null;
  readonly hyperparameters: readonly Hyperparameter[];
  /** The places of those by which it shrinks x. */
  readonly decays: readonly number[];
  /** Its formula, line by line in the short spelling of mathml.ts. */
  readonly lines: readonly Line[];
  /** Its formula as MathML; each symbol of a setting has its name as data-setting. */
  readonly mathml: string;
  /** Its step with these settings, which are those of `settingsArray`. */
  step(h: Float64Array): Step;
}

/** The rate of a step, counted from 1, from a memory of the values so far and a schedule inside. */
export type RateOfStep = (
  step: number,
  h: Float64Array,
  memory: Float64Array,
  inner: (step: number) => number,
) => number;

export interface RateCode {
  readonly memory: number;
  readonly rate: RateOfStep;
  /** The memory after the value at the start, and after a later one; of schedules that watch the values. */
  readonly first?: (value: number, memory: Float64Array, h: Float64Array) => void;
  readonly watch?: (value: number, memory: Float64Array, h: Float64Array) => void;
}

/** A schedule in one convention. */
export interface Schedule {
  readonly name: string;
  readonly convention: string;
  /** Whether it watches the values of the run. */
  readonly watches: boolean;
  /** Whether it holds another schedule, or a number, `after`. */
  readonly holds: boolean;
  /** Without `after`; the first of the others scales the rate, and is the rate itself in the settings of a run. */
  readonly hyperparameters: readonly Hyperparameter[];
  code(h: Float64Array): RateCode;
}

/** What stopping conditions look at. */
export interface Progress {
  step: number;
  x: Float64Array;
  value: number;
  gradient: Float64Array;
  change: Float64Array;
  previousChange: Float64Array;
  previousValue: number;
  firstValue: number;
  evaluations: number;
  seconds: number;
}

/** What is left of the slope where a run ended: see Left of fallline/stopping.py. */
export interface Left {
  readonly x: Float64Array;
  readonly value: number;
  readonly slope: Float64Array;
  readonly fall: number;
  readonly step: Float64Array;
  /** 1 where it is so, else 0. */
  readonly gone: number;
  readonly slight: number;
  readonly down: number;
}

export type Test = (progress: Progress, h: Float64Array) => boolean;

export interface Tests {
  /** Whether it ends a run at its start. */
  readonly first: Test;
  /** What is quick, and true wherever it ends a run later. */
  readonly near: Test;
  readonly met: Test;
  /** Whether what is left of the slope bears out that the run has converged. */
  readonly holds: (left: Left, h: Float64Array) => boolean;
  /** The reason where it does not; null if the condition says nothing of the slope. */
  readonly onASlope: string | null;
}

export interface Condition {
  readonly name: string;
  readonly about: string;
  readonly reason: string;
  readonly converged: boolean;
  readonly hyperparameters: readonly Hyperparameter[];
  tests(h: Float64Array): Tests;
}

export interface LineSearchKind {
  readonly name: string;
  readonly hyperparameters: readonly Hyperparameter[];
}

export interface Landscape {
  readonly name: string;
  readonly formula: string;
  readonly names: readonly string[];
  readonly bounds: readonly (readonly [number, number])[];
  readonly minima: readonly (readonly number[])[];
  readonly lowest: number;
  readonly start: readonly number[];
}

/** A value that a setting may not have. */
export class SettingError extends Error {
  constructor(
    readonly parameter: string,
    readonly value: unknown,
    readonly allowed: string,
  ) {
    super(`${parameter} is ${JSON.stringify(value)}; ${allowed}`);
  }
}

/** The settings as the code reads them: booleans as 0 and 1, texts by their place, lists filled up with infinity. */
export function settingsArray(hyperparameters: readonly Hyperparameter[], values: Values): Float64Array {
  const h = new Float64Array(hyperparameters.reduce((size, entry) => size + entry.size, 0));
  let place = 0;
  for (const entry of hyperparameters) {
    const value = values[entry.name] ?? entry.default;
    if (entry.size > 1) h.fill(Number.POSITIVE_INFINITY, place, place + entry.size).set(numbers(entry, value), place);
    else h[place] = number(entry, value);
    place += entry.size;
  }
  return h;
}

function numbers(entry: Hyperparameter, value: Value): readonly number[] {
  const list = typeof value === "number" ? [value] : value;
  const isList = Array.isArray(list) && list.length > 0 && list.length <= entry.size;
  if (!isList) throw new SettingError(entry.name, value, `it must be 1 to ${entry.size} numbers`);
  for (const part of list) number(entry, part);
  return list;
}

function number(entry: Hyperparameter, value: Value): number {
  if (value === null && entry.optional) return Number.NaN;
  if (typeof entry.default === "string" || typeof value === "string") {
    const place = entry.choices?.indexOf(value as string) ?? -1;
    if (place < 0) throw new SettingError(entry.name, value, `it must be one of ${entry.choices?.join(", ")}`);
    return place;
  }
  const given = typeof value === "number" || typeof value === "boolean" ? Number(value) : Number.NaN;
  const above = entry.leastOpen ? given > entry.least : given >= entry.least;
  const below = entry.mostOpen ? given < entry.most : given <= entry.most;
  const whole = !entry.whole || Number.isInteger(given);
  if (!(above && below && whole && Number.isFinite(given))) {
    throw new SettingError(entry.name, value, `it must be ${entry.allowed}`);
  }
  return given;
}

// What builds the entries of generated.ts -----------------------------------------------------------------------------

// biome-ignore lint/suspicious/noExplicitAny: the functions of generated.ts are of all the kinds above
export type Code = (...parameters: any[]) => any;

/** A setting as generated.ts has it: the index of its limits, and the rest as in Hyperparameter, as far as not usual. */
export type Written = readonly [
  limits: number,
  name: string,
  symbol: string,
  about: string,
  usual: Hyperparameter["default"],
  low: number,
  high: number,
  log?: number,
  origin?: number,
  choices?: Hyperparameter["choices"],
  size?: number,
  optional?: number,
];

/** The places of the settings for which there is code of its own, and their values; null for any number. */
type By = readonly (readonly [number, readonly (number | null)[]])[];

export function setting(limits: readonly Limits[], written: Written): Hyperparameter {
  const [place, name, symbol, about, usual, low, high] = written;
  const [log = 0, origin = 0, choices = null, size = 1, optional = 0] = written.slice(7) as Tail;
  const marked = mathml(symbol.replace("[", `:${name}[`));
  return {
    ...limits[place]!,
    ...{ name, about, low, high, origin, choices, size },
    symbol: marked,
    default: usual,
    log: Boolean(log),
    optional: Boolean(optional),
  };
}

type Tail = [number?, number?, Hyperparameter["choices"]?, number?, number?];

export function step(
  names: string,
  shared: number,
  scratch: number,
  init: Step["init"],
  update: Step["update"],
  lookahead?: Step["lookahead"] | 0,
  projected?: Step["projected"] | 0,
  unbalanced?: Step["unbalanced"],
): Step {
  const all = names ? names.split(" ") : [];
  const wide = all.length - shared;
  return {
    parts: all.map((name, k) => ({ name, wide: k < wide })),
    stateSize: (n) => (wide + scratch) * n + shared,
    init,
    update,
    ...(lookahead ? { lookahead } : {}),
    ...(projected ? { projected } : {}),
    ...(unbalanced ? { unbalanced } : {}),
  };
}

/** The entry of a list for the settings: one for each combination of values, of which the last changes fastest. */
function chosen<Made>(
  hyperparameters: readonly Hyperparameter[],
  by: By,
  made: readonly Made[],
  h: Float64Array,
): Made {
  let place = 0;
  for (const [index, offered] of by) {
    const value = h[index]!;
    let k = offered.findIndex((one) => one !== null && Object.is(one, value));
    if (k < 0) k = offered.indexOf(null);
    if (k < 0) throw new SettingError(nameAt(hyperparameters, index), value, `it must be one of ${offered.join(", ")}`);
    place = place * offered.length + k;
  }
  return made[place]!;
}

function nameAt(hyperparameters: readonly Hyperparameter[], place: number): string {
  return hyperparameters.flatMap((entry) => Array<string>(entry.size).fill(entry.name))[place]!;
}

/** The entries of a table at indices that are separated by spaces. */
function picked<Entry>(table: readonly Entry[], places: string): Entry[] {
  return places ? places.split(" ").map((place) => table[Number(place)]!) : [];
}

/** A convention of a rule: the indices of its rate, its settings and its lines stand in place of these. */
type WrittenRule = readonly [
  convention: string,
  elementwise: number,
  rate: number,
  hyperparameters: string,
  lines: string,
  steps: readonly Step[],
  more?: Partial<Pick<Rule, "longestRate" | "search" | "decays">> & { readonly by?: By },
];

/** All conventions of a rule; its settings and lines stand in tables. */
export function family(
  allLines: readonly Line[],
  settings: readonly Hyperparameter[],
  name: string,
  title: string,
  paper: string,
  conventions: readonly WrittenRule[],
): Rule[] {
  return conventions.map(([convention, elementwise, rate, places, lines, steps, { by = [], ...more } = {}]) => {
    const hyperparameters = picked(settings, places);
    return {
      ...{ name, title, paper, convention, search: null, decays: [] },
      longestRate: Number.POSITIVE_INFINITY,
      ...more,
      elementwise: Boolean(elementwise),
      rate: settings[rate]!,
      hyperparameters,
      get lines() {
        return picked(allLines, lines);
      },
      get mathml() {
        return table(this.lines);
      },
      step: (h) => chosen(hyperparameters, by, steps, h),
    };
  });
}

export function rate(memory: number, of: RateOfStep, first?: RateCode["first"], watch?: RateCode["watch"]): RateCode {
  return { memory, rate: of, ...(first && watch ? { first, watch } : {}) };
}

interface WrittenSchedule extends Omit<Schedule, "name" | "code" | "hyperparameters"> {
  readonly hyperparameters: string;
  readonly by?: By;
  readonly rates: readonly RateCode[];
}

/** All conventions of a schedule. */
export function scheduleFamily(
  settings: readonly Hyperparameter[],
  name: string,
  conventions: readonly WrittenSchedule[],
): Schedule[] {
  return conventions.map(({ by = [], rates, ...written }) => {
    const hyperparameters = picked(settings, written.hyperparameters);
    return { name, ...written, hyperparameters, code: (h) => chosen(hyperparameters, by, rates, h) };
  });
}

export function search(
  settings: readonly Hyperparameter[],
  written: Omit<LineSearchKind, "hyperparameters"> & { readonly hyperparameters: string },
): LineSearchKind {
  return { ...written, hyperparameters: picked(settings, written.hyperparameters) };
}

export function tests(
  onASlope: string | null,
  first: Test | 0,
  near: Test | 0,
  met: Test,
  holds: Tests["holds"] | 0,
): Tests {
  return { onASlope, first: first || (() => false), near: near || met, met, holds: holds || (() => true) };
}

interface WrittenCondition extends Omit<Condition, "tests" | "hyperparameters"> {
  readonly hyperparameters: string;
  readonly by?: By;
  readonly of: readonly Tests[];
}

export function condition(
  settings: readonly Hyperparameter[],
  { by = [], of, ...written }: WrittenCondition,
): Condition {
  const hyperparameters = picked(settings, written.hyperparameters);
  return { ...written, hyperparameters, tests: (h) => chosen(hyperparameters, by, of, h) };
}
