// Writes what the page knows of the library: rules, schedules, conditions, line searches and landscapes.
import { writeFileSync } from "node:fs";
import { landscapes, lineSearches, rules, schedules, stoppingConditions } from "../src/generated.ts";

const [, , , found] = process.argv;
const named = rules.map(({ step, ...rest }) => rest);
writeFileSync(found!, JSON.stringify({ rules: named, schedules, stoppingConditions, lineSearches, landscapes }));
