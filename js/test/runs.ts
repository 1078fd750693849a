// Reads runs from a file, and writes how each went: its rows as text, which NaN and infinities have, too.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "../src/code.ts";
import { rules } from "../src/generated.ts";
import { ownRules } from "../src/own_rules.ts";
import { type Rule, SettingError } from "../src/rules.ts";
import { run, type Settings } from "../src/run.ts";

interface Row {
  formula: string;
  x0: number[];
  settings: Settings;
}

interface Given {
  rows: Row[];
  /** A function that makes rules besides those of the library. */
  own: string | null;
}

function bytes(numbers: Float64Array): string {
  return Buffer.from(numbers.slice().buffer).toString("base64");
}

function outcome({ formula, x0, settings }: Row, known: readonly Rule[]) {
  try {
    const { x, value, gradient, rate, state, ...made } = run(compile(formula), Float64Array.from(x0), settings, known);
    return { ...made, x: bytes(x), value: bytes(value), gradient: bytes(gradient), rate: bytes(rate) };
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    return { parameter: error.parameter, value: error.value, allowed: error.allowed };
  }
}

const [, , given, found] = process.argv;
const { rows, own }: Given = JSON.parse(readFileSync(given!, "utf8"));
const known = own ? [...rules, ...ownRules(new Function(`return ${own}`)())] : rules;
writeFileSync(found!, JSON.stringify(rows.map((row) => outcome(row, known))));
