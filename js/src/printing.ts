// The reading of a formula: its syntax tree as text, with every sign and bracket written.
import type { Tree } from "./syntax.ts";

/** How strongly each kind binds its parts; what is not listed stands as one word. */
const BINDS: Partial<Record<Tree["kind"], number>> = {
  or: 1,
  and: 2,
  not: 3,
  compare: 4,
  sum: 5,
  product: 6,
  negative: 7,
  power: 8,
};
const WORD = 9;

/** A tree as text, which is read as the same tree. */
export function printed(tree: Tree): string {
  const { kind, parts, text } = tree;
  const part = (place: number, least: number) => within(parts[place]!, least);
  switch (kind) {
    case "sum":
      return chain(tree, " + ", " - ");
    case "product":
      return chain(tree, "*", "/");
    case "negative":
      return `-${part(0, BINDS.product!)}`;
    case "power":
      return `${part(0, WORD)}**${part(1, BINDS.negative!)}`;
    case "compare":
      return `${part(0, BINDS.sum!)} ${text} ${part(1, BINDS.sum!)}`;
    case "and":
    case "or":
      return parts.map((each) => within(each, BINDS[kind]! + 1)).join(` ${kind} `);
    case "not":
      return `not ${part(0, BINDS.not!)}`;
    case "call":
      return `${text}(${parts.map(printed).join(", ")})`;
    case "index":
      return `${text}[${printed(parts[0]!)}]`;
    case "clause":
      return `${text}=${printed(parts[0]!)}..${printed(parts[1]!)}`;
    default:
      return text.includes("/") ? `(${text})` : text;
  }
}

function chain(tree: Tree, forward: string, inverse: string): string {
  const least = BINDS[tree.kind]!;
  return tree.parts
    .map((part, i) => {
      const sign = i ? (tree.inverse[i] ? inverse : forward) : "";
      return sign + within(part, least + Number(i > 0 || part.kind === tree.kind));
    })
    .join("");
}

/** A part of an operation, in brackets unless it binds at least this strongly. */
function within(tree: Tree, least: number): string {
  return binds(tree) >= least ? printed(tree) : `(${printed(tree)})`;
}

/** How strongly a tree binds its parts; the sign before a product, as the product does. */
function binds(tree: Tree): number {
  const isSignedProduct = tree.kind === "negative" && binds(tree.parts[0]!) === BINDS.product;
  return isSignedProduct ? BINDS.product! : (BINDS[tree.kind] ?? WORD);
}
