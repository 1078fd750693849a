// From the tokens of one line to a syntax tree: Python's precedence, and what mathematics leaves out. What cannot be
// read is remembered as a fault of the text, and reading goes on where it can.
import { checkProduct, either, mayBeFactor, noFunction, takesOne } from "./juxtaposition.ts";
import * as language from "./language.ts";
import { filled, stripped, type Text, type Token } from "./text.ts";

/** A part of a formula as written; `inverse` says of each part of a sum or product whether it is subtracted or divided by. */
export interface Tree {
  readonly kind:
    | "number"
    | "name"
    | "sum"
    | "product"
    | "negative"
    | "power"
    | "call"
    | "index"
    | "compare"
    | "and"
    | "or"
    | "not"
    | "clause"
    | "nothing";
  readonly parts: readonly Tree[];
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly inverse: readonly boolean[];
}

/** The rest of the line cannot be read; the fault is remembered. */
class Unreadable extends Error {}

/** The tree of one line; undefined if it cannot be read. `alone` has the names that are used as variables anywhere. */
export function syntax(text: Text, tokens: readonly Token[], alone: ReadonlySet<string>): Tree | undefined {
  try {
    return new Parser(text, tokens, alone).line();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** The names that are used as variables anywhere: without a bracket, a dot or an = after them. */
export function namesAlone(tokens: readonly Token[]): ReadonlySet<string> {
  const alone = tokens.filter((token, i) => token.kind === "name" && !among(tokens[i + 1]?.text, "( . [ ="));
  return new Set(alone.map((token) => token.text));
}

const among = (text: string | undefined, words: string): boolean =>
  text !== undefined && words.split(" ").includes(text);

/** A place in the tokens of one line. */
export class Cursor {
  readonly text: Text;
  readonly alone: ReadonlySet<string>;
  readonly tokens: readonly Token[];
  place = 0;
  depth = 0;
  /** Whether the place is inside |...|, whose next bar closes it. */
  bars = false;

  constructor(text: Text, tokens: readonly Token[], alone: ReadonlySet<string>) {
    const { end } = tokens.at(-1)!;
    this.text = text;
    this.alone = alone;
    this.tokens = [...tokens, { kind: "end", text: "", start: end, end }];
  }

  get token(): Token {
    return this.tokens[this.place]!;
  }

  get previous(): Token {
    return this.tokens.at(this.place - 1)!;
  }

  get following(): Token {
    return this.tokens[Math.min(this.place + 1, this.tokens.length - 1)]!;
  }

  take(): Token {
    return this.tokens[this.place++]!;
  }

  /** Whether the token is one of these, which is then taken. */
  takes(words: string): boolean {
    const { kind, text } = this.token;
    const found = (kind === "mark" || kind === "word") && among(text, words);
    if (found) this.place++;
    return found;
  }

  /** Remember that a part of the text cannot be read. */
  fault(start: number, end: number, problem: string): void {
    const part = stripped(this.text.slice(start, end));
    this.text.fault(start, end, problem, Array.from(part).slice(-60).join(""));
  }

  /** The tree of what stands between a start and the place. */
  tree(kind: Tree["kind"], start: number, parts: Tree[] = [], text = "", inverse: boolean[] = []): Tree {
    return { kind, parts, text, start, end: this.previous.end, inverse };
  }

  startsFactor(): boolean {
    const { kind, text } = this.token;
    return kind === "number" || kind === "name" || text === "(" || text === "√" || (text === "|" && !this.bars);
  }

  /** Where the factor that starts at the token ends: with its brackets. */
  endOfFactor(): number {
    let { place } = this;
    if (this.tokens[place]!.kind === "name" && among(this.tokens[place + 1]!.text, "( [")) place++;
    let depth = 0;
    for (; place < this.tokens.length; place++) {
      const { text, end } = this.tokens[place]!;
      depth += Number(among(text, "( [")) - Number(among(text, ") ]"));
      if (depth <= 0) return end;
    }
    return this.tokens.at(-1)!.end;
  }

  /** Remember that the token does not fit, and return the error that ends the reading of the line. */
  misplaced(): Unreadable {
    const { kind, text, start, end } = this.token;
    const { previous } = this;
    const before = this.place ? previous.text : "";
    if (kind === "unreadable") return new Unreadable();
    if (text === "," && among(previous.kind, "number name superscript")) {
      this.fault(Math.max(0, end - 20), end + 5, language.COMMA);
    } else if (kind === "end" || among(text, ") ] , |")) {
      const told = among(before, ") ]") ? language.MISPLACED : filled(language.NOTHING_FOLLOWS, before);
      this.fault(Math.max(0, end - 20), end, told);
    } else if (kind === "word") this.fault(start, end + 10, language.WRITE_IF_OR_WHERE);
    else if (text === "=") this.fault(this.tokens[0]!.start, this.tokens.at(-1)!.end, language.EQUALS);
    else if (text === ".") this.fault(this.place ? previous.start : start, this.following.end, language.DOTS);
    else if (text === "[") this.fault(start, end + 10, language.SQUARE_BRACKETS);
    else if (text === "//") this.fault(start, end, language.WHOLE_QUOTIENT);
    else this.fault(start, start + 20, language.MISPLACED);
    return new Unreadable();
  }

  /** What a function reads, one level of nesting deeper. */
  deeper<Result>(start: number, read: () => Result): Result {
    if (++this.depth > language.MAX_DEPTH) {
      this.fault(Math.max(0, start - 20), start + 1, filled(language.TOO_DEEP, language.MAX_DEPTH));
      throw new Unreadable();
    }
    const result = read();
    this.depth--;
    return result;
  }
}

const COMPARED = [...language.COMPARISONS.keys()].join(" ");
/** What may follow the argument of a function that is written without brackets. */
const AFTER_BARE = `+ - ) ] , ; | if else and or = .. ${COMPARED}`;

class Parser extends Cursor {
  // Lines and conditions ---------------------------------------------------------------------------------------------

  line(): Tree {
    const tree = this.choice();
    if (this.token.kind !== "end") throw this.misplaced();
    return tree;
  }

  /** `a if condition else b`, which is where(condition, a, b). */
  choice(): Tree {
    const { start } = this.token;
    return this.deeper(start, () => {
      const tree = this.joined("or");
      if (!this.takes("if")) return tree;
      const condition = this.joined("or");
      if (!this.takes("else")) {
        this.fault(start, this.previous.end, language.WRITE_IF);
        throw new Unreadable();
      }
      const other = this.choice();
      return this.tree("call", start, [condition, tree, other], "where");
    });
  }

  /** Conditions joined by `or`, of conditions joined by `and`. */
  joined(word: "or" | "and"): Tree {
    const { start } = this.token;
    const part = () => (word === "or" ? this.joined("and") : this.comparison());
    const parts = [part()];
    while (this.takes(word)) parts.push(part());
    return parts.length === 1 ? parts[0]! : this.tree(word, start, parts);
  }

  /** A sum, `not` a comparison, or sums compared: 0 < x <= 1 means both. */
  comparison(): Tree {
    const { start } = this.token;
    if (this.takes("not")) return this.deeper(start, () => this.tree("not", start, [this.comparison()]));
    let left = this.sum();
    const compared: Tree[] = [];
    while (this.takes(COMPARED)) {
      const { text } = this.previous;
      const right = this.sum();
      compared.push(this.tree("compare", left.start, [left, right], text));
      left = right;
    }
    if (!compared.length) return left;
    return compared.length === 1 ? compared[0]! : this.tree("and", start, compared);
  }

  // Sums, products, powers -------------------------------------------------------------------------------------------

  sum(): Tree {
    const { start } = this.token;
    const parts = [this.product()];
    const inverse = [false];
    while (this.takes("+ -")) {
      inverse.push(this.previous.text === "-");
      parts.push(this.product());
    }
    return parts.length === 1 ? parts[0]! : this.tree("sum", start, parts, "", inverse);
  }

  /** a * b / c, and a b where that has one reading. */
  product(): Tree {
    const { start } = this.token;
    const parts = [this.signed()];
    const inverse = [false];
    for (;;) {
      if (this.takes("* /")) {
        inverse.push(this.previous.text === "/");
        parts.push(this.signed());
      } else if (this.token.kind === "unreadable") {
        // It stands for an operator if an operand follows.
        this.take();
        if (this.startsFactor() || among(this.token.text, "+ -")) {
          parts.push(this.signed());
          inverse.push(false);
        }
      } else if (this.startsFactor()) {
        const { previous, token } = this;
        const right = this.power();
        checkProduct(this, start, parts.at(-1)!, inverse.at(-1)!, previous, token, right);
        inverse.push(false);
        parts.push(right);
      } else break;
    }
    return parts.length === 1 ? parts[0]! : this.tree("product", start, parts, "", inverse);
  }

  /** A power with its signs. */
  signed(): Tree {
    const { start } = this.token;
    let minus = false;
    while (this.takes("+ -")) minus = minus !== (this.previous.text === "-");
    const tree = this.power();
    return minus ? this.tree("negative", start, [tree]) : tree;
  }

  /** a ** b, a ^ b or a²; powers bind to the right. */
  power(): Tree {
    const { start } = this.token;
    let tree = this.primary();
    if (this.token.kind === "superscript") {
      const exponent = this.superscript();
      tree = this.tree("power", start, [tree, exponent]);
    }
    if (!this.takes("**")) return tree;
    return this.deeper(start, () => {
      const exponent = this.signed();
      return this.tree("power", start, [tree, exponent], "^");
    });
  }

  /** The exponent of x², x⁻¹ or e²ˣ. */
  superscript(): Tree {
    const { text, start, end } = this.take();
    const [, sign, digits, letter] = /^([+-]?)([0-9]{0,400})([a-z]?)$/.exec(text) ?? [];
    const parts: Tree[] = [];
    if (digits) parts.push(this.tree("number", start, [], digits));
    if (letter) parts.push(this.tree("name", start, [], letter));
    if (!parts.length) {
      this.fault(start, end, language.EXPONENT);
      throw new Unreadable();
    }
    const tree = parts.length === 1 ? parts[0]! : this.tree("product", start, parts, "", [false, false]);
    return sign === "-" ? this.tree("negative", start, [tree]) : tree;
  }

  // Numbers, names, brackets, functions ------------------------------------------------------------------------------

  /** A number, a name, a bracket, a function, |a| or √a. */
  primary(): Tree {
    const { token } = this;
    const { kind, text, start } = token;
    if (kind === "number") {
      this.take();
      return this.tree("number", start, [], text);
    }
    if (kind === "unreadable") {
      this.take();
      return this.tree("nothing", start);
    }
    if (kind === "name") {
      this.take();
      return this.named(token);
    }
    if (this.takes("(")) return this.bracketed(")");
    if (this.takes("|")) {
      const inside = this.bracketed("|");
      return this.tree("call", start, [inside], "abs");
    }
    if (this.takes("√")) return this.root(token);
    throw this.misplaced();
  }

  /** What a name begins: a function, x[i], or the name itself. */
  named(name: Token): Tree {
    const { text, start } = name;
    const { token } = this;
    if (language.CALLED.has(text)) return this.called(name);
    if (token.text === "[") return this.indexed(name);
    if (token.text === "." && token.kind === "mark") throw this.misplaced();
    if (token.text !== "(" || mayBeFactor(this, text)) return this.tree("name", start, [], text);
    const end = this.endOfFactor();
    this.fault(start, end, noFunction(text, this.text.between(token.start, end)));
    while (this.token.end <= end && this.token.kind !== "end") this.take();
    return this.tree("nothing", start);
  }

  /** What stands inside brackets or bars that are open. */
  bracketed(closing: ")" | "|"): Tree {
    const { start } = this.previous;
    const { bars } = this;
    this.bars = closing === "|";
    const tree = this.choice();
    this.bars = bars;
    if (!this.takes(closing)) {
      if (closing === ")" || this.token.kind === "unreadable") throw this.misplaced();
      this.fault(start, this.token.end, language.BAR_NEVER_CLOSED);
      throw new Unreadable();
    }
    return { ...tree, start, end: this.previous.end };
  }

  /** √ and its operand. */
  root(sign: Token): Tree {
    if (this.token.text === "-") {
      this.fault(sign.start, this.following.end, filled(language.WRITE, `√(-${this.following.text})`));
      throw new Unreadable();
    }
    const operand = this.deeper(sign.start, () => this.primary());
    const inside = this.text.between(operand.start, operand.end);
    const { kind, text, start, end } = this.token;
    if (kind === "superscript" || text === "**") {
      const exponent = `**${kind === "superscript" ? text : this.following.text}`;
      this.fault(sign.start, end, either(`√(${inside}${exponent})`, `(√${inside})${exponent}`));
    } else if (operand.kind === "number" && this.startsFactor()) {
      const last = this.endOfFactor();
      const right = this.text.between(start, last);
      this.fault(sign.start, last, either(`√(${inside}*${right})`, `√(${inside})*${right}`));
    }
    return this.tree("call", sign.start, [operand], "sqrt");
  }

  /** x[i]. */
  indexed(name: Token): Tree {
    const lower = name.text.toLowerCase();
    if (language.CALLED.has(lower)) {
      this.fault(name.start, this.token.end, filled(language.WRITE, `${lower}(x)`));
      throw new Unreadable();
    }
    this.take();
    const index = this.choice();
    if (!this.takes("]")) {
      if (this.token.text !== ",") throw this.misplaced();
      this.fault(name.start, this.token.end, language.ONE_INDEX);
      throw new Unreadable();
    }
    return this.tree("index", name.start, [index], name.text);
  }

  /** A function with its arguments. */
  called(name: Token): Tree {
    const exponent = this.exponentOfFunction(name);
    const parts = this.token.text === "(" ? this.arguments(name) : [this.bareArgument(name)];
    if (parts.length === 1 && parts[0]!.kind === "nothing") return parts[0]!;
    const tree = this.tree("call", name.start, parts, name.text);
    return exponent ? this.tree("power", name.start, [tree, exponent]) : tree;
  }

  /** The arguments in the brackets after a function. */
  arguments(name: Token): Tree[] {
    this.take();
    const parts: Tree[] = [];
    const { bars } = this;
    this.bars = false;
    while (!this.takes(")")) {
      parts.push(this.argument(name));
      if (!this.takes(",") && this.token.text !== ")") throw this.misplaced();
      if (this.previous.text === "," && this.token.text === ")") throw this.misplaced();
    }
    this.bars = bars;
    return parts;
  }

  /** An argument, or i=1..3 in a sum. */
  argument(name: Token): Tree {
    const { start } = this.token;
    const named = this.token.kind === "name" && this.following.text === "=";
    if (!named) return this.choice();
    const index = this.take().text;
    this.take();
    if (language.FUNCTIONS.has(name.text) && !language.INDEXED.has(name.text)) {
      this.fault(start, this.token.end, filled(language.NO_NAMED_ARGUMENT, name.text));
      return this.choice();
    }
    const low = this.choice();
    const { kind, text } = this.token;
    if (kind !== "mark" || !text.startsWith("..")) {
      this.fault(start, this.previous.end, filled(language.RANGE_OF, index));
      throw new Unreadable();
    }
    this.take();
    const high = this.choice();
    return this.tree("clause", start, [low, high], index);
  }

  /** The 2 of sin^2(x). */
  exponentOfFunction(name: Token): Tree | undefined {
    const { start, text, kind } = this.token;
    let exponent: Tree;
    if (kind === "superscript") exponent = this.superscript();
    else if (text !== "**") return undefined;
    else {
      this.take();
      if (this.token.kind === "number") {
        const digits = this.take();
        exponent = this.tree("number", digits.start, [], digits.text);
      } else exponent = this.signed();
    }
    if (exponent.kind !== "number" || !/^[0-9]+$/.test(exponent.text) || Number(exponent.text) < 2) {
      const inside = this.text.between(start, exponent.end).replace(/^[\^*() ]+|[\^*() ]+$/g, "");
      const isInverse = language.CALLED.has(`a${name.text}`) && among(inside, "-1 ⁻¹");
      const told = isInverse ? either(`a${name.text}(x)`, `1/${name.text}(x)`) : filled(language.POWER_LAST, name.text);
      this.fault(name.start, exponent.end, told);
    }
    return exponent;
  }

  /** The x of sin x, the 2 x of sin 2 x, the |x| of ln |x|. */
  bareArgument(name: Token): Tree {
    const { start, end, text } = this.token;
    if (text === "=") {
      this.fault(name.start, end, filled(language.IS_THE_FUNCTION, name.text));
      throw new Unreadable();
    }
    if (!takesOne(name.text)) return this.infix(name);
    const argument = this.bareOperand();
    if (argument) {
      this.checkBare(name, argument);
      return argument;
    }
    const signed = text === "-" && among(this.following.kind, "name number");
    const inside = signed ? `-${this.following.text}` : "x";
    this.fault(name.start, name.end, filled(language.WRITE, `${name.text}(${inside})`));
    return this.tree("nothing", start);
  }

  /** The fault of a function of several arguments without brackets: a mod b. */
  infix(name: Token): Tree {
    const { start } = this.token;
    const before = this.place > 1 ? this.tokens[this.place - 2]! : name;
    const right = this.startsFactor() ? this.power() : undefined;
    let told = filled(language.IN_BRACKETS, name.text);
    if (right && among(before.kind, "name number") && before !== name) {
      const other = this.text.between(right.start, right.end);
      told = filled(language.WRITE, `${name.text}(${before.text}, ${other})`);
    }
    this.fault(name.start, this.previous.end, told);
    return this.tree("nothing", start);
  }

  /** A function, a root or |x|, or a product such as 2 pi x; undefined if nothing of these follows. */
  bareOperand(): Tree | undefined {
    const { start, text } = this.token;
    if (language.CALLED.has(text) || text === "√" || (text === "|" && !this.bars)) {
      return this.deeper(start, () => this.primary());
    }
    const parts: Tree[] = [];
    if (this.token.kind === "number") {
      const digits = this.take();
      parts.push(this.tree("number", digits.start, [], digits.text));
    }
    while (this.token.kind === "name" && !language.CALLED.has(this.token.text)) {
      const word = this.take();
      parts.push(this.token.text === "[" ? this.indexed(word) : this.tree("name", word.start, [], word.text));
      if (!language.CONSTANTS.has(word.text)) break;
    }
    if (parts.length < 2) return parts[0];
    return this.tree("product", start, parts, "", Array(parts.length).fill(false));
  }

  /** Remember a fault if more follows the argument of a function without brackets, which may belong to it. */
  checkBare(name: Token, argument: Tree): void {
    const sign = this.token;
    const beforeFunction = among(sign.text, "* /") && language.CALLED.has(this.following.text);
    const ends = sign.text === "" || among(sign.text, AFTER_BARE) || language.CALLED.has(sign.text);
    if (ends || sign.kind === "unreadable" || beforeFunction) return;
    const inside = this.text.between(argument.start, argument.end);
    let more: string;
    if (sign.kind === "superscript") more = `**${this.take().text}`;
    else {
      this.takes("** * /");
      const right = this.signed();
      const joint = sign.kind === "mark" && among(sign.text, "** * /") ? sign.text : "*";
      more = joint + this.text.between(right.start, right.end);
    }
    const told = either(`${name.text}(${inside}${more})`, `${name.text}(${inside})${more}`);
    this.fault(name.start, this.previous.end, told);
  }
}
