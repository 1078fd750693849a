// The short spelling of a rule's formula as a tree, and what it comes to with numbers in it.
import { token, usual } from "./mathml.ts";

/** A part of a formula; `source` is its short spelling, which says what it is the symbol of. */
export interface Part {
  readonly source: string;
  /** The letter of the element, "o" for an operator, "c" and "l" for a quantity of this step and the last. */
  readonly letter: string;
  /** The text of a leaf. */
  readonly text: string;
  /** The setting that it stands for. */
  readonly setting: string | null;
  readonly children: readonly Part[];
}

/** A number, or one for each coordinate; a condition is 1 or 0. */
export type Quantity = number | Float64Array;

/** The numbers of one step, by the spelling of what stands for them. */
export interface Numbers {
  readonly dimension: number;
  readonly known: Map<string, Quantity>;
  setting(name: string): number | undefined;
}

/** The parts that a short spelling consists of. */
export function partsOf(short: string): Part[] {
  const open: { letter: string; setting: string | null; start: number; children: Part[] }[] = [];
  const all: Part[] = [];
  const add = (part: Part) => (open.at(-1)?.children ?? all).push(part);
  const leaf = (source: string, letter: string, text: string, setting: string | null = null) =>
    add({ source, letter, text, setting, children: [] });
  for (const found of short.matchAll(token)) {
    const [source, letter, setting, text, step, name, element, itsSetting, digits, symbol] = found;
    if (letter) leaf(source, letter, text!, setting ?? null);
    else if (step) leaf(source, step, name!);
    else if (digits) leaf(source, "n", digits);
    else if (symbol) leaf(source, "i", symbol, usual[symbol]!);
    else if (element) open.push({ letter: element, setting: itsSetting ?? null, start: found.index, children: [] });
    else if (source === "]") {
      const { letter: its, setting: own, start, children } = open.pop()!;
      add({ source: short.slice(start, found.index + 1), letter: its, text: "", setting: own, children });
    } else leaf(source, "o", source);
  }
  return all;
}

/** What a part stands for, where that is known without computing. */
export function given(part: Part, numbers: Numbers): Quantity | undefined {
  if (part.setting !== null) return numbers.setting(part.setting);
  return part.letter === "n" ? Number(part.text) : numbers.known.get(part.source);
}

/** What a part comes to; undefined where something of it is not known. */
export function quantityOf(part: Part, numbers: Numbers): Quantity | undefined {
  const known = given(part, numbers);
  if (known !== undefined) return known;
  const [first, second] = part.children;
  const inner = (one: Part | undefined) => (one ? quantityOf(one, numbers) : undefined);
  switch (part.letter) {
    case "r":
      return new Row(part.children, numbers).value();
    case "f":
      return both(inner(first), inner(second), (a, b) => a / b);
    case "p":
      return both(inner(first), inner(second), (a, b) => a ** b);
    case "q":
      return each(inner(first), Math.sqrt);
    case "k":
      return both(inner(first), inner(second), (a, b) => a ** (1 / b));
    default:
      return undefined;
  }
}

/** A distinction of two cases: the one that holds if the test does, and the other. */
export function casesOf(table: Part): { test: Part; chosen: Part; otherwise: Part } {
  const cell = (row: number, column: number) => table.children[row]!.children[column]!.children[0]!;
  return { test: cell(0, 1).children[1]!, chosen: cell(0, 0), otherwise: cell(1, 0) };
}

/** Parts in a row, read with the usual precedence. */
class Row {
  private place = 0;

  constructor(
    private readonly parts: readonly Part[],
    private readonly numbers: Numbers,
  ) {}

  value(): Quantity | undefined {
    const value = this.comparison();
    return this.place === this.parts.length ? value : undefined;
  }

  /** Whether an operator stands next; then it is passed. */
  private passes(sign: string): boolean {
    const next = this.parts[this.place];
    const found = next?.letter === "o" && next.text === sign;
    if (found) this.place++;
    return found;
  }

  private comparison(): Quantity | undefined {
    const left = this.sum();
    const signs: [string, (a: number, b: number) => boolean][] = [
      ["=", (a, b) => a === b],
      ["&gt;", (a, b) => a > b],
      ["&lt;", (a, b) => a < b],
      ["≥", (a, b) => a >= b],
    ];
    for (const [sign, holds] of signs)
      if (this.passes(sign)) return both(left, this.sum(), (a, b) => Number(holds(a, b)));
    return left;
  }

  private sum(): Quantity | undefined {
    let value = this.passes("-") ? each(this.product(), (a) => -a) : this.product();
    for (;;) {
      if (this.passes("+")) value = both(value, this.product(), (a, b) => a + b);
      else if (this.passes("-")) value = both(value, this.product(), (a, b) => a - b);
      else return value;
    }
  }

  private product(): Quantity | undefined {
    let value = this.factor();
    while (this.passes(".") || this.passes("·")) value = both(value, this.factor(), (a, b) => a * b);
    return value;
  }

  private factor(): Quantity | undefined {
    if (this.passes("(")) return this.until(")");
    if (this.passes("|")) return each(this.until("|"), Math.abs);
    if (this.passes("‖")) {
      const vector = this.until("‖");
      const squares = this.total(both(vector, vector, (a, b) => a * b));
      return each(squares, Math.sqrt);
    }
    if (this.passes("⟨")) {
      const left = this.until(",");
      return this.total(both(left, this.until("⟩"), (a, b) => a * b));
    }
    if (this.passes("∑")) return this.total(this.factor());
    if (this.passes("max")) return this.ofTwo(Math.max);
    if (this.passes("min")) return this.ofTwo(Math.min);
    const part = this.parts[this.place++];
    if (!part || part.letter === "o") return part?.text === "{" ? this.cases() : undefined;
    if (part.letter === "i" && part.text === "sign") return each(this.factor(), Math.sign);
    return quantityOf(part, this.numbers);
  }

  private until(sign: string): Quantity | undefined {
    const value = this.sum();
    return this.passes(sign) ? value : undefined;
  }

  /** A function of two arguments in brackets. */
  private ofTwo(f: (a: number, b: number) => number): Quantity | undefined {
    const inside = new Row(this.parts[this.place++]?.children ?? [], this.numbers);
    if (!inside.passes("(")) return undefined;
    const first = inside.until(",");
    return both(first, inside.until(")"), f);
  }

  private cases(): Quantity | undefined {
    const { test, chosen, otherwise } = casesOf(this.parts[this.place++]!);
    const holds = quantityOf(test, this.numbers);
    if (holds === undefined) return undefined;
    const tests = typeof holds === "number" ? [holds] : [...holds];
    // Only the branches that are taken must be known.
    if (tests.every(Boolean)) return quantityOf(chosen, this.numbers);
    if (!tests.some(Boolean)) return quantityOf(otherwise, this.numbers);
    const [left, right] = [quantityOf(chosen, this.numbers), quantityOf(otherwise, this.numbers)];
    if (left === undefined || right === undefined) return undefined;
    return Float64Array.from(tests, (one, k) => at(one ? left : right, k));
  }

  /** The sum over the coordinates; a number that all of them share counts for each. */
  private total(value: Quantity | undefined): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value === "number") return value * this.numbers.dimension;
    return value.reduce((sum, one) => sum + one, 0);
  }
}

export function at(value: Quantity, coordinate: number): number {
  return typeof value === "number" ? value : value[coordinate]!;
}

function each(value: Quantity | undefined, f: (a: number) => number): Quantity | undefined {
  return typeof value === "number" ? f(value) : value?.map(f);
}

function both(
  left: Quantity | undefined,
  right: Quantity | undefined,
  f: (a: number, b: number) => number,
): Quantity | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (typeof left !== "number") return left.map((one, k) => f(one, at(right, k)));
  return typeof right === "number" ? f(left, right) : right.map((one) => f(left, one));
}
