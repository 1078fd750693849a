// What is on the page as a recipe file: the TOML that `fallline run` repeats and `fallline explore` shows again.
import { conditionTexts, wordsOf } from "./conditions.ts";
import { rules } from "./generated.ts";
import { typed } from "./numbers.ts";
import { titleOf } from "./race.ts";
import { kindOf, scaleOf, settingsOfRate } from "./rate_kinds.ts";
import type { Value, Values } from "./rules.ts";
import type { Entry, State } from "./state.ts";

type Toml = string | number | boolean | readonly Toml[] | { readonly [key: string]: Toml };

/** The titles of the rules shown that a recipe cannot hold: a user's own, which are code. */
export function notInRecipes({ entries }: State): string[] {
  const own = ({ rule, hidden }: Entry) => !hidden && !rules.some(({ name }) => name === rule);
  return [...new Set(entries.filter(own).map(titleOf))];
}

export function recipeOf(state: State, names: readonly string[]): string {
  const { formula, starts, gradient, steps } = state;
  const stop = stopTables(state);
  const head: Record<string, Toml> = {
    objective: formula,
    starts,
    ...(gradient.kind === "exact" ? {} : { gradient: gradientTable(gradient) }),
    max_steps: steps,
    ...(stop.length ? { stop } : {}),
  };
  const shown = state.entries.filter(({ hidden }) => !hidden);
  const rules = labels(shown).map((label, k) => ({ label, ...ruleTable(shown[k]!, state) }));
  return [
    lines(head),
    ...rules.map((rule) => `[[optimizers]]\n${lines(rule)}`),
    `[[views]]\n${lines(viewTable(state, names))}`,
  ].join("\n");
}

function gradientTable(gradient: Extract<State["gradient"], { kind: "perturbation" }>): Toml {
  const { step, scheme } = gradient;
  return { name: "perturbation", ...(typeof step === "number" ? { step } : {}), scheme };
}

/** The conditions in the order in which they are checked; none for the usual ones. */
function stopTables({ target, stop }: State): Toml[] {
  if (target === null && !conditionTexts(stop).length) return [];
  const tables = stop.map(({ condition, values }) => ({ name: inSnakeCase(condition), ...given(values) }));
  const all = target === null ? tables : [{ name: "target", value: target }, ...tables];
  // What ends a run anyway stands for no condition.
  return all.length ? all : [{ name: "not_finite" }];
}

const inSnakeCase = (name: string): string => wordsOf(name).replaceAll(" ", "_");

/** The titles of the rules, numbered where they are alike. */
function labels(entries: readonly Entry[]): string[] {
  const titles = entries.map(titleOf);
  return titles.map((title, k) => {
    const before = titles.slice(0, k).filter((one) => one === title).length;
    return before ? `${title} ${before + 1}` : title;
  });
}

function ruleTable(entry: Entry, { noise, seed }: State): Record<string, Toml> {
  const { rule: name, convention, values, rate } = entry;
  const { "penalty.strength": strength, ...own } = given(values);
  const rule = {
    name,
    learning_rate: rateTable(rate),
    ...own,
    ...(strength === undefined ? {} : { penalty: { name: "l1", strength } }),
    ...(convention === "paper" ? {} : { convention }),
  };
  return noise > 0 ? { name: "gradient_noise", variance: noise * noise, power: 0, seed, rule } : rule;
}

function rateTable(rate: Entry["rate"]): Toml {
  if (typeof rate === "number") return rate;
  const own = new Set(settingsOfRate(rate).map(({ name }) => name));
  const settings = Object.fromEntries(Object.entries(given(rate.values)).filter(([name]) => own.has(name)));
  if ("lineSearch" in rate) return { name: rate.lineSearch, ...settings };
  const convention = kindOf(rate).split("@")[1]!;
  const held = rate.after === undefined ? given(rate.values) : { ...settings, after: scaleOf(rate) };
  return { name: rate.schedule, ...held, ...(convention === "paper" ? {} : { convention }) };
}

/** The settings that have a value. */
function given(values: Values): Record<string, Toml> {
  return Object.fromEntries(
    Object.entries(values).filter((one): one is [string, Exclude<Value, null>] => one[1] !== null),
  );
}

function viewTable({ box, axes, plane, view }: State, names: readonly string[]): Record<string, Toml> {
  const [across, up] = [box.slice(0, 2), box.slice(2)];
  if (names.length === 1) return { kind: "curve", bounds: across };
  const drawn = plane === "principal" ? "pca" : axes.map((axis) => names[axis]!);
  const coordinates = names.length > 2 ? { coordinates: drawn } : {};
  return { kind: view === "surface" ? "surface" : "contour", ...coordinates, bounds: [across, up] };
}

const lines = (table: Record<string, Toml>): string =>
  Object.entries(table)
    .map(([key, value]) => `${key} = ${text(value)}\n`)
    .join("");

function text(value: Toml): string {
  // JSON has the same escapes, except of the character DEL.
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
  if (typeof value === "number") return Number.isFinite(value) ? typed(value, 17) : value > 0 ? "inf" : "-inf";
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(text).join(", ")}]`;
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key} = ${text(one)}`)
    .join(", ")} }`;
}
