// The state as the fragment of a link, and back: what a link says is checked like what is typed.
import { conditionsFrom, conditionTexts } from "./conditions.ts";
import { landscapes } from "./generated.ts";
import { FormulaError } from "./grammar.ts";
import { knownRules } from "./known_rules.ts";
import { numberFrom, typed } from "./numbers.ts";
import { fitted, type Problem, problemOf } from "./problem.ts";
import {
  isScaled,
  kindOf,
  rateAs,
  refusalOf,
  scaledTo,
  scaleOf,
  settingsOfRate,
  withRateSetting,
} from "./rate_kinds.ts";
import type { Hyperparameter, Value } from "./rules.ts";
import { refusal } from "./slider.ts";
import { type Entry, entryOf, freeLook, LIMITS, onLandscape, RATE, ruleOf, type State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import { type Box, usable } from "./view.ts";

const PANELS = ["histories", "rates", "numbers"] as const satisfies readonly State["panel"][];

/** The fragment that says a state. */
export function fragmentOf(state: State): string {
  const said = new URLSearchParams({ f: state.formula, box: list(state.box) });
  for (const start of state.starts) said.append("start", list(start));
  for (const entry of state.entries) said.append("rule", ruleText(entry));
  said.append("steps", String(state.steps));
  if (state.axes[0] !== 0 || state.axes[1] !== 1) said.append("axes", list(state.axes));
  if (state.gradient.kind === "perturbation")
    said.append("gradient", `${state.gradient.scheme},${typed(state.gradient.step ?? 1e-6, 17)}`);
  if (state.noise || state.seed) said.append("noise", list([state.noise, state.seed]));
  if (state.target !== null) said.append("target", typed(state.target, 17));
  for (const text of conditionTexts(state.stop)) said.append("stop", text);
  if (state.at !== null) said.append("at", String(state.at));
  said.append("active", list([state.active, state.activeStart]));
  if (state.view !== "map") said.append("view", state.view);
  if (state.plane !== "slice") said.append("plane", state.plane);
  if (state.basins) said.append("basins", "yes");
  if (state.panel !== "histories") said.append("panel", state.panel);
  // These have no meaning in a fragment, and read better as they are.
  return said
    .toString()
    .replace(/%2C/g, ",")
    .replace(/%40/g, "@")
    .replace(/%3D/g, "=")
    .replace(/%2A/g, "*")
    .replace(/%28/g, "(")
    .replace(/%29/g, ")")
    .replace(/%2F/g, "/");
}

const list = (numbers: readonly number[]): string => numbers.map((number) => typed(number, 17)).join(",");

function ruleText({ rule, convention, values, rate, look, hidden }: Entry): string {
  const settings = [`${rule}@${convention}`, `rate=${kindOf(rate)}`];
  if (isScaled(rate)) settings.push(`${RATE}=${typed(scaleOf(rate), 17)}`);
  const scale = new Set(settingsOfRate(rate).map(({ name }) => name));
  if (typeof rate === "object") {
    settings.push(
      ...Object.entries(rate.values)
        .filter(([name]) => scale.has(name))
        .map(([name, value]) => `rate.${name}=${valueText(value)}`),
    );
  }
  settings.push(...Object.entries(values).map(([name, value]) => `${name}=${valueText(value)}`), `look=${look}`);
  return [...settings, ...(hidden ? ["hidden=true"] : [])].join(",");
}

function valueText(value: Value): string {
  if (Array.isArray(value)) return value.map((one) => typed(one, 17)).join(";");
  return typeof value === "number" ? typed(value, 17) : String(value);
}

export interface Read {
  readonly state: State;
  /** Whether it says which part of the plane is shown, itself or by the name of a landscape. */
  readonly hasBox: boolean;
  /** Whether it says which rules run. */
  readonly hasRules: boolean;
  /** What was not taken. */
  readonly refused: readonly string[];
}

/** The state that a fragment says; what it leaves out, or says wrongly, stays as in another state. */
export function readFragment(fragment: string, usual: State): Read {
  if (fragment.length > LIMITS.fragment)
    return {
      state: usual,
      hasBox: true,
      hasRules: false,
      refused: [STRINGS.tooLong(fragment.length, LIMITS.fragment)],
    };
  const said = new URLSearchParams(fragment);
  const known = landscapes.find(({ formula }) => formula === said.get("f")?.trim());
  const reader = new Reader(said, known ? { ...usual, ...onLandscape(known.name) } : usual);
  const state = reader.state();
  const hasBox = known !== undefined || said.has("box") || !said.has("f");
  return { state, hasBox, hasRules: said.has("rule"), refused: reader.refused };
}

class Reader {
  readonly refused: string[] = [];
  private steps = 1;

  constructor(
    private readonly said: URLSearchParams,
    private readonly usual: State,
  ) {}

  state(): State {
    const { usual } = this;
    const known = new Set([
      "f",
      "box",
      "start",
      "rule",
      "steps",
      "axes",
      "plane",
      "gradient",
      "noise",
      "target",
      "stop",
      "at",
      "active",
      "view",
      "basins",
      "panel",
    ]);
    for (const key of new Set(this.said.keys())) if (!known.has(key)) this.refuse(key);
    const problem = this.problem();
    const steps = this.take("steps", (text) => whole(text, 1, LIMITS.steps)) ?? usual.steps;
    this.steps = steps;
    const entries = this.entries();
    const starts = this.starts(problem.dimension);
    const [active, activeStart] = this.take("active", (text) => pair(text, entries.length - 1, starts.length - 1)) ?? [
      Math.min(usual.active, entries.length - 1),
      0,
    ];
    const noise = this.take("noise", (text) => noiseFrom(text));
    return {
      formula: problem.formula.trim(),
      box: this.take("box", boxFrom) ?? usual.box,
      axes: this.take("axes", (text) => axesFrom(text, problem.dimension)) ?? [0, 1],
      starts,
      entries,
      steps,
      gradient: this.take("gradient", gradientFrom) ?? usual.gradient,
      noise: noise?.[0] ?? usual.noise,
      seed: noise?.[1] ?? usual.seed,
      target: this.take("target", finite) ?? usual.target,
      stop: this.stop() ?? usual.stop,
      at: this.take("at", (text) => whole(text, 0, steps)) ?? null,
      active: Math.max(0, active),
      activeStart,
      view: this.take("view", (text) => (text === "map" || text === "surface" ? text : null)) ?? "map",
      plane: this.take("plane", (text) => (text === "slice" || text === "principal" ? text : null)) ?? "slice",
      basins: this.take("basins", (text) => (text === "yes" ? true : null)) ?? false,
      panel: this.take("panel", (text) => PANELS.find((panel) => panel === text) ?? null) ?? "histories",
    };
  }

  private refuse(key: string, text = this.said.get(key) ?? ""): void {
    // What turns the direction of writing around would do so with all that follows.
    const part = `${key}=${text}`.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, "\ufffd");
    this.refused.push(part.length > 60 ? `${part.slice(0, 57)}…` : part);
  }

  /** What a key says, read; null if it says nothing, or not what it may. */
  private take<T>(key: string, read: (text: string) => T | null): T | null {
    const text = this.said.get(key);
    if (text === null) return null;
    const value = read(text);
    if (value === null || this.said.getAll(key).length > 1) this.refuse(key);
    return value;
  }

  private problem(): Problem {
    try {
      return problemOf(this.said.get("f") ?? this.usual.formula);
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      this.refuse("f");
      return problemOf(this.usual.formula);
    }
  }

  private stop(): State["stop"] | null {
    return conditionsFrom(this.said.getAll("stop"), LIMITS.conditions, (text) => this.refuse("stop", text));
  }

  private starts(dimension: number): State["starts"] {
    const starts = this.said.getAll("start").flatMap((text, index) => {
      const numbers = numbersFrom(text);
      if (numbers?.length === dimension && index < LIMITS.starts) return [numbers];
      this.refuse("start", text);
      return [];
    });
    return starts.length ? starts : fitted(this.usual.starts, dimension);
  }

  private entries(): readonly Entry[] {
    const entries: Entry[] = [];
    for (const text of this.said.getAll("rule")) {
      const entry = entries.length < LIMITS.entries ? this.entry(text, entries) : null;
      if (entry) entries.push(entry);
      else this.refuse("rule", text);
    }
    return this.said.has("rule") && entries.length ? entries : this.usual.entries;
  }

  private entry(text: string, before: readonly Entry[]): Entry | null {
    const [head, ...settings] = text.split(",");
    const [name, convention, ...more] = head!.split("@");
    const rule = more.length ? undefined : ruleOf(name!, convention ?? "paper");
    if (!rule) return null;
    let entry: Entry = entryOf(rule, freeLook(before));
    const told = new Set<string>();
    for (const setting of settings) {
      const [key, ...values] = setting.split("=") as [string, ...string[]];
      const next = values.length !== 1 || told.has(key) ? null : withSetting(entry, key, values[0]!, this.steps);
      if (next) entry = next;
      else this.refuse(`rule ${name} ${key}`, values.join("="));
      told.add(key);
    }
    const wrong = refusalOf(rule, entry.values, entry.rate);
    if (wrong === null) return entry;
    this.refuse(`rule ${name}`, wrong);
    return entryOf(rule, entry.look);
  }
}

/** An entry with one of its settings as a link says it; null if it cannot be so. */
function withSetting(entry: Entry, key: string, text: string, steps: number): Entry | null {
  if (key === "hidden") return text === "true" ? { ...entry, hidden: true } : null;
  if (key === "look") return /^[0-7]$/.test(text) ? { ...entry, look: Number(text) } : null;
  const rule = ruleOf(entry.rule, entry.convention)!;
  if (key === "rate") {
    const rate = rateAs(text, entry.rate, steps);
    return rate === null ? null : { ...entry, rate };
  }
  if (key === RATE) {
    const value = numberFrom(text);
    return refusal(rule.rate, value) === null ? { ...entry, rate: scaledTo(entry.rate, value) } : null;
  }
  if (key.startsWith("rate.")) {
    const known = settingsOfRate(entry.rate).find(({ name }) => name === key.slice(5));
    const value = known && valueFrom(known, text);
    return known && value !== undefined
      ? { ...entry, rate: withRateSetting(entry.rate, { [known.name]: value }) }
      : null;
  }
  const known = rule.hyperparameters.find(({ name }) => name === key);
  // What has an effect in another convention only may be said, and is of no matter.
  if (!known && knownRules.some(({ name, hyperparameters }) => name === rule.name && named(hyperparameters, key)))
    return entry;
  const value = known && valueFrom(known, text);
  return known && value !== undefined ? { ...entry, values: { ...entry.values, [known.name]: value } } : null;
}

const named = (all: readonly Hyperparameter[], key: string) => all.some(({ name }) => name === key);

/** The value of a setting that a text says; undefined if it may not have it. */
function valueFrom(known: Hyperparameter, text: string): Value | undefined {
  if (known.choices && typeof known.default !== "number") return known.choices.find((one) => String(one) === text);
  const numbers = text.split(";").map(numberFrom);
  if (numbers.length > known.size || numbers.some((one) => refusal(known, one) !== null)) return undefined;
  if (known.choices && !known.choices.includes(numbers[0]!)) return undefined;
  return known.size > 1 ? numbers : numbers[0];
}

function numbersFrom(text: string): number[] | null {
  const numbers = text.split(",").map(finite);
  return numbers.includes(null) ? null : (numbers as number[]);
}

function finite(text: string): number | null {
  const number = numberFrom(text);
  return Math.abs(number) < 1e12 ? number : null;
}

function whole(text: string, low: number, high: number): number | null {
  const number = numberFrom(text);
  return Number.isInteger(number) && number >= low && number <= high ? number : null;
}

function pair(text: string, first: number, second: number): [number, number] | null {
  const [one, two, ...more] = text.split(",");
  const [a, b] = [whole(one!, 0, first), whole(two ?? "", 0, second)];
  return a === null || b === null || more.length ? null : [a, b];
}

function boxFrom(text: string): Box | null {
  const numbers = numbersFrom(text);
  const box = numbers as unknown as Box;
  return numbers?.length === 4 && usable(box) ? box : null;
}

function axesFrom(text: string, dimension: number): [number, number] | null {
  const axes = pair(text, dimension - 1, dimension - 1);
  return axes && axes[0] !== axes[1] ? axes : null;
}

function gradientFrom(text: string): State["gradient"] | null {
  const [scheme, step, ...more] = text.split(",");
  const size = numberFrom(step ?? "");
  return ["forward", "backward", "central"].includes(scheme!) && size > 0 && size <= 1 && !more.length
    ? { kind: "perturbation", scheme: scheme!, step: size }
    : null;
}

function noiseFrom(text: string): [number, number] | null {
  const [size, seed, ...more] = text.split(",");
  const [deviation, start] = [numberFrom(size!), whole(seed ?? "0", 0, 2 ** 31)];
  return deviation >= 0 && deviation < 1e6 && start !== null && !more.length ? [deviation, start] : null;
}
