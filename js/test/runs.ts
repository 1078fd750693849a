// Reads runs from a file, and writes how each went: its rows as text, which NaN and infinities have, too.
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "../src/code.ts";
import { SettingError } from "../src/rules.ts";
import { run, type Settings } from "../src/run.ts";

interface Row {
  formula: string;
  x0: number[];
  settings: Settings;
}

function bytes(numbers: Float64Array): string {
  return Buffer.from(numbers.slice().buffer).toString("base64");
}

function outcome({ formula, x0, settings }: Row) {
  try {
    const { x, value, gradient, rate, ...made } = run(compile(formula), Float64Array.from(x0), settings);
    return { ...made, state: null, x: bytes(x), value: bytes(value), gradient: bytes(gradient), rate: bytes(rate) };
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    return { parameter: error.parameter, allowed: error.allowed };
  }
}

const [, , given, found] = process.argv;
const rows: Row[] = JSON.parse(readFileSync(given!, "utf8"));
writeFileSync(found!, JSON.stringify(rows.map(outcome)));
