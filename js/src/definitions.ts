// From tokens to definitions: the lines of `u = 2*x**2 - x - 2; y = 3*u + 1`, each a name and an expression.
import { checkNames } from "./juxtaposition.ts";
import * as language from "./language.ts";
import { namesAlone, syntax, type Tree } from "./syntax.ts";
import { filled, problemWith, type Text, type Token } from "./text.ts";

/** A line: an expression, and the name before its `=`, if it has one; `args` are the x and y of f(x, y) = ... */
export interface Definition {
  readonly name: string | undefined;
  readonly args: readonly string[];
  readonly start: number;
  readonly end: number;
  /** The text of the expression, on one line. */
  readonly expression: string;
  /** The names in it, also those of indices. */
  readonly uses: ReadonlySet<string>;
  readonly tree: Tree | undefined;
}

/** The lines of a text, the objective last; what is wrong with them is remembered as faults of the text. */
export function definitions(text: Text, tokens: readonly Token[]): Definition[] {
  const alone = namesAlone(tokens);
  const lines: Definition[] = [];
  for (const line of linesOf(text, tokens)) {
    const read = definition(text, line, alone);
    if (read) lines.push(read);
  }
  checkNames(text, tokens, alone, new Set(lines.flatMap(({ name }) => name ?? [])));
  const steps = lines.slice(0, -1).map(({ name }) => name);
  const last = lines.at(-1)?.name;
  lines.forEach(({ name, uses, start, end, expression }, index) => {
    if (name !== undefined && steps.slice(0, index).includes(name)) {
      text.fault(start, end, filled(language.HAS_A_VALUE, name), `${name} = `);
    }
    for (const later of [...steps.slice(index), last]) {
      if (later !== undefined && uses.has(later)) {
        text.fault(start, end, filled(language.USED_BEFORE, later), expression);
      }
    }
    if (name === undefined && index < steps.length) text.fault(start, end, language.ONLY_THE_LAST, expression);
  });
  if (!text.faults.size) checkUses(text, lines);
  return lines;
}

/** Remember the steps and arguments that are not used. */
function checkUses(text: Text, lines: readonly Definition[]): void {
  const used = new Set(lines.flatMap(({ uses }) => [...uses]));
  for (const { name, start, end } of lines.slice(0, -1)) {
    if (!used.has(name!)) text.fault(start, end, filled(language.NEVER_USED, name!), `${name} = `);
  }
  for (const { name, args, start, end } of lines) {
    for (const unused of args.filter((argument) => !used.has(argument))) {
      const glued = [...used].sort().find((word) => word.includes(unused));
      const told = glued ? filled(language.FACTORS_OF, glued) : `${name} = ...`;
      text.fault(start, end, filled(language.NOT_USED, unused, told), `${name}(${args.join(", ")})`);
    }
  }
}

/** The tokens of each line whose brackets match; a line does not end inside brackets. */
function* linesOf(text: Text, tokens: readonly Token[]): Generator<Token[]> {
  let line: Token[] = [];
  const open: string[] = [];
  let broken = false;
  const neverClosed = (end: number) =>
    text.fault(Math.max(0, end - 20), end, filled(language.NEVER_CLOSED, open.at(-1)!));
  for (const token of tokens) {
    if (token.text === "(" || token.text === "[") open.push(token.text);
    else if ((token.text === ")" || token.text === "]") && !broken) {
      const opening = token.text === ")" ? "(" : "[";
      if (open.pop() !== opening) {
        text.fault(Math.max(0, token.end - 20), token.end, filled(language.NOT_OPEN, token.text, opening));
        broken = true;
      }
    }
    if (token.text === ";" && open.length && !broken) {
      neverClosed(token.end);
      return;
    }
    if (token.text !== ";" && token.text !== "\n") line.push(token);
    else if (line.length && !open.length) {
      if (!broken) yield line;
      line = [];
      broken = false;
    }
  }
  if (open.length && !broken) neverClosed(text.written.length);
  else if (line.length && !broken) yield line;
}

function definition(text: Text, line: readonly Token[], alone: ReadonlySet<string>): Definition | undefined {
  const { name, args, right } = named(text, line);
  if (!right.length) {
    text.fault(line[0]!.start, line.at(-1)!.end, language.NOTHING_AFTER, text.of(line));
    return undefined;
  }
  const names = right.filter(({ kind, text: word }) => {
    return kind === "name" && !language.CALLED.has(word) && !language.CONSTANTS.has(word);
  });
  const uses = new Set(names.map((token) => token.text));
  const expression = text.of(right);
  return {
    name,
    args,
    start: line[0]!.start,
    end: line.at(-1)!.end,
    expression,
    uses,
    tree: syntax(text, right, alone),
  };
}

/** The name before the `=`, of y = ... or f(x, y) = ..., its arguments, and the tokens after it. */
function named(text: Text, line: readonly Token[]): Pick<Definition, "name" | "args"> & { right: readonly Token[] } {
  const head = line.findIndex((token) => token.text === "=");
  const between = line.slice(1, Math.max(1, head));
  const inside = between.slice(1, -1);
  const listsNames = inside.every(({ kind, text: word }, i) => (i % 2 ? word === "," : kind === "name"));
  const isFunction = between.length > 2 && between[0]!.text === "(" && between.at(-1)!.text === ")" && listsNames;
  if (head < 1 || line[0]!.kind !== "name" || (between.length && !isFunction)) {
    return { name: undefined, args: [], right: line };
  }
  const { text: name, start, end } = line[0]!;
  const problem = problemWith(name);
  if (problem) text.fault(start, end, problem, `${name} =`);
  const args = inside.filter((_, i) => i % 2 === 0).map((token) => token.text);
  return { name, args, right: line.slice(head + 1) };
}
