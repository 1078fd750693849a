// A graph computed operation by operation, where a content policy forbids to make code, or where there is much of it.
import type { Functions } from "./code.ts";
import { functions } from "./functions.ts";
import type { Graph, Node } from "./graph.ts";

/** The signs of arithmetic, by the number that stands for them on the tape; all else is a call. */
const ARITHMETIC = ["+", "-", "*", "/"];
/** The numbers of a step: the operation, the places of three operands, as far as there are any, and of the result. */
const WIDTH = 5;

/** The outputs, a value and its gradient, as functions of a point. */
export function tape(graph: Graph, outputs: readonly Node[]): Functions {
  const nodes = graph.needed(outputs);
  const places = new Map(nodes.map((node, place) => [node, place]));
  const placeOf = (node: Node) => places.get(node)!;
  const numbers = Float64Array.from(nodes, (node) => node.number);
  const inputs = nodes.filter(({ operation }) => operation === "input");
  const read = inputs.map(placeOf);
  const made = nodes.filter((node) => node.inputs.length);
  const called = made.map((node) => functions.get(node.name)!);
  const steps = new Int32Array(WIDTH * made.length);
  made.forEach((node, i) => {
    const operation = ARITHMETIC.indexOf(node.operation);
    steps.set([operation, ...node.inputs.map(placeOf)], WIDTH * i);
    steps[WIDTH * i + 4] = placeOf(node);
  });

  function run(x: Float64Array, end: number): void {
    for (let i = 0; i < read.length; i++) numbers[read[i]!] = x[inputs[i]!.number]!;
    for (let at = 0; at < end; at += WIDTH) {
      const a = numbers[steps[at + 1]!]!;
      const b = numbers[steps[at + 2]!]!;
      const operation = steps[at];
      let result: number;
      if (operation === 0) result = a + b;
      else if (operation === 1) result = a - b;
      else if (operation === 2) result = a * b;
      else if (operation === 3) result = a / b;
      else result = called[at / WIDTH]!(a, b, numbers[steps[at + 3]!]!);
      numbers[steps[at + 4]!] = result;
    }
  }

  const wanted = outputs.map(placeOf);
  // What the gradient alone needs comes after the value.
  const ofValue = WIDTH * (made.indexOf(outputs[0]!) + 1);
  return {
    value(x) {
      run(x, ofValue);
      return numbers[wanted[0]!]!;
    },
    valueAndGradient(x, gradient) {
      run(x, steps.length);
      for (let i = 1; i < wanted.length; i++) gradient[i - 1] = numbers[wanted[i]!]!;
      return numbers[wanted[0]!]!;
    },
  };
}
