// Reads formulas and points from a file, and writes what becomes of each: its fault, or its names, values and gradients.
import { readFileSync, writeFileSync } from "node:fs";
import { type Compiled, compile } from "../src/code.ts";
import { FormulaError } from "../src/grammar.ts";

interface Row {
  text: string;
  /** As text, which NaN and infinities have, too. */
  points: (number | string)[][];
}

function outcome({ text, points }: Row) {
  try {
    const coded = compile(text);
    const { reading, symbol, names } = coded;
    return {
      text: coded.text,
      reading,
      symbol,
      names,
      at: at(coded, points),
      taped: at(compile(text, { tape: true }), points),
    };
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    return { error: error.message, start: error.start, end: error.end };
  }
}

/** The value and the gradient at each point as text, which NaN and infinities have, too. */
function at({ value, valueAndGradient, dimension }: Compiled, points: Row["points"]): string[][] {
  return points.map((point) => {
    const x = Float64Array.from({ length: dimension }, (_, i) => Number(point[i % point.length]));
    const gradient = new Float64Array(dimension);
    const both = valueAndGradient(x, gradient);
    if (!Object.is(both, value(x))) throw new Error("the value alone differs from the value with the gradient");
    return [both, ...gradient].map(String);
  });
}

const [, , given, found] = process.argv;
const rows: Row[] = JSON.parse(readFileSync(given!, "utf8"));
const outcomes = rows.map((row) => {
  const start = performance.now();
  return { ...outcome(row), milliseconds: performance.now() - start };
});
writeFileSync(found!, JSON.stringify(outcomes));
