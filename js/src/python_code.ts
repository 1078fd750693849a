// What is on the page as Python: the call of the library that repeats it.
import { conditionTexts, settings } from "./conditions.ts";
import { rules as library } from "./generated.ts";
import { typed } from "./numbers.ts";
import { kindOf, scaleOf, settingsOfRate } from "./rate_kinds.ts";
import type { Value } from "./rules.ts";
import { type Entry, ruleOf, type State } from "./state.ts";

/** Classes whose names are not those of their kinds with capitals. */
const CLASSES: Readonly<Record<string, string>> = { step: "StepDecay", polyak: "PolyakStep" };

export function pythonOf(state: State): string {
  const starts = state.starts.map((start) => `[${start.map(number).join(", ")}]`);
  const rules = state.entries
    .filter(({ hidden }) => !hidden)
    .map((entry) => `        ${noisy(ruleCode(entry), state)},\n`);
  const lines = [
    "import fallline\n\n",
    "race = fallline.compare(\n",
    `    ${text(state.formula)},\n`,
    `    ${starts.length > 1 ? `[${starts.join(", ")}]` : starts[0]},\n`,
    `    [\n${rules.join("")}    ],\n`,
    `    max_steps=${state.steps},\n`,
    ...(state.gradient.kind === "exact"
      ? []
      : [`    gradient=fallline.Perturbation(${number(state.gradient.step ?? 1e-6)}, "${state.gradient.scheme}"),\n`]),
    ...(state.target === null ? [] : [`    target=${number(state.target)},\n`]),
    ...stopCode(state.stop),
    ")\n",
    "print(race)\n",
  ];
  return lines.join("");
}

function stopCode(stop: State["stop"]): string[] {
  if (!conditionTexts(stop).length) return [];
  const conditions = stop.map(({ condition, values }) => {
    const given = settings(values).map(([name, value]) => `${name}=${number(value)}`);
    return `fallline.${condition}(${given.join(", ")})`;
  });
  // What ends a run anyway stands for no condition.
  return [`    stop=${conditions.join(" | ") || "fallline.NotFinite()"},\n`];
}

function noisy(rule: string, { noise, seed }: State): string {
  return noise > 0 ? `fallline.GradientNoise(${rule}, variance=${number(noise * noise)}, power=0, seed=${seed})` : rule;
}

function ruleCode({ rule: name, convention, values, rate }: Entry): string {
  const { title, hyperparameters } = ruleOf(name, convention)!;
  const isOwn = !library.some((known) => known.name === name);
  // The page's defaults of a user's own rule are the settings with which it came, not those of its class.
  const usual = isOwn ? hyperparameters.filter((known) => known.default !== null) : [];
  const given = { ...Object.fromEntries(usual.map((known) => [known.name, known.default])), ...values };
  const parts = [
    `learning_rate=${rateCode(rate)}`,
    ...Object.entries(given).map(([key, value]) => setting(key, value)),
    ...(convention === "paper" ? [] : [`convention="${convention}"`]),
  ];
  return `${isOwn ? "" : "fallline."}${title}(${parts.join(", ")})`;
}

function setting(name: string, value: Value): string {
  return name === "penalty.strength" ? `penalty=fallline.L1(${code(value)})` : `${name}=${code(value)}`;
}

function rateCode(rate: Entry["rate"]): string {
  if (typeof rate === "number") return number(rate);
  const own = new Set(settingsOfRate(rate).map(({ name }) => name));
  const others = Object.entries(rate.values).flatMap(([key, value]) => (own.has(key) ? [`${key}=${code(value)}`] : []));
  if ("lineSearch" in rate) return `fallline.${className(rate.lineSearch)}(${others.join(", ")})`;
  const convention = kindOf(rate).split("@")[1];
  const scale = rate.after === undefined ? number(scaleOf(rate)) : `after=${number(scaleOf(rate))}`;
  const parts = rate.after === undefined ? [scale, ...others] : [...others, scale];
  return `fallline.${className(rate.schedule)}(${[...parts, ...(convention === "paper" ? [] : [`convention="${convention}"`])].join(", ")})`;
}

function className(name: string): string {
  return CLASSES[name] ?? name.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
}

function code(value: Value): string {
  if (Array.isArray(value)) return `(${value.map(number).join(", ")},)`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? number(value) : value === null ? "None" : text(String(value));
}

const number = (value: number): string => typed(value, 17);

/** A text as Python writes it. */
function text(value: string): string {
  const escaped = value.replace(/[\\"]/g, "\\$&").replace(/\r?\n/g, "\\n");
  return `"${escaped}"`;
}
