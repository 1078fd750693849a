// What a formula and its gradient compute, as single operations on numbers; equal ones are stored once.

/** An operation ("+", "-", "*", "/", or "call" of the function `name`), a number, or the input of this place. */
export interface Node {
  readonly index: number;
  readonly operation: "+" | "-" | "*" | "/" | "call" | "number" | "input";
  readonly inputs: readonly Node[];
  readonly name: string;
  readonly number: number;
}

/** A graph is larger than it may be. */
export class TooManyNodes extends Error {}

export class Graph {
  /** In topological order. */
  readonly nodes: Node[] = [];
  private readonly known = new Map<string, Node>();

  constructor(private readonly most = Number.POSITIVE_INFINITY) {}

  node(operation: Node["operation"], inputs: readonly Node[], name = "", number = 0): Node {
    const [left, right, third] = inputs;
    if (left?.operation === "number" && right?.operation === "number") {
      if (operation === "+") return this.number(left.number + right.number);
      if (operation === "-") return this.number(left.number - right.number);
      if (operation === "*") return this.number(left.number * right.number);
    }
    const size = Object.is(number, -0) ? "-0" : number;
    const key = `${operation}${name} ${size} ${left?.index} ${right?.index} ${third?.index}`;
    let node = this.known.get(key);
    if (!node) {
      if (this.nodes.length >= this.most) throw new TooManyNodes();
      node = { index: this.nodes.length, operation, inputs, name, number };
      this.known.set(key, node);
      this.nodes.push(node);
    }
    return node;
  }

  number(value: number): Node {
    return this.node("number", [], "", value);
  }

  /** The outputs and all nodes they depend on, in order. */
  needed(outputs: readonly Node[]): Node[] {
    const found = new Set<Node>();
    const waiting = [...outputs];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (found.has(node)) continue;
      found.add(node);
      waiting.push(...node.inputs);
    }
    return [...found].sort((a, b) => a.index - b.index);
  }
}
