// From expressions to a graph: a formula's value, and its gradient by reverse accumulation, through the named steps and
// without expanding any expression. Griewank and Walther, Evaluating Derivatives (2008), chapter 3.
//
// The slope of a root, and of any power below 1, is infinite at 0. A factor 0 wins against it: before the root, unless
// it comes from the root itself, and behind it; and against what a condition leaves out.
import { type Expression, float } from "./expression.ts";
import { onConstants } from "./functions.ts";
import type { Formula } from "./grammar.ts";
import { Graph, type Node } from "./graph.ts";
import { CONSTANTS, FUNCTIONS } from "./language.ts";
import { slopesOf } from "./terms.ts";

/** Up to this exponent, products are faster than a power and as exact. */
const MOST_PRODUCTS = 8;
/** Constant factors up to this size are carried through the products of a gradient; larger ones could overflow there. */
const KEEP = 1e6;
/** Functions whose slope is infinite, or has no value, at a finite place. */
const SINGULAR = ["asin", "acos", "cbrt", "atan2"];

/** The multiple factor · node, or the constant factor if there is no node. */
interface Scaled {
  readonly factor: number;
  readonly node?: Node | undefined;
}

/** The derivative of the result by an expression; `zeroWins`: whether a factor 0 wins against what is infinite or NaN. */
interface Adjoint {
  readonly term: Scaled;
  readonly zeroWins: boolean;
}

const ONE: Scaled = { factor: 1 };
const isWhole = Number.isInteger;

/** A constant's value, as on arrays: infinite on overflow, NaN outside the domain. */
function folded(operation: string, numbers: readonly number[]): number {
  try {
    return onConstants(operation, numbers);
  } catch {
    return Number.NaN;
  }
}

/** The graph of a formula and of its gradient. */
export class StraightLine {
  readonly graph: Graph;
  readonly result: Node;
  private readonly formula: Formula;
  private readonly steps: ReadonlyMap<string, Expression>;
  /** Each expression's term in the graph, operands before operations. */
  private readonly known = new Map<Expression, Scaled>();
  /** Of each node of the graph, what stands in the roots it depends on, as the bits of these. */
  private readonly roots: bigint[] = [];
  private readonly bases = new Map<Node, bigint>();

  /** Arguments:
   *   formula: what is computed.
   *   most: how many nodes the graph may have; with more it throws TooManyNodes.
   */
  constructor(formula: Formula, most?: number) {
    this.graph = new Graph(most);
    this.formula = formula;
    this.steps = new Map(formula.steps);
    const ofName = new Map<string, Scaled>();
    formula.variables.forEach((name, place) => {
      ofName.set(name, { factor: 1, node: this.graph.node("input", [], "", place) });
    });
    for (const [name, expression] of formula.steps) ofName.set(name, this.value(expression, this.known, ofName));
    this.result = this.node(this.value(formula.expression, this.known, ofName));
  }

  /** A function of the formula language. */
  private call(name: string, ...parts: Scaled[]): Scaled {
    return {
      factor: 1,
      node: this.graph.node(
        "call",
        parts.map((part) => this.node(part)),
        name,
      ),
    };
  }

  /** The node of a constant, or of a multiple of a node. */
  private node({ factor, node }: Scaled): Node {
    if (!node) return this.graph.number(factor);
    return factor === 1 ? node : this.graph.node("*", [this.graph.number(factor), node]);
  }

  /** The term with its factor multiplied in, unless that is ±1 or between 1/keep and keep in size. */
  private plain(term: Scaled, keep: number): Scaled {
    const size = Math.abs(term.factor);
    if (!term.node || size === 1 || (1 / keep < size && size < keep)) return term;
    return { factor: 1, node: this.node(term) };
  }

  private times(one: Scaled, other: Scaled, keep = 1): Scaled {
    const left = this.plain(one, keep);
    const right = this.plain(other, keep);
    const factor = left.factor * right.factor;
    if (!left.node || !right.node) return { factor, node: left.node ?? right.node };
    const inOrder = left.node.index < right.node.index ? [left.node, right.node] : [right.node, left.node];
    return { factor, node: this.graph.node("*", inOrder) };
  }

  private over(one: Scaled, other: Scaled, keep = 1): Scaled {
    const left = this.plain(one, keep);
    const right = this.plain(other, keep);
    const factor = left.factor / right.factor;
    const divided = (above: Node, below: Node) => this.graph.node("/", [above, below]);
    if (left.node && right.node) return { factor, node: divided(left.node, right.node) };
    if (left.node) return { factor: left.factor, node: divided(left.node, this.graph.number(right.factor)) };
    return right.node ? { factor: 1, node: divided(this.graph.number(factor), right.node) } : { factor };
  }

  /** The sum from left to right. */
  private plus(terms: readonly Scaled[]): Scaled {
    let [first, ...rest] = terms as [Scaled, ...Scaled[]];
    while (!first.node && rest.length && !rest[0]!.node) first = { factor: first.factor + rest.shift()!.factor };
    for (const { factor, node } of rest) {
      const size = this.node({ factor: Math.abs(factor), node });
      first = { factor: 1, node: this.graph.node(factor < 0 ? "-" : "+", [this.node(first), size]) };
    }
    return first;
  }

  private power(base: Scaled, exponent: Scaled): Scaled {
    const n = exponent.factor;
    if (exponent.node) return this.call("power", base, exponent);
    if (!base.node) return { factor: folded("**", [base.factor, n]) };
    if (n === -0.5 || (n < 0 && isWhole(n) && n >= -MOST_PRODUCTS)) {
      return this.over(ONE, this.power(base, { factor: -n }));
    }
    if (n === 0.5) return this.call("sqrt", base);
    if (!isWhole(n)) return this.call("power", base, exponent);
    if (Math.abs(n) > MOST_PRODUCTS) return this.call("whole_power", base, exponent);
    let result = ONE;
    let square = base;
    for (let left = n; left; left = left >> 1) {
      if (left % 2) result = this.times(result, square);
      if (left > 1) square = this.times(square, square);
    }
    return result;
  }

  // Forward: the value -----------------------------------------------------------------------------------------------

  /** The value of an expression; `known` keeps the values of its parts, `names` has those of names. */
  private value(expression: Expression, known: Map<Expression, Scaled>, names: ReadonlyMap<string, Scaled>): Scaled {
    for (const part of expression.walk()) {
      if (!known.has(part)) known.set(part, this.operation(part, known, names));
    }
    return known.get(expression)!;
  }

  private operation(
    expression: Expression,
    known: ReadonlyMap<Expression, Scaled>,
    names: ReadonlyMap<string, Scaled>,
  ): Scaled {
    const { operation } = expression;
    const parts = expression.parts.map((part) => known.get(part)!);
    switch (operation) {
      case "number":
        return { factor: float(expression.number) };
      case "constant":
        return { factor: CONSTANTS.get(expression.name)! };
      case "name":
        return names.get(expression.name)!;
      case "+":
        return this.plus(parts);
      case "*":
        return this.partialProducts(expression, known).at(-1)!;
      case "**":
        return this.power(parts[0]!, parts[1]!);
    }
    if (parts.every((part) => !part.node)) {
      return {
        factor: folded(
          operation,
          parts.map((part) => part.factor),
        ),
      };
    }
    if (operation !== "min" && operation !== "max") return this.call(operation, ...parts);
    return parts.reduce((left, right) => this.call(operation, left, right));
  }

  /** The partial products: of no factor, the first, the first two, ..., all. */
  private partialProducts(product: Expression, known: ReadonlyMap<Expression, Scaled>): Scaled[] {
    const partial = [ONE];
    for (const factor of product.parts) {
      const { divisor } = factor;
      const last = partial.at(-1)!;
      partial.push(divisor ? this.over(last, known.get(divisor)!) : this.times(last, known.get(factor)!));
    }
    return partial;
  }

  // Reverse: the gradient --------------------------------------------------------------------------------------------

  /** The derivative of the last line with respect to each variable. */
  gradient(): Node[] {
    const shares = new Map<Expression, Adjoint[]>([[this.formula.expression, [{ term: ONE, zeroWins: false }]]]);
    const found = new Map<string, Scaled>();
    const share = (part: Expression, adjoint: Adjoint) => {
      const given = shares.get(part);
      if (given) given.push(adjoint);
      else shares.set(part, [adjoint]);
    };
    for (const expression of [...this.known.keys()].reverse()) {
      const given = shares.get(expression);
      if (!given || !this.known.get(expression)!.node) continue;
      shares.delete(expression);
      const zeroWins = given.some((adjoint) => adjoint.zeroWins);
      const adjoint = { term: this.plus(given.map(({ term }) => term)), zeroWins };
      if (expression.operation !== "name") {
        for (const [part, due] of this.backward(expression, adjoint)) share(part, due);
      } else {
        const step = this.steps.get(expression.name);
        if (step) share(step, adjoint);
        else found.set(expression.name, adjoint.term);
      }
    }
    return this.formula.variables.map((name) => this.node(found.get(name) ?? { factor: 0 }));
  }

  /** What an expression contributes to the adjoint of each of its parts, given its own adjoint. */
  private *backward(expression: Expression, adjoint: Adjoint): Generator<[Expression, Adjoint]> {
    const { parts, operation } = expression;
    const known = parts.map((part) => this.known.get(part)!);
    switch (operation) {
      case "+":
        for (const part of parts) yield [part, adjoint];
        return;
      case "*":
        yield* this.backwardProduct(expression, adjoint);
        return;
      case "**":
        yield* this.backwardPower(expression, adjoint);
        return;
      case "min":
      case "max": {
        const ties = known.map((part) => this.call("equal", part, this.known.get(expression)!));
        const count = this.plus(ties);
        for (const [i, part] of parts.entries()) yield [part, this.met(adjoint, this.over(ties[i]!, count))];
        return;
      }
      case "where": {
        const zero = { factor: 0 };
        const sides = [
          [adjoint.term, zero],
          [zero, adjoint.term],
        ];
        for (const [i, part] of parts.slice(1).entries()) {
          yield [part, { term: this.call("where", known[0]!, ...sides[i]!), zeroWins: true }];
        }
        return;
      }
    }
    const names = new Map(known.slice(0, 2).map((part, i) => ["ab"[i]!, { factor: 1, node: this.node(part) }]));
    for (const [i, slope] of (FUNCTIONS.has(operation) ? slopesOf(operation) : []).entries()) {
      if (slope.number !== 0) yield [parts[i]!, this.through(operation, adjoint, slope.expression, names)];
    }
  }

  /** The adjoint times a slope. */
  private met(adjoint: Adjoint, slope: Scaled): Adjoint {
    const { term, zeroWins } = adjoint;
    if (!zeroWins || !term.node || !slope.node) return { term: this.times(term, slope, KEEP), zeroWins };
    const left = this.plain(term, KEEP);
    const right = this.plain(slope, KEEP);
    const node = this.graph.node("call", [left.node!, right.node!], "chained");
    return { term: { factor: left.factor * right.factor, node }, zeroWins };
  }

  /** The adjoint divided by what a slope has as its divisor. */
  private divided(adjoint: Adjoint, divisor: Scaled): Adjoint {
    const { term, zeroWins } = adjoint;
    if (!zeroWins || !term.node || !divisor.node) return { term: this.over(term, divisor, KEEP), zeroWins };
    const left = this.plain(term, KEEP);
    const right = this.plain(divisor, KEEP);
    const node = this.graph.node("call", [left.node!, right.node!], "chained_quotient");
    return { term: { factor: left.factor / right.factor, node }, zeroWins };
  }

  /** The adjoint times a function's slope, factor by factor. */
  private through(name: string, given: Adjoint, slope: Expression, names: ReadonlyMap<string, Scaled>): Adjoint {
    const known = new Map<Expression, Scaled>();
    let adjoint = SINGULAR.includes(name) ? this.beforeRoot(given, names.get("a")!) : given;
    for (const factor of slope.operation === "*" ? slope.parts : [slope]) {
      const { divisor } = factor;
      const value = this.value(divisor ?? factor, known, names);
      adjoint = divisor ? this.divided(adjoint, value) : this.met(adjoint, value);
    }
    // What stands in asin or acos is at its end there; in the others 0 is nothing special.
    return { ...adjoint, zeroWins: given.zeroWins || name === "asin" || name === "acos" };
  }

  /** The adjoint of a root: a 0 of it wins, unless it comes from a root of the same base. */
  private beforeRoot(adjoint: Adjoint, base: Scaled): Adjoint {
    const { term, zeroWins } = adjoint;
    if (zeroWins || !term.node) return adjoint;
    const isOwn = base.node && this.rootsBeneath(term.node) & this.bitOf(base.node);
    return { term, zeroWins: !isOwn };
  }

  /** The roots that a node depends on: the bits of what stands in them. */
  private rootsBeneath(node: Node): bigint {
    for (const { name, inputs } of this.graph.nodes.slice(this.roots.length, node.index + 1)) {
      const own = ROOTS.includes(name) ? this.bitOf(inputs[0]!) : 0n;
      this.roots.push(inputs.reduce((bits, part) => bits | this.roots[part.index]!, own));
    }
    return this.roots[node.index]!;
  }

  /** A bit of what stands in a root. */
  private bitOf(base: Node): bigint {
    if (!this.bases.has(base)) this.bases.set(base, 1n << BigInt(this.bases.size));
    return this.bases.get(base)!;
  }

  private *backwardProduct(product: Expression, given: Adjoint): Generator<[Expression, Adjoint]> {
    const partial = this.partialProducts(product, this.known);
    let adjoint = given;
    for (let index = product.parts.length - 1; index >= 0; index--) {
      const factor = product.parts[index]!;
      const { divisor } = factor;
      if (divisor) {
        adjoint = this.divided(adjoint, this.known.get(divisor)!);
        const { term, zeroWins } = this.met(adjoint, partial[index + 1]!);
        yield [divisor, { term: { ...term, factor: -term.factor }, zeroWins }];
      } else {
        yield [factor, this.met(adjoint, partial[index]!)];
        adjoint = this.met(adjoint, this.known.get(factor)!);
      }
    }
  }

  private *backwardPower(power: Expression, given: Adjoint): Generator<[Expression, Adjoint]> {
    let part = power.parts[0]!;
    let [base, exponent] = power.parts.map((operand) => this.known.get(operand)!) as [Scaled, Scaled];
    if (!exponent.node && combines(part, exponent.factor)) {
      // The power of a root is one power of what stands in it, whose slope may be finite where the root's is not.
      exponent = { factor: exponent.factor * this.known.get(part.parts[1]!)!.factor };
      part = part.parts[0]!;
      base = this.known.get(part)!;
    }
    if (base.node) {
      const lower = this.plus([exponent, { factor: -1 }]);
      const belowOne = Boolean(lower.node) || !(isWhole(lower.factor) || lower.factor > 0);
      const adjoint = belowOne ? this.beforeRoot(given, base) : given;
      const scaled = this.met(adjoint, exponent);
      const isDivisor = !lower.node && lower.factor < 0;
      const slope = this.power(base, isDivisor ? { factor: -lower.factor } : lower);
      const share = isDivisor ? this.divided(scaled, slope) : this.met(scaled, slope);
      yield [part, { term: share.term, zeroWins: share.zeroWins || belowOne }];
    }
    if (exponent.node) {
      const value = this.known.get(power)!;
      const isConstant = !base.node && base.factor > 0;
      const slope = isConstant
        ? this.times({ factor: Math.log(base.factor) }, value)
        : this.call("times_log", value, base);
      yield [power.parts[1]!, this.met(given, slope)];
    }
  }
}

const ROOTS = ["sqrt", "power", ...SINGULAR];

/** Whether a power of this base is one power of the base's own: where both have a value only from 0 on. */
function combines(base: Expression, outer: number): boolean {
  if (base.operation !== "**" || !base.parts[1]!.isNumber) return false;
  const inner = float(base.parts[1]!.number);
  return !isWhole(inner) || (inner > 0 && inner % 2 === 1 && !isWhole(outer));
}
