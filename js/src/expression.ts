// A formula's expressions: numbers, names, and operations on them; equal ones are stored once. And fractions, which
// constants are kept in while they are small.

/** A fraction in lowest terms. */
export class Fraction {
  readonly above: bigint;
  readonly below: bigint;

  constructor(above: bigint, below = 1n) {
    const divisor = greatest(above, below) * (below < 0n ? -1n : 1n);
    this.above = above / divisor;
    this.below = below / divisor;
  }

  /** The nearest float. */
  get float(): number {
    if (!this.above) return 0;
    const size = this.above < 0n ? -this.above : this.above;
    // 66 bits of the quotient and whether a rest is left, which rounds as all bits do.
    const shift = bits(this.below) - bits(size) + 66;
    const [above, below] = shift > 0 ? [size << BigInt(shift), this.below] : [size, this.below << BigInt(-shift)];
    const quotient = (above / below) | (above % below ? 1n : 0n);
    const half = Math.trunc(-shift / 2);
    return Number(this.above < 0n ? -quotient : quotient) * 2 ** half * 2 ** (-shift - half);
  }

  get isSmall(): boolean {
    return this.above <= LARGE && this.above >= -LARGE && this.below <= LARGE;
  }
}

const LARGE = 2n ** 64n;
const bits = (whole: bigint): number => whole.toString(2).length;

function greatest(a: bigint, b: bigint): bigint {
  while (b) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

export type Constant = Fraction | number;
export const float = (number: Constant): number => (number instanceof Fraction ? number.float : number);

/**
 * A number, a name, or an operation on other expressions; made by a `Pool`, so that equal ones are identical.
 *
 * The operation is "number", "constant" (pi, e), "name", "+", "*", "**" or a function of the formula language; a
 * quotient is a product with a power -1.
 */
export class Expression {
  readonly operation: string;
  readonly parts: readonly Expression[];
  /** Of a name or a constant. */
  readonly name: string;
  /** Of a number. */
  readonly number: Constant;
  /** Its place among those of the pool. */
  readonly index: number;

  constructor(operation: string, parts: readonly Expression[], name: string, number: Constant, index: number) {
    this.index = index;
    this.operation = operation;
    this.parts = parts;
    this.name = name;
    this.number = number;
  }

  get isNumber(): boolean {
    return this.operation === "number";
  }

  /** What a factor divides by: the base of a power -1. */
  get divisor(): Expression | undefined {
    const isDivisor = this.operation === "**" && this.parts[1]!.isNumber && float(this.parts[1]!.number) === -1;
    return isDivisor ? this.parts[0] : undefined;
  }

  /** Every expression in this one, once, operands before operations. */
  walk(): Iterable<Expression> {
    const seen = new Set<Expression>();
    const walked: Expression[] = [];
    const waiting: [Expression, boolean][] = [[this, false]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [expression, ready] = next;
      if (ready) walked.push(expression);
      else if (!seen.has(expression)) {
        seen.add(expression);
        waiting.push([expression, true]);
        for (const part of [...expression.parts].reverse()) waiting.push([part, false]);
      }
    }
    return walked;
  }
}

/** Makes expressions, each only once. */
export class Pool {
  private readonly made = new Map<string, Expression>();

  make(operation: string, parts: readonly Expression[], name = "", number: Constant = 0): Expression {
    const size = number instanceof Fraction ? `${number.above}/${number.below}` : Object.is(number, -0) ? "-0" : number;
    const key = `${operation} ${name} ${size} ${parts.map((part) => part.index).join()}`;
    let made = this.made.get(key);
    if (!made) {
      made = new Expression(operation, parts, name, number, this.made.size);
      this.made.set(key, made);
    }
    return made;
  }

  name(name: string): Expression {
    return this.make("name", [], name);
  }

  number(value: Constant): Expression {
    return this.make("number", [], "", value);
  }
}
