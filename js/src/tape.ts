// A graph computed operation by operation, where a content policy forbids to make code, or where there is much of it.
import { functions } from "./functions.ts";
import type { Graph, Node } from "./graph.ts";

type Operation = (a: number, b: number, c: number) => number;

const ARITHMETIC: Record<string, Operation> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** A function of a point that fills in the outputs and returns the first. */
export function tape(graph: Graph, outputs: readonly Node[]): (x: Float64Array) => Float64Array {
  const nodes = graph.needed(outputs);
  const places = new Map(nodes.map((node, place) => [node, place]));
  const numbers = Float64Array.from(nodes, (node) => node.number);
  const inputs = nodes.flatMap(({ operation, number }, place) => (operation === "input" ? [[place, number]] : []));
  const steps = nodes.flatMap((node, place) => {
    if (!node.inputs.length) return [];
    const operation = ARITHMETIC[node.operation] ?? (functions.get(node.name) as Operation);
    const [a = 0, b = 0, c = 0] = node.inputs.map((input) => places.get(input)!);
    return [{ operation, a, b, c, place }];
  });
  const wanted = outputs.map((node) => places.get(node)!);
  const result = new Float64Array(outputs.length);
  return (x) => {
    for (const [place, i] of inputs) numbers[place!] = x[i!]!;
    for (const { operation, a, b, c, place } of steps) {
      numbers[place] = operation(numbers[a]!, numbers[b]!, numbers[c]!);
    }
    for (let i = 0; i < wanted.length; i++) result[i] = numbers[wanted[i]!]!;
    return result;
  };
}
