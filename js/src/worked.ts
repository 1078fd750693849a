// A rule's formula worked out for one step: each line with its numbers put in, coordinate by coordinate.
import type { Explained } from "./explain.ts";
import { at, casesOf, given, type Numbers, type Part, partsOf, type Quantity, quantityOf } from "./formula_tree.ts";
import { type Line, mathml } from "./mathml.ts";
import { shown } from "./numbers.ts";

/** A line of the formula, what it comes to, and its right side. */
interface Worked {
  readonly line: Line;
  readonly value: Quantity | undefined;
  readonly right: readonly Part[];
}

/** Marks that make one number of a vector: it is shown in their place. */
const WHOLE = new Set(["‖", "⟨", "∑"]);
/** The letters of relations, whose value is no number but true or false. */
const RELATION = /o\[(?:&[gl]t;|≥)\]/;

/** The lines of a formula with what each comes to in a step, which goes into the later ones. */
export function workedOut(lines: readonly Line[], step: Explained): { lines: readonly Worked[]; numbers: Numbers } {
  const numbers = numbersOf(step);
  // Of a long memory the formula shows a short one, so that from it nothing can be computed.
  const whole = !step.parts.some(({ name }) => name.includes("."));
  const worked = lines.map((line) => {
    const [left, right] = line;
    const parts = partsOf(right);
    // What the run itself has is not computed again.
    const value = numbers.known.get(left) ?? (whole && parts.length === 1 ? quantityOf(parts[0]!, numbers) : undefined);
    if (value !== undefined) numbers.known.set(left, value);
    return { line, value, right: parts };
  });
  return { lines: worked, numbers };
}

/** What a step gives to the formula: where it was, its gradient, what the rule remembers before and after, settings. */
function numbersOf({ step, x, change, gradient, rate, parts, settings }: Explained): Numbers {
  const known = new Map<string, Quantity>([["i[t]", step]]);
  const quantity = (value: readonly number[]) => (value.length === x.length ? Float64Array.from(value) : value[0]!);
  for (const { name, before, after } of parts) {
    const spelt = name.replaceAll("_", " ");
    known.set(`l[${spelt}]`, quantity(before));
    known.set(`c[${spelt}]`, quantity(after));
  }
  known.set("l[x]", Float64Array.from(x));
  known.set(
    "c[x]",
    Float64Array.from(x, (one, k) => one - change[k]!),
  );
  known.set("c[g]", Float64Array.from(gradient));
  return {
    dimension: x.length,
    known,
    setting: (name) => (name === "learning_rate" ? rate : settings.get(name)),
  };
}

/** The worked formula as MathML: each line, and under it one with numbers for each of some coordinates. */
export function workedMathml(
  lines: readonly Line[],
  step: Explained,
  coordinates: readonly number[],
  names: readonly string[],
): string {
  const { lines: worked, numbers } = workedOut(lines, step);
  const rows = worked.flatMap(({ line: [left, right], value, right: parts }) => {
    const symbols = row(mathml(left), `<mo>=</mo>${mathml(right)}`, "");
    if (value === undefined) return [symbols];
    const shares = typeof value === "number";
    const wanted = shares ? [0] : coordinates;
    return [
      symbols,
      ...wanted.map((k) => {
        const sides = [
          ...(right.includes("∇") ? [] : [parts.map((part) => written(part, numbers, k)).join("")]),
          RELATION.test(right) ? `<mtext>${at(value, k) ? "true" : "false"}</mtext>` : number(at(value, k)),
        ];
        const distinct = sides.filter((side, i) => side !== sides[i - 1]);
        const name = shares ? "" : `<mi>${escaped(names[k]!)}</mi><mo>:</mo>`;
        return row(name, distinct.map((side) => `<mo>=</mo>${side}`).join(""), "put-in");
      }),
    ];
  });
  return `<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mtable>${rows.join("")}</mtable></math>`;
}

/** A name that may be anybody's, as text of a formula. */
const escaped = (name: string): string => name.replace(/[<&]/g, (sign) => (sign === "<" ? "&lt;" : "&amp;"));

function row(left: string, right: string, kind: string): string {
  return (
    `<mtr class="${kind}"><mtd style="text-align: right"><mrow>${left}</mrow></mtd>` +
    `<mtd style="text-align: left"><mrow>${right}</mrow></mtd></mtr>`
  );
}

/** A part with the numbers of a coordinate put in for what is known. */
function written(part: Part, numbers: Numbers, coordinate: number): string {
  const value = given(part, numbers);
  if (value !== undefined) return number(at(value, coordinate));
  const { letter, children } = part;
  if (letter === "r") {
    if (children.some(({ letter, text }) => letter === "o" && WHOLE.has(text))) {
      const whole = quantityOf(part, numbers);
      if (whole !== undefined) return number(at(whole, coordinate));
    }
    return `<mrow>${inRow(children, numbers, coordinate)}</mrow>`;
  }
  if (letter === "o" && part.source === ".") return "<mo>·</mo>";
  const plain = mathml(part.source);
  if (!children.length || "bxv".includes(letter)) return plain;
  const tag = plain.slice(1, plain.search(/[ >]/));
  const base = letter === "p" ? [bracketed(children[0]!, numbers, coordinate)] : [];
  const rest = children.slice(base.length).map((child) => written(child, numbers, coordinate));
  return `<${tag}>${[...base, ...rest].join("")}</${tag}>`;
}

/** Parts in a row; a number below zero stands in brackets where something stands before it. */
function inRow(parts: readonly Part[], numbers: Numbers, coordinate: number): string {
  const made: string[] = [];
  for (let k = 0; k < parts.length; k++) {
    const part = parts[k]!;
    if (part.source === "{") {
      made.push(branch(parts[++k]!, numbers, coordinate));
      continue;
    }
    const before = parts[k - 1];
    const first = !before || (before.letter === "o" && "(,|=".includes(before.text));
    made.push(first ? written(part, numbers, coordinate) : bracketed(part, numbers, coordinate));
  }
  return made.join("");
}

/** Of two cases the one that is taken. */
function branch(table: Part, numbers: Numbers, coordinate: number): string {
  const { test, chosen, otherwise } = casesOf(table);
  const holds = quantityOf(test, numbers);
  if (holds === undefined) return `<mo>{</mo>${mathml(table.source)}`;
  return written(at(holds, coordinate) ? chosen : otherwise, numbers, coordinate);
}

function bracketed(part: Part, numbers: Numbers, coordinate: number): string {
  const value = given(part, numbers);
  const text = written(part, numbers, coordinate);
  return value !== undefined && at(value, coordinate) < 0 ? `<mrow><mo>(</mo>${text}<mo>)</mo></mrow>` : text;
}

/** A number as MathML: with a power of ten where it is large or small. */
function number(value: number): string {
  const [digits, power] = shown(value, 4).split("e");
  if (power === undefined) return `<mn>${digits}</mn>`;
  return `<mrow><mn>${digits}</mn><mo>·</mo><msup><mn>10</mn><mn>${power}</mn></msup></mrow>`;
}
