// From a syntax tree to expressions, with constants folded in floats and small fractions. The expressions keep the shape
// of the text: nothing is reordered, cancelled or simplified.
import { type Constant, type Expression, Fraction, float, Pool } from "./expression.ts";
import { DivisionByZero, NotReal, onConstants } from "./functions.ts";
import * as language from "./language.ts";
import { syntax, type Tree } from "./syntax.ts";
import { filled, stripped, Text } from "./text.ts";

/** A part of the formula cannot have a value; the message says why. */
class NoValue extends Error {}

/** A part of a formula. */
export interface Term {
  readonly expression: Expression;
  /** Its value, if it is constant. */
  readonly number?: number | undefined;
  /** Whether it is constant without naming a step, so that it may be folded into one number. */
  readonly literal?: boolean;
  /** Whether it is 1 where it holds, and 0 elsewhere. */
  readonly isCondition?: boolean;
}

const fraction = (above: number): Fraction => new Fraction(BigInt(above));
const HALF = new Fraction(1n, 2n);
const BIGGEST_EXPONENT = 64n;

const WHOLE: Record<string, (a: Fraction, b: Fraction) => Fraction> = {
  "+": (a, b) => new Fraction(a.above * b.below + b.above * a.below, a.below * b.below),
  "*": (a, b) => new Fraction(a.above * b.above, a.below * b.below),
  "/": (a, b) => new Fraction(a.above * b.below, a.below * b.above),
};
const FLOAT: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** A sum, product or quotient of constants: exact of two fractions. */
function exact(sign: string, a: Constant, b: Constant): Constant {
  if (a instanceof Fraction && b instanceof Fraction) return WHOLE[sign]!(a, b);
  return finite(FLOAT[sign]!(float(a), float(b)));
}

function power(base: Constant, exponent: Constant): Constant {
  const small = exponent instanceof Fraction && exponent.below === 1n && exponent.above ** 2n <= BIGGEST_EXPONENT ** 2n;
  if (!(base instanceof Fraction) || !small) return folding("**", [float(base), float(exponent)]);
  const { above, below } = base;
  const size = exponent.above;
  if (size >= 0n) return new Fraction(above ** size, below ** size);
  if (!above) throw new NoValue(filled(language.CONSTANT_IS, language.A_DIVISION_BY_ZERO));
  return new Fraction(below ** -size, above ** -size);
}

/** A constant's value, refused unless it is a finite real number. */
function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new NoValue(filled(language.CONSTANT_IS, Number.isNaN(value) ? language.NOT_A_NUMBER : language.INFINITE));
}

/** The value of an operation on constants. */
function folding(operation: string, numbers: readonly number[]): number {
  try {
    return finite(onConstants(operation, numbers));
  } catch (error) {
    let problem: string | undefined;
    if (error instanceof DivisionByZero) problem = language.A_DIVISION_BY_ZERO;
    if (error instanceof NotReal) problem = operation === "**" ? language.NOT_REAL : language.NOT_FINITE_REAL;
    throw problem ? new NoValue(filled(language.CONSTANT_IS, problem)) : error;
  }
}

/** Makes the terms of a formula. */
export class Terms {
  readonly text: Text;
  readonly pool = new Pool();
  /** What the steps and constants stand for. */
  readonly known: Map<string, Term>;
  /** What every other name stands for. */
  readonly variables = new Map<string, Term>();
  /** Inside a function that is written as a formula: what its arguments stand for. */
  private args: ReadonlyMap<string, Term> | undefined;
  private indices: ReadonlyMap<string, number> = new Map();
  private readonly indicesUsed = new Set<string>();
  private made = 0;

  constructor(text: Text) {
    this.text = text;
    const constants = [...language.CONSTANTS].map(([name, number]): [string, Term] => {
      return [name, { expression: this.pool.make("constant", [], name), number, literal: true }];
    });
    this.known = new Map(constants);
  }

  /** The term of a tree; what has no value is remembered as a fault. */
  of(tree: Tree): Term {
    try {
      return this.making(tree);
    } catch (error) {
      if (!(error instanceof NoValue) || this.args) throw error;
      this.text.fault(tree.start, tree.end, error.message, this.text.between(tree.start, tree.end));
      return this.unknown();
    }
  }

  /** The terms of trees, one after another: after a fault none is made. */
  private *each(trees: readonly Tree[]): Generator<Term> {
    for (const tree of trees) yield this.of(tree);
  }

  private unknown(): Term {
    return { expression: this.pool.name("?") };
  }

  private making(tree: Tree): Term {
    if (++this.made > language.MAX_PARTS) {
      const told = filled(language.TOO_MANY_PARTS, language.MAX_PARTS);
      throw this.text.refused(stripped(this.text.slice(0)), 400, told, language.WRITE_PYTHON);
    }
    const { kind, text, parts, inverse } = tree;
    const terms = () => parts.map((part) => this.of(part));
    switch (kind) {
      case "number":
        return this.number(constantOf(text));
      case "name":
        return this.name(text);
      case "index":
        return this.variable(`${text}${this.whole(parts[0]!)}`);
      case "negative":
        return this.negative(this.of(parts[0]!));
      case "sum":
        return this.total(this.each(parts), inverse);
      case "product":
        return this.product(this.each(parts), inverse);
      case "power":
        return this.power(this.of(parts[0]!), this.of(parts[1]!));
      case "call":
        return this.call(tree);
      case "compare":
        return this.condition(language.COMPARISONS.get(text)!, ...terms());
      case "and":
      case "or":
        return parts
          .map((part) => this.held(this.of(part)))
          .reduce((left, right) => this.condition(kind === "and" ? "both" : "either", left, right));
      case "not":
        return this.condition("negation", this.held(this.of(parts[0]!)));
      default:
        return this.unknown();
    }
  }

  // Names ------------------------------------------------------------------------------------------------------------

  /** A constant, an argument, an index, a step or a variable. */
  private name(name: string): Term {
    const argument = this.args?.get(name);
    if (argument) return argument;
    const index = this.index(name);
    if (index !== undefined) return this.number(fraction(index));
    const known = this.known.get(name);
    if (known) return known;
    const place = name.lastIndexOf("_");
    const last = place > 0 ? this.index(name.slice(place + 1)) : undefined;
    return this.variable(last === undefined ? name : `${name.slice(0, place)}_${last}`);
  }

  /** The value of an index, which is then used. */
  private index(name: string): number | undefined {
    const value = this.indices.get(name);
    if (value !== undefined) this.indicesUsed.add(name);
    return value;
  }

  /** The variable, or the step, of this name. */
  private variable(name: string): Term {
    const known = this.known.get(name) ?? this.variables.get(name);
    if (known) return known;
    const term = { expression: this.pool.name(name) };
    this.variables.set(name, term);
    return term;
  }

  /** A whole number that is known before the formula runs. */
  private whole(tree: Tree): number {
    const { number } = this.of(tree);
    if (number === undefined || !Number.isInteger(number) || number < 0 || number >= 1e15) {
      throw new NoValue(language.WHOLE_INDEX);
    }
    return number + 0;
  }

  // Arithmetic -------------------------------------------------------------------------------------------------------

  /** A number: a fraction where it is small, otherwise a float. */
  number(value: Constant): Term {
    const number = finite(float(value));
    const kept = value instanceof Fraction && value.isSmall ? value : number;
    return { expression: this.pool.number(kept), number, literal: true };
  }

  /** -a. */
  private negative({ expression, number, literal = false }: Term): Term {
    const minus = (value: Constant) => (value instanceof Fraction ? new Fraction(-value.above, value.below) : -value);
    if (expression.isNumber) return this.number(minus(expression.number));
    const minusOne = this.pool.number(fraction(-1));
    let factors = [minusOne, expression];
    const [head, ...rest] = expression.parts;
    if (expression.operation === "*" && head!.isNumber) {
      // -(2*x) is (-2)*x, and -(-x) is x, without rounding.
      factors = head === minusOne ? rest : [this.pool.number(minus(head!.number)), ...rest];
    }
    const negated = factors.length === 1 ? factors[0]! : this.pool.make("*", factors);
    return { expression: negated, number: number === undefined ? number : -number, literal };
  }

  /** a - b + c; `subtracted` says it of each part. */
  private total(terms: Iterable<Term>, subtracted: readonly boolean[] = []): Term {
    const addends: Term[] = [];
    let place = 0;
    for (const term of terms) {
      const addend = subtracted[place++] ? this.negative(term) : term;
      const first = addends[0]?.expression;
      if (addends.length === 1 && first!.isNumber && addend.expression.isNumber) {
        addends[0] = this.number(exact("+", first!.number, addend.expression.number));
      } else addends.push(addend);
    }
    return addends.length === 1 ? addends[0]! : this.folded("+", addends, false);
  }

  /** a * b / c; `divides` says it of each part. */
  private product(terms: Iterable<Term>, divides: readonly boolean[] = []): Term {
    const one = this.number(fraction(1));
    let result = one;
    const factors: Expression[] = [];
    let place = 0;
    for (const factor of terms) {
      const isDivisor = divides[place++];
      const sign = isDivisor ? "/" : "*";
      if (isDivisor && factor.number === 0) throw new NoValue(language.DIVIDES_BY_ZERO);
      if (!factors.length && result.expression.isNumber && factor.expression.isNumber) {
        result = this.number(exact(sign, result.expression.number, factor.expression.number));
        continue;
      }
      if (!factors.length && result.expression !== one.expression) factors.push(result.expression);
      const divisor = this.pool.make("**", [factor.expression, this.pool.number(fraction(-1))]);
      factors.push(isDivisor ? divisor : factor.expression);
      const isConstant = result.number !== undefined && factor.number !== undefined;
      const number = isConstant ? finite(FLOAT[sign]!(result.number!, factor.number!)) : undefined;
      result = { expression: factors[0]!, number, literal: Boolean(result.literal && factor.literal) };
    }
    if (!factors.length) return result;
    return { ...result, expression: factors.length === 1 ? factors[0]! : this.pool.make("*", factors) };
  }

  /** a ** b; a power of e is the function exp. */
  private power(base: Term, exponent: Term): Term {
    if (base.expression.isNumber && exponent.expression.isNumber) {
      return this.number(power(base.expression.number, exponent.expression.number));
    }
    const isExponential = base.expression.operation === "constant" && base.expression.name === "e";
    return isExponential ? this.folded("exp", [exponent]) : this.folded("**", [base, exponent]);
  }

  /** An operation on terms; of constants its value, as a single number if none of them is a step. */
  private folded(operation: string, parts: Term[], single = true): Term {
    const numbers = parts.flatMap((part) => part.number ?? []);
    const number = numbers.length < parts.length ? undefined : folding(operation, numbers);
    const literal = number !== undefined && parts.every((part) => part.literal);
    if (single && literal) return this.number(number);
    return {
      expression: this.pool.make(
        operation,
        parts.map((part) => part.expression),
      ),
      number,
      literal,
    };
  }

  // Conditions and functions -----------------------------------------------------------------------------------------

  /** A comparison, or conditions joined. */
  private condition(name: string, ...parts: Term[]): Term {
    return { ...this.folded(name, parts), isCondition: true };
  }

  /** The term, which must be a condition. */
  private held(term: Term): Term {
    if (!term.isCondition) throw new NoValue(language.NOT_A_CONDITION);
    return term;
  }

  /** A function of its arguments. */
  private call(tree: Tree): Term {
    const name = tree.text;
    const clauses = tree.parts.filter((part) => part.kind === "clause");
    const args = tree.parts.filter((part) => part.kind !== "clause");
    const overParts = language.OVER_PARTS.has(name);
    if (!args.length && (clauses.length || overParts)) throw new NoValue(filled(language.AT_LEAST_ONE, name));
    if (overParts && tree.parts.length === 1 && tree.parts[0]!.kind !== "nothing") {
      throw new NoValue(filled(language.SEVERAL_PARTS, name));
    }
    for (const { text } of clauses) this.indicesUsed.delete(text);
    const parts: Term[] = [];
    for (const _ of this.over(clauses)) for (const argument of args) parts.push(this.of(argument));
    for (const { text } of clauses) {
      if (!this.indicesUsed.has(text)) throw new NoValue(filled(language.INDEX_UNUSED, text));
    }
    if (name === "log" && parts.length === 2) {
      return this.product(
        parts.map((part) => this.function("log", [part])),
        [false, true],
      );
    }
    if (name === "prod") return this.product(parts);
    if (name === "sum") return this.total(parts);
    if (name === "norm") {
      const squares = parts.map((part) => this.power(part, this.number(fraction(2))));
      return this.power(this.total(squares), this.number(HALF));
    }
    if (clauses.length && parts.length === 1) return parts[0]!;
    return language.WRITTEN.has(name) ? this.written(name, parts) : this.function(name, parts);
  }

  /** A function that is written as a formula. */
  private written(name: string, parts: Term[]): Term {
    const [formula, letters] = formulaOf(name);
    checkCount(name, parts.length, letters.length, letters.length);
    const outer = this.args;
    this.args = new Map(letters.map((letter, i) => [letter, parts[i]!]));
    try {
      return this.of(formula);
    } finally {
      this.args = outer;
    }
  }

  /** Give the indices each of their values in turn. */
  private *over(clauses: readonly Tree[]): Generator<undefined> {
    const [clause, ...rest] = clauses;
    if (!clause) {
      yield undefined;
      return;
    }
    const [low, high] = clause.parts.map((part) => this.whole(part)) as [number, number];
    if (low > high) throw new NoValue(filled(language.EMPTY_RANGE, low, high));
    const outer = this.indices;
    for (let value = low; value <= high; value++) {
      this.indices = new Map([...outer, [clause.text, value]]);
      yield* this.over(rest);
    }
    this.indices = outer;
  }

  /** A function of the formula language. */
  private function(name: string, parts: Term[]): Term {
    const most = Number(language.FUNCTIONS.get(name)![0]);
    checkCount(name, parts.length, most || 2, most || Number.POSITIVE_INFINITY);
    if (name === "where") {
      const { number } = this.held(parts[0]!);
      if (number !== undefined) return number ? parts[1]! : parts[2]!;
    }
    const folded = this.folded(name, parts);
    if (name !== "sqrt" || folded.expression.isNumber) return folded;
    return this.folded("**", [...parts, this.number(HALF)]);
  }
}

function checkCount(name: string, count: number, fewest: number, most: number): void {
  if (count >= fewest && count <= most) return;
  const counts = [language.ONE_ARGUMENT, language.TWO_ARGUMENTS, language.THREE_ARGUMENTS];
  throw new NoValue(filled(language.TAKES, name, counts[most - 1] ?? language.MANY_ARGUMENTS, count));
}

/** A number as written: a fraction if it is whole or of two whole numbers, else a float. */
function constantOf(text: string): Constant {
  const [, above, below] = /^([0-9]+)(?:\/([0-9]+))?$/.exec(text) ?? [];
  return above ? new Fraction(BigInt(above), BigInt(below ?? 1)) : Number(text);
}

const formulas = new Map<string, [Tree, string[]]>();

/** The tree of a function that is written as a formula, and its arguments. */
function formulaOf(name: string): [Tree, string[]] {
  let found = formulas.get(name);
  if (!found) {
    const written = language.WRITTEN.get(name)!;
    const text = new Text(written);
    const tokens = text.tokens();
    const letters = ["a", "b", "c"].filter((letter) => tokens.some((token) => token.text === letter));
    found = [syntax(text, tokens, new Set("abc"))!, letters];
    formulas.set(name, found);
  }
  return found;
}

const slopes = new Map<string, Term[]>();

/** A function's derivative by each of its arguments, in terms of the names a and b. */
export function slopesOf(name: string): Term[] {
  let found = slopes.get(name);
  if (!found) {
    const [, ...written] = language.FUNCTIONS.get(name)!;
    found = written.map((formula) => {
      const text = new Text(String(formula));
      return new Terms(text).of(syntax(text, text.tokens(), new Set())!);
    });
    slopes.set(name, found);
  }
  return found;
}
