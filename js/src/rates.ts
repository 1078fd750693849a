// The learning rate of each step: given as a number, by a schedule, or found by a line search.
import { lineSearches, schedules } from "./generated.ts";
import { type Search, searches } from "./line_search.ts";
import { type Hyperparameter, SettingError, settingsArray, type Values } from "./rules.ts";

export interface ScheduleSettings {
  readonly schedule: string;
  readonly convention?: string;
  readonly values: Values;
  /** What a schedule that holds another one holds. */
  readonly after?: number | ScheduleSettings;
}

export interface SearchSettings {
  readonly lineSearch: string;
  readonly values: Values;
}

/** A rate that depends on the step, counted from 1, and perhaps on the values so far. */
export interface Rate {
  of(step: number): number;
  /** Takes note of the value at a point, the start included. */
  watch(value: number): void;
}

/** The rate of a run; `known` is the setting of the rule's rate. */
export function rateOf(settings: number | ScheduleSettings, known: Hyperparameter): Rate {
  if (typeof settings === "number") {
    settingsArray([known], { [known.name]: settings });
    return { of: () => settings, watch: () => {} };
  }
  const convention = settings.convention ?? "paper";
  const kind = schedules.find((one) => one.name === settings.schedule && one.convention === convention);
  if (!kind) throw new SettingError("schedule", `${settings.schedule}@${convention}`, "there is no such schedule");
  const h = settingsArray(kind.hyperparameters, settings.values);
  const { memory, rate, first, watch } = kind.code(h);
  const remembered = new Float64Array(memory);
  // A rule may ask for the first rate before any value is known.
  first?.(Number.POSITIVE_INFINITY, remembered, h);
  const inside = kind.holds ? rateOf(settings.after ?? Number.NaN, known) : undefined;
  const inner = inside ? inside.of : () => Number.NaN;
  let begun = false;
  return {
    of: (step) => rate(step, h, remembered, inner),
    watch(value) {
      (begun ? watch : first)?.(value, remembered, h);
      begun = true;
    },
  };
}

export function searchOf(settings: SearchSettings): Search {
  const kind = lineSearches.find((one) => one.name === settings.lineSearch);
  if (!kind) throw new SettingError("lineSearch", settings.lineSearch, "there is no such line search");
  const h = settingsArray(kind.hyperparameters, settings.values);
  return searches[kind.name]!(Object.fromEntries(kind.hyperparameters.map((entry, k) => [entry.name, h[k]!])));
}
