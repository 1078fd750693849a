// What stands side by side without a sign: where it has one reading, and the readings where it has more.
import * as language from "./language.ts";
import { closest } from "./spelling.ts";
import type { Cursor, Tree } from "./syntax.ts";
import { characters, filled, type Text, type Token } from "./text.ts";

/** Whether a function has one argument, so that it may be written without brackets. */
export function takesOne(name: string): boolean {
  return language.FUNCTIONS.get(name)?.[0] === 1 || language.WRITTEN.get(name)?.includes("b") === false;
}

const isAscii = (text: string): boolean => !/[^ -\x7e]/.test(text);
const isFewerThan = (count: number, text: string): boolean => characters(text).length < count;

/** Whether a name is one letter with an index, or Greek: two such names in a row are a product. */
const isShort = (name: string): boolean =>
  language.CONSTANTS.has(name) || !isAscii(name) || /^[A-Za-z](?:_?[0-9]*|_[a-z])$/.test(name);

/** The advice to write one of these. */
export function either(...readings: string[]): string {
  const advice = filled(language.WRITE, readings.join(" or "));
  return isFewerThan(90, advice) ? advice : language.WRITE_TIMES;
}

/** Remember a fault where two factors in a row have more than one reading, or none. */
export function checkProduct(
  at: Cursor,
  start: number,
  last: Tree,
  divided: boolean,
  before: Token,
  after: Token,
  right: Tree,
): void {
  if (last.kind === "nothing" || right.kind === "nothing" || before.kind === "unreadable") return;
  const power = last.kind === "negative" ? last.parts[0]! : last;
  const glued = before.end === after.start;
  const isBarePower = power.kind === "power" && power.text === "^" && before.kind !== "mark" && glued;
  const isCall = before.kind === "name" && after.text === "(" && last.kind === "name";
  if (!(divided || isBarePower || isUnclear(before, after) || (isCall && !isFactor(at, last.text)))) return;
  const written = (tree: Tree) => at.text.between(tree.start, tree.end);
  const one = written(last);
  const other = written(right);
  let told = either(`${one}*${other}`);
  if (divided) {
    const above = at.text.between(start, last.start).replace(/[/ ÷∕⁄／]+$/, "");
    told = either(`${above}/(${one}*${other})`, `(${above}/${one})*${other}`);
  } else if (isBarePower) {
    const [base, exponent] = power.parts.map(written);
    told = either(`${base}^(${exponent}*${other})`, `${one}*${other}`);
  } else if (before.kind === "number") {
    told = after.kind === "number" ? language.ONE_POINT : language.DIGITS_ALONE;
  } else if (isCall) {
    const inside = /^\(([^()]*)\)/.exec(other)?.[1];
    if (inside && /^\p{Nd}+$/u.test(inside)) told += ` or ${one}[${inside}]`;
    if (one.endsWith("_")) told = filled(language.WRITE, `${one.slice(0, -1)}[${other.slice(1, -1)}]`);
  }
  at.fault(divided ? start : last.start, right.end, told);
}

/** Whether two factors in a row are not surely a product: numbers in a row, |x| before a name, long words. */
function isUnclear(before: Token, after: Token): boolean {
  if (after.kind === "number") return true;
  if (before.kind === "number") return before.end === after.start && (before.text === "0" || after.text[0] === "_");
  return (before.text === "|" && after.text !== "|") || !mayTouch(before, after);
}

/** Whether names that stand beside each other are two factors; long words would be a guess. */
const mayTouch = (before: Token, after: Token): boolean =>
  after.text === "(" ||
  [before, after].every(({ kind, text }) => kind !== "name" || language.CALLED.has(text) || isShort(text));

/** Whether a name before a bracket is a factor: it is used as a variable elsewhere. */
const isFactor = (at: Cursor, name: string): boolean => language.CONSTANTS.has(name) || at.alone.has(name);

/** Whether a name before a bracket may be a factor; others are taken for functions. */
export const mayBeFactor = (at: Cursor, name: string): boolean =>
  isFactor(at, name) || name.endsWith("_") || (isShort(name) && !["f", "g", "h"].includes(name));

const longest = (words: string[]): string =>
  words.reduce((best, word) => (word.length > best.length ? word : best), "");

/** What to write instead of a function that a formula does not have. */
export function noFunction(name: string, argument: string): string {
  const lower = name.toLowerCase();
  const instead = language.ELSEWHERE.get(lower);
  if (instead) return filled(language.WRITE, instead);
  const called = [...language.CALLED];
  const glued = called.filter((word) => lower.endsWith(word) && isShort(lower.slice(0, -word.length)));
  if (glued.length) {
    const word = longest(glued);
    const product = `${name.slice(0, -word.length)}*${word}${argument}`;
    return isFewerThan(40, argument) ? filled(language.WRITE, product) : language.WRITE_TIMES;
  }
  const close = longest(called.filter((word) => word.length > 2 && lower.startsWith(word))) || closest(lower, called);
  const meant = close ? filled(language.DID_YOU_MEAN, close) : ". ";
  return filled(language.NO_FUNCTION, name) + meant + language.ALLOWED;
}

/** Remember the names that are other names run together: xy beside x and y, sinx, xe beside x. */
export function checkNames(
  text: Text,
  tokens: readonly Token[],
  alone: ReadonlySet<string>,
  steps: ReadonlySet<string>,
): void {
  const seen = new Set<string>();
  for (const { kind, text: name, start, end } of tokens) {
    if (kind !== "name" || seen.has(name) || isFewerThan(2, name)) continue;
    seen.add(name);
    const parts = steps.has(name) || language.CALLED.has(name) ? undefined : splitName(name, alone);
    if (parts) text.fault(start, end, filled(language.RUN_TOGETHER, spelt(parts)), name);
  }
}

/** The names and functions that a name is made of, two or more; undefined where it is one word. */
function splitName(name: string, alone: ReadonlySet<string>): string[] | undefined {
  const letters = characters(name);
  // No word is read letter by letter, whatever its length.
  if (letters.length > 20) return undefined;
  const isLetter = (part: string) =>
    ["x", "y", "z"].includes(part) || (isFewerThan(2, part) && (!isAscii(part) || /\p{Nd}/u.test(part)));
  // The parts from each place on; of several ways the one with the longest first part.
  const from: (string[] | undefined)[] = Array(letters.length + 1);
  from[letters.length] = [];
  for (let place = letters.length - 1; place >= 0; place--) {
    for (let end = letters.length; end > place && !from[place]; end--) {
      const part = letters.slice(place, end).join("");
      const rest = from[end];
      if (!rest) continue;
      const isFunction = end - place > 1 && takesOne(part) && rest.length > 0;
      const isName = part !== name && (alone.has(part) || language.CONSTANTS.has(part) || isLetter(part));
      if (isFunction || isName) from[place] = [part, ...rest];
    }
  }
  const parts = from[0];
  if (!parts || parts.length < 2) return undefined;
  const isKnown = (part: string) => alone.has(part) || language.CONSTANTS.has(part);
  const namesOnly = parts.every(isKnown) && parts.some((part) => alone.has(part));
  return namesOnly || parts.some((part) => language.CALLED.has(part)) ? parts : undefined;
}

/** The parts with the signs between them: x*sin(2*x). */
function spelt(parts: readonly string[]): string {
  const place = parts.findIndex((part) => language.CALLED.has(part));
  if (place < 0) return parts.join("*");
  return [...parts.slice(0, place), `${parts[place]}(${spelt(parts.slice(place + 1))})`].join("*");
}
