// A user's own rules, which fallline/explorer/own_rules.py writes as a function of what builds rules.

import { remainder } from "./functions.ts";
import { power } from "./pow.ts";
import { family, type Rule, setting, step } from "./rules.ts";
import { stepPower } from "./step_power.ts";

const builders = { family, pow: power, remainder, setting, step, stepPower };

/** The rules that such a function makes. */
export function ownRules(make: (built: typeof builders) => readonly Rule[]): readonly Rule[] {
  return make(builders);
}
