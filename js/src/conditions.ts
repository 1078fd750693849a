// The stopping conditions of a run, as state: their settings, and as a link says them.
import { stoppingConditions } from "./generated.ts";
import { numberFrom, typed } from "./numbers.ts";
import { type Condition, type Hyperparameter, SettingError, settingsArray, type Values } from "./rules.ts";
import type { StopSettings } from "./run.ts";

/** Those that can be chosen: a run always ends where it is not finite, and the target has its own field. */
export const chosenConditions = stoppingConditions.filter(({ name }) => name !== "NotFinite" && name !== "Target");

/** What a run ends by unless something else is said. */
export const USUAL_STOP: readonly StopSettings[] = [{ condition: "StepSize", values: {} }];

/** Stands in a link for no condition at all. */
const NONE = "none";

/** A number for a setting that has none of its own: the middle of its slider. */
export function middleOf({ low, high, log, origin, whole }: Hyperparameter): number {
  const middle = log && !origin ? Math.sqrt(low * high) : (low + high) / 2;
  return whole ? Math.round(middle) : middle;
}

/** A condition with its defaults, and with likely numbers where it has none. */
export function conditionOf({ name, hyperparameters }: Condition): StopSettings {
  const needed = hyperparameters.filter(({ default: usual, optional }) => usual === null && !optional);
  return { condition: name, values: Object.fromEntries(needed.map((known) => [known.name, middleOf(known)])) };
}

export function knownCondition({ condition }: StopSettings): Condition {
  return stoppingConditions.find(({ name }) => name === condition)!;
}

/** A condition's name in words: GradientNorm is gradient norm. */
export function wordsOf(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, " $&").toLowerCase();
}

/** What a link says of the conditions; nothing of the usual ones. */
export function conditionTexts(stop: readonly StopSettings[]): string[] {
  const texts = stop.map(({ condition, values }) =>
    [condition, ...settings(values).map(([name, value]) => `${name}=${typed(value, 17)}`)].join(","),
  );
  if (texts.join() === "StepSize") return [];
  return texts.length ? texts : [NONE];
}

/** The numbers of a condition that are given. */
export function settings(values: Values): [string, number][] {
  return Object.entries(values).filter((one): one is [string, number] => typeof one[1] === "number");
}

/** The conditions that texts say; `refuse` is told of those that say none. */
export function conditionsFrom(
  texts: readonly string[],
  most: number,
  refuse: (text: string) => void,
): readonly StopSettings[] | null {
  if (texts.length === 1 && texts[0] === NONE) return [];
  const read = texts.flatMap((text, index) => {
    const condition = index < most ? conditionFrom(text) : null;
    if (!condition) refuse(text);
    return condition ?? [];
  });
  return read.length ? read : null;
}

function conditionFrom(text: string): StopSettings | null {
  const [name, ...parts] = text.split(",");
  const condition = chosenConditions.find((one) => one.name === name);
  if (!condition) return null;
  const values: Record<string, number> = {};
  for (const part of parts) {
    const [key, value = ""] = part.split("=");
    if (!condition.hyperparameters.some((known) => known.name === key)) return null;
    values[key!] = numberFrom(value);
  }
  try {
    settingsArray(condition.hyperparameters, values);
    return { condition: condition.name, values };
  } catch (error) {
    if (error instanceof SettingError) return null;
    throw error;
  }
}
