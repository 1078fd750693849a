// The formula language: text is parsed to expressions by a whitelist and never evaluated. A port of
// fallline.objectives.grammar, whose words and sentences it takes from language.ts.
import { definitions } from "./definitions.ts";
import type { Expression } from "./expression.ts";
import * as language from "./language.ts";
import { printed } from "./printing.ts";
import { type Term, Terms } from "./terms.ts";
import { characters, filled, stripped, Text } from "./text.ts";

export { FormulaError } from "./text.ts";

export interface Formula {
  /** What was written, on one line. */
  readonly text: string;
  /** How it was understood, with every sign written; null where the text has every sign itself. */
  readonly reading: string | null;
  /** In natural order: x2 before x10. */
  readonly variables: readonly string[];
  /** The named steps, in order. */
  readonly steps: readonly (readonly [string, Expression])[];
  readonly expression: Expression;
  /** The name of the last line; "f" if it has none. */
  readonly name: string;
}

/** Parse a formula. Throws a FormulaError that says all that cannot be read and what to write instead. */
export function parse(written: string): Formula {
  const text = new Text(written);
  const { length } = characters(written);
  if (length > language.MAX_CHARACTERS) {
    const problem = filled(language.TOO_LONG, length);
    const start = characters(written).slice(0, 100).join("");
    throw text.refused(start, 400, problem, filled(language.AT_MOST, language.MAX_CHARACTERS));
  }
  const tokens = text.tokens();
  if (tokens.every(({ text: mark }) => mark === ";" || mark === "\n")) {
    throw text.refused(text.slice(0), 400, language.EMPTY, language.NOT_EMPTY);
  }
  const lines = definitions(text, tokens);
  const terms = new Terms(text);
  const steps: [string, Expression][] = [];
  let term: Term | undefined;
  lines.forEach(({ name, tree, expression, start, end }, index) => {
    term = tree && terms.of(tree);
    if (term?.isCondition) text.fault(start, end, language.NOT_A_VALUE, expression);
    if (index === lines.length - 1) return;
    // A step that cannot be read is known all the same, so that its uses are no faults.
    terms.known.set(String(name), { expression: terms.pool.name(String(name)), number: term?.number });
    if (term) steps.push([String(name), term.expression]);
  });
  text.check();
  const variables = [...terms.variables.keys()].sort(natural);
  if (!variables.length) {
    throw text.refused(stripped(text.slice(0)), 400, language.NO_VARIABLE, language.SOME_VARIABLE);
  }
  const joined = (of: (line: (typeof lines)[number]) => string) =>
    lines.map((line) => (line.name === undefined ? "" : `${line.name} = `) + of(line)).join("; ");
  const shown = joined((line) => line.expression);
  const reading = joined((line) => printed(line.tree!));
  let name = lines.at(-1)!.name ?? "";
  if (!name) for (name = "f"; variables.includes(name) || terms.known.has(name); name += "_");
  return {
    text: shown,
    reading: squeezed(shown) === squeezed(reading) ? null : reading,
    variables,
    steps,
    expression: term!.expression,
    name,
  };
}

const squeezed = (text: string): string =>
  text.replaceAll("^", "**").replace(new RegExp(`[${language.SPACE}]`, "g"), "");

/** Natural order, in which x2 comes before x10: digits compare as numbers, and stand after letters. */
function natural(one: string, other: string): number {
  const [a, b] = [one, other].map((name) => name.split(/([0-9]+)/)) as [string[], string[]];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [p, q] = [a[i]!, b[i]!];
    if (p === q) continue;
    const order = i % 2 ? Number(BigInt(p) - BigInt(q)) : 0;
    if (order) return order;
    if (i % 2 === 0) return p < q ? -1 : 1;
  }
  return a.length - b.length;
}
