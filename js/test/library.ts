// Writes what the page knows of the library: rules, schedules, conditions, line searches and landscapes.
import { writeFileSync } from "node:fs";
import { landscapes, lineSearches, rules, schedules, stoppingConditions } from "../src/generated.ts";

const [, , , found] = process.argv;
// JSON has no infinities.
const asText = (_: string, value: unknown) => (Math.abs(Number(value)) === Infinity ? String(value) : value);
// The formula is made when it is asked for, and JSON leaves functions out.
const named = rules.map((rule) => ({ ...rule, mathml: rule.mathml }));
writeFileSync(
  found!,
  JSON.stringify({ rules: named, schedules, stoppingConditions, lineSearches, landscapes }, asText),
);
