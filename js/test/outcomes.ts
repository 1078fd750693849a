// Makes runs from what they are told as, for the programs that compare them with Python's.
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

export interface Given {
  rows: Row[];
  /** A function that makes rules besides those of the library. */
  own: string | null;
}

/** Numbers as text, which NaN and infinities have, too. */
function text(numbers: Float64Array): string {
  const bytes = new Uint8Array(numbers.slice().buffer);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function outcome({ formula, x0, settings }: Row, known: readonly Rule[]) {
  try {
    const { x, value, gradient, rate, state, ...end } = run(compile(formula), Float64Array.from(x0), settings, known);
    return { ...end, x: text(x), value: text(value), gradient: text(gradient), rate: text(rate) };
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    return { parameter: error.parameter, value: error.value, allowed: error.allowed };
  }
}

/** How each of the runs went, or what it was refused for. */
export function outcomes({ rows, own }: Given) {
  const known = own ? [...rules, ...ownRules(new Function(`return ${own}`)())] : rules;
  return rows.map((row) => outcome(row, known));
}
