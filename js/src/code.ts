// From text to functions of a point: the formula's value and gradient.
import { StraightLine } from "./derivative.ts";
import { functions } from "./functions.ts";
import { parse } from "./grammar.ts";
import type { Graph, Node } from "./graph.ts";
import { tape } from "./tape.ts";

export interface Compiled {
  /** The formula as it was written, on one line. */
  readonly text: string;
  /** How it was understood, with every sign written; null where the text has every sign itself. */
  readonly reading: string | null;
  /** The name of its value. */
  readonly symbol: string;
  /** The names of the coordinates. */
  readonly names: readonly string[];
  readonly dimension: number;
  value(x: Float64Array): number;
  /** Fills in the gradient and returns the value. */
  valueAndGradient(x: Float64Array, gradient: Float64Array): number;
  /** The same at many points, where there is code for it. */
  readonly many?: ManyValues;
}

/** Fills in values and gradients at the points of `count` runs, given by their numbers; n coordinates a point. */
export type ManyValues = (
  points: Float64Array,
  runs: Int32Array,
  count: number,
  values: Float64Array,
  gradients: Float64Array,
) => void;

/** Longer functions are computed from a tape: engines refuse, or take long for, code of this length. */
const MOST_NODES = 5000;

/** A formula's value and gradient; throws a FormulaError, or TooManyNodes.
 *
 * Arguments:
 *   tape: whether no code is made, which a content policy may forbid.
 *   most: how many operations the value and gradient may have.
 */
export function compile(text: string, options: { tape?: boolean; most?: number } = {}): Compiled {
  const formula = parse(text);
  const line = new StraightLine(formula, options.most);
  const outputs = [line.result, ...line.gradient()];
  const isTaped = options.tape || line.graph.nodes.length > MOST_NODES || !allowsCode();
  return {
    text: formula.text,
    reading: formula.reading,
    symbol: formula.name,
    names: formula.variables,
    dimension: formula.variables.length,
    ...(isTaped ? tape(line.graph, outputs) : fromCode(line.graph, outputs)),
  };
}

export type Functions = Pick<Compiled, "value" | "valueAndGradient" | "many">;

/** The code holds only names made here, numbers, and names of `functions`: nothing that the user wrote. */
function fromCode(graph: Graph, outputs: readonly Node[]): Functions {
  const [value, ...slopes] = outputs.map(nameOf);
  const gradient = (at: string) => slopes.map((name, i) => `g[${at}${i}]=${name};`).join("");
  const body = `"use strict";return{
value(x){${linesOf(graph, outputs.slice(0, 1))}return ${value}},
valueAndGradient(x,g){${linesOf(graph, outputs)}${gradient("")}return ${value}},
many(x,runs,count,v,g){for(let j=0;j<count;j++){const r=runs[j],o=r*${slopes.length};
${linesOf(graph, outputs, "o+")}v[r]=${value};${gradient("o+")}}}}`;
  return new Function(...functions.keys(), body)(...functions.values());
}

/** The lines of numbers; a coordinate stands at its number, or at so many more. */
const linesOf = (graph: Graph, outputs: readonly Node[], at = ""): string =>
  graph
    .needed(outputs)
    .map((node) => lineOf(node, at))
    .join("");

function nameOf({ operation, index, number }: Node): string {
  if (operation !== "number") return `t${index}`;
  return number < 0 || Object.is(number, -0) ? `(${Object.is(number, -0) ? "-0" : number})` : String(number);
}

function lineOf(node: Node, at: string): string {
  const { operation, name, number } = node;
  const parts = node.inputs.map(nameOf);
  if (operation === "number") return "";
  if (operation === "input") return `const ${nameOf(node)}=x[${at}${number}];\n`;
  const right = operation === "call" ? `${name}(${parts.join(",")})` : parts.join(operation);
  return `const ${nameOf(node)}=${right};\n`;
}

let isAllowed: boolean | undefined;

/** Whether code may be made here. */
function allowsCode(): boolean {
  if (isAllowed === undefined) {
    try {
      isAllowed = new Function("return true")() as boolean;
    } catch {
      isAllowed = false;
    }
  }
  return isAllowed;
}
