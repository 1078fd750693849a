// The functions of the formula language on numbers: as NumPy computes them in compiled code, and as Python folds
// constants, where what has no value is an error.
import { FUNCTIONS } from "./language.ts";
import { erf, power } from "./pow.ts";

export class DivisionByZero extends Error {}
export class NotReal extends Error {}

type NumberFunction = (...numbers: number[]) => number;

function sigmoid(x: number): number {
  // exp of a negative number only, so that nothing overflows.
  const z = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : z) / (1 + z);
}

/** The remainder, with the divisor's sign, also where it is 0: as Python and NumPy have it. */
export function remainder(x: number, divisor: number): number {
  const rest = x % divisor;
  if (rest === 0) return 0 / divisor;
  return rest < 0 !== divisor < 0 ? rest + divisor : rest;
}

/** The product, in which a 0 wins against what is infinite or NaN. */
const chained = (adjoint: number, slope: number): number =>
  adjoint === 0 || (slope === 0 && !Number.isFinite(adjoint)) ? 0 : adjoint * slope;

/** The functions of the code, by name. */
export const functions: ReadonlyMap<string, NumberFunction> = new Map<string, NumberFunction>([
  ...[...FUNCTIONS.keys()].flatMap((name): [string, NumberFunction][] => {
    const known = Object.getOwnPropertyDescriptor(Math, name)?.value;
    return known ? [[name, known]] : [];
  }),
  ["sigmoid", sigmoid],
  ["mod", remainder],
  ["erf", erf],
  ["power", power],
  ["whole_power", power],
  ["min", (a, b) => Math.min(a!, b!)],
  ["max", (a, b) => Math.max(a!, b!)],
  ["where", (condition, chosen, other) => (condition ? chosen! : other!)],
  ["times_log", (value, base) => (value === 0 ? 0 : value! * Math.log(base!))],
  ["equal", (a, b) => Number(a === b)],
  ["not_equal", (a, b) => Number(a !== b)],
  ["less", (a, b) => Number(a! < b!)],
  ["less_equal", (a, b) => Number(a! <= b!)],
  ["greater", (a, b) => Number(a! > b!)],
  ["greater_equal", (a, b) => Number(a! >= b!)],
  ["both", (a, b) => a! * b!],
  ["either", (a, b) => Math.max(a!, b!)],
  ["negation", (a) => 1 - a!],
  ["chained", chained],
  ["chained_quotient", (adjoint, divisor) => (adjoint === 0 ? 0 : adjoint! / divisor!)],
]);

/** An operation's value for constants. Throws NotReal outside its domain and DivisionByZero. */
export function onConstants(operation: string, numbers: readonly number[]): number {
  const [a, b] = numbers as [number, number];
  if (operation === "+") return numbers.reduce((sum, number) => sum + number, 0);
  const isPower = operation === "**";
  if (operation === "mod" ? b === 0 : isPower && a === 0 && b < 0) throw new DivisionByZero();
  const compute = functions.get(isPower ? "power" : operation)!;
  const isExtreme = operation === "min" || operation === "max";
  const value = isExtreme ? numbers.reduce((x, y) => compute(x, y)) : compute(...numbers);
  if (Number.isNaN(value) && isPower && power(Math.abs(a), b) === Number.POSITIVE_INFINITY) return power(-a, b);
  if (Number.isNaN(value) || ((operation === "log" || operation === "log1p") && value === Number.NEGATIVE_INFINITY)) {
    throw new NotReal();
  }
  return value;
}
