// The rules that a page knows: the library's, and a user's own that came along with it.
import { rules } from "./generated.ts";
import { ownRules } from "./own_rules.ts";
import type { Rule } from "./rules.ts";

const { falllineRules } = globalThis as { falllineRules?: Parameters<typeof ownRules>[0] };

export const knownRules: readonly Rule[] = falllineRules ? [...rules, ...ownRules(falllineRules)] : rules;
