// A rule's rate in its three kinds, as a choice and the numbers that belong to it.
import { lineSearches, schedules } from "./generated.ts";
import { type Rate, rateOf, searchOf } from "./rates.ts";
import { type Hyperparameter, type Rule, type Schedule, SettingError, settingsArray, type Values } from "./rules.ts";
import type { Settings } from "./run.ts";
import { STRINGS } from "./strings.ts";

type RateSettings = Settings["rate"];

const CONSTANT = "constant";

/** The choice that a rate is: "constant", "schedule:cosine@torch" or "search:polyak". */
export function kindOf(rate: RateSettings): string {
  if (typeof rate === "number") return CONSTANT;
  if ("schedule" in rate) return `schedule:${rate.schedule}@${rate.convention ?? "paper"}`;
  return `search:${rate.lineSearch}`;
}

/** All choices, with what they are called. */
export function rateKinds(): [string, string][] {
  const words = (name: string, convention = "paper") =>
    name.replaceAll("_", " ") + (convention === "paper" ? "" : ` (${convention})`);
  return [
    [CONSTANT, STRINGS.constant],
    ...schedules
      .filter(({ name }) => name !== CONSTANT)
      .map(({ name, convention }): [string, string] => [`schedule:${name}@${convention}`, words(name, convention)]),
    ...lineSearches.map(({ name }): [string, string] => [`search:${name}`, STRINGS.lineSearch(words(name))]),
  ];
}

/** The rate of a kind that begins like another: at its rate, over so many steps; null if there is no such kind. */
export function rateAs(kind: string, like: RateSettings, steps: number): RateSettings | null {
  const scale = scaleOf(like);
  if (kind === CONSTANT) return scale;
  const [which, name] = kind.split(":");
  if (which === "search")
    return lineSearches.some((one) => one.name === name) ? { lineSearch: name!, values: {} } : null;
  const schedule = scheduleOf(name ?? "");
  if (!schedule) return null;
  const settings = { schedule: schedule.name, convention: schedule.convention };
  if (schedule.holds) return { ...settings, values: {}, after: scale };
  const first = schedule.hyperparameters[0]!.name;
  const lasts = schedule.hyperparameters.some((one) => one.name === "steps" && one.most >= steps && one.least <= steps);
  return { ...settings, values: { [first]: scale, ...(lasts ? { steps } : {}) } };
}

/** The number that a rate is scaled by. */
export function scaleOf(rate: RateSettings): number {
  if (typeof rate === "number") return rate;
  if (!("schedule" in rate)) return 0.01;
  if (rate.after !== undefined) return scaleOf(rate.after);
  const first = scheduleOf(kindOf(rate).slice("schedule:".length))?.hyperparameters[0]?.name ?? "";
  return Number(rate.values[first] ?? 0.01);
}

/** The same rate, scaled by another number. */
export function scaledTo(rate: RateSettings, scale: number): RateSettings {
  if (typeof rate === "number") return scale;
  if (!("schedule" in rate)) return rate;
  if (rate.after !== undefined) return { ...rate, after: scale };
  const first = scheduleOf(kindOf(rate).slice("schedule:".length))!.hyperparameters[0]!.name;
  return { ...rate, values: { ...rate.values, [first]: scale } };
}

/** Whether a rate has a number that scales it. */
export function isScaled(rate: RateSettings): boolean {
  return typeof rate === "number" || "schedule" in rate;
}

/** The numbers of a schedule or a line search, but for the one that scales it. */
export function settingsOfRate(rate: RateSettings): readonly Hyperparameter[] {
  if (typeof rate === "number") return [];
  if ("schedule" in rate) {
    const schedule = scheduleOf(kindOf(rate).slice("schedule:".length));
    return schedule ? schedule.hyperparameters.slice(schedule.holds ? 0 : 1) : [];
  }
  return lineSearches.find(({ name }) => name === rate.lineSearch)?.hyperparameters ?? [];
}

export function withRateSetting(rate: RateSettings, values: Values): RateSettings {
  return typeof rate === "number" ? rate : { ...rate, values: { ...rate.values, ...values } };
}

/** Why a rule cannot be run with its settings; null if it can. */
export function refusalOf(rule: Rule, values: Values, rate: RateSettings): string | null {
  try {
    settingsArray(rule.hyperparameters, values);
    if (typeof rate === "object" && "lineSearch" in rate) searchOf(rate);
    else void (rateOf(rate, rule.rate) satisfies Rate);
    return null;
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
}

function scheduleOf(name: string): Schedule | undefined {
  const [kind, convention = "paper"] = name.split("@");
  return schedules.find((one) => one.name === kind && one.convention === convention);
}
