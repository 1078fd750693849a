// What the page knows of rules, schedules, stopping conditions and landscapes: the types of generated.ts, and what
// builds its entries.
import { type Line, table } from "./mathml.ts";

/** A setting that can be changed. */
export interface Hyperparameter {
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
  readonly whole: boolean;
  /** What is allowed, in words and as numbers. */
  readonly allowed: string;
  readonly least: number;
  readonly most: number;
  readonly leastOpen: boolean;
  readonly mostOpen: boolean;
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
  init(x: Float64Array, state: Float64Array, h: Float64Array): void;
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
}

/** An update rule in one convention. */
export interface Rule {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly paper: string;
  readonly convention: string;
  /** What the convention does, in words. */
  readonly does: string;
  /** Whether each coordinate is independent of the others: then many runs can be one call on all their coordinates. */
  readonly elementwise: boolean;
  /** The largest rate that a line search may give it. */
  readonly longestRate: number;
  readonly rate: Hyperparameter;
  /** The line search that it has in place of a rate by default. */
  readonly search: { readonly lineSearch: string; readonly values: Values } | null;
  readonly hyperparameters: readonly Hyperparameter[];
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
  readonly about: string;
  readonly convention: string;
  readonly does: string;
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

export type Test = (progress: Progress, h: Float64Array) => boolean;

export interface Tests {
  /** Whether it ends a run at its start. */
  readonly first: Test;
  /** What is quick, and true wherever it ends a run later. */
  readonly near: Test;
  readonly met: Test;
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
  readonly about: string;
  readonly hyperparameters: readonly Hyperparameter[];
}

export interface Landscape {
  readonly name: string;
  readonly formula: string;
  readonly names: readonly string[];
  readonly bounds: readonly (readonly [number, number])[];
  readonly minima: readonly (readonly number[])[];
  readonly lowest: number;
  readonly source: string;
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
  const given = value === null ? Number.NaN : Number(value);
  const above = entry.leastOpen ? given > entry.least : given >= entry.least;
  const below = entry.mostOpen ? given < entry.most : given <= entry.most;
  const whole = !entry.whole || Number.isInteger(given);
  if (!(above && below && whole && Number.isFinite(given))) {
    throw new SettingError(entry.name, value, `it must be ${entry.allowed}`);
  }
  return given;
}

/** The remainder with the divisor's sign, as Python has it. */
export function remainder(x: number, divisor: number): number {
  const left = x % divisor;
  return left !== 0 && left * divisor < 0 ? left + divisor : left;
}

// What builds the entries of generated.ts -----------------------------------------------------------------------------

// biome-ignore lint/suspicious/noExplicitAny: the functions of generated.ts are of all the kinds above
export type Code = (...parameters: any[]) => any;

export type Written = Pick<Hyperparameter, "name" | "symbol" | "about" | "default" | "low" | "high" | "allowed"> &
  Partial<Hyperparameter>;

/** The places of the settings for which there is code of its own, and their values; null for any number. */
type By = readonly (readonly [number, readonly (number | null)[]])[];

/** A setting, from what is not as usual of it. */
export function setting(written: Written): Hyperparameter {
  return {
    log: false,
    origin: 0,
    whole: false,
    least: Number.NEGATIVE_INFINITY,
    most: Number.POSITIVE_INFINITY,
    leastOpen: false,
    mostOpen: false,
    choices: null,
    size: 1,
    optional: false,
    ...written,
  };
}

export function step(
  names: string,
  shared: number,
  scratch: number,
  init: Step["init"],
  update: Step["update"],
  lookahead?: Step["lookahead"] | 0,
  projected?: Step["projected"],
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

interface WrittenRule extends Pick<Rule, "convention" | "does" | "elementwise" | "rate" | "hyperparameters"> {
  readonly longestRate?: number;
  readonly search?: Rule["search"];
  readonly by?: By;
  readonly steps: readonly Step[];
  readonly lines: readonly Line[];
}

/** All conventions of a rule. */
export function family(
  name: string,
  title: string,
  about: string,
  paper: string,
  conventions: readonly WrittenRule[],
): Rule[] {
  return conventions.map(
    ({ by = [], steps, lines, longestRate = Number.POSITIVE_INFINITY, search = null, ...rest }) => ({
      name,
      title,
      about,
      paper,
      longestRate,
      search,
      ...rest,
      get mathml() {
        return table(lines);
      },
      step: (h) => chosen(rest.hyperparameters, by, steps, h),
    }),
  );
}

export function rate(memory: number, of: RateOfStep, first?: RateCode["first"], watch?: RateCode["watch"]): RateCode {
  return { memory, rate: of, ...(first && watch ? { first, watch } : {}) };
}

interface WrittenSchedule extends Omit<Schedule, "name" | "about" | "code"> {
  readonly by?: By;
  readonly rates: readonly RateCode[];
}

/** All conventions of a schedule. */
export function scheduleFamily(name: string, about: string, conventions: readonly WrittenSchedule[]): Schedule[] {
  return conventions.map(({ by = [], rates, ...rest }) => ({
    name,
    about,
    ...rest,
    code: (h) => chosen(rest.hyperparameters, by, rates, h),
  }));
}

export function tests(first: Test | 0, near: Test | 0, met: Test): Tests {
  return { first: first || (() => false), near: near || met, met };
}

interface WrittenCondition extends Omit<Condition, "tests"> {
  readonly by?: By;
  readonly of: readonly Tests[];
}

export function condition({ by = [], of, ...rest }: WrittenCondition): Condition {
  return { ...rest, tests: (h) => chosen(rest.hyperparameters, by, of, h) };
}
