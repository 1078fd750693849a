// From characters to tokens: numbers, names and marks, each with its position in the text; and what cannot be read.
// Positions count characters (code points), as Python does.
import * as language from "./language.ts";

export interface Token {
  readonly kind: "number" | "name" | "word" | "mark" | "superscript" | "unreadable" | "space" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A part of the text that cannot be read, its place in UTF-16 units, and what to write. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  readonly problem: string;
}

/** A formula that cannot be read; `start` and `end` are the place of the first fault. */
export class FormulaError extends Error {
  override name = "FormulaError";
  readonly start: number;
  readonly end: number;
  readonly faults: readonly Fault[];

  constructor(message: string, faults: readonly Fault[]) {
    super(stripped(`objective ${message}`));
    this.faults = faults;
    this.start = faults[0]!.start;
    this.end = faults[0]!.end;
  }
}

/** A sentence with its {} filled in. */
export function filled(sentence: string, ...parts: (string | number)[]): string {
  let next = 0;
  return sentence.replace(/\{(\d?)\}/g, (_, place: string) => String(parts[place ? Number(place) : next++]));
}

export const characters = (text: string): string[] => Array.from(text);
export const split = (text: string): string[] => text.split(BLANKS).filter((word) => word);
export const stripped = (text: string): string => text.replace(ENDS, "");
const isAlphanumeric = (character: string): boolean => /[\p{L}\p{N}]/u.test(character);

const BLANKS = new RegExp(`[${language.SPACE}]+`);
const ENDS = new RegExp(`^[${language.SPACE}]+|[${language.SPACE}]+$`, "g");
const TOKEN = new RegExp(language.TOKEN, "uy");
const LANGUAGES = language.LANGUAGES.map(([pattern, told]) => [new RegExp(pattern!, "u"), told!] as const);

/** The text in quotes as Python writes it, on one line, truncated. */
export function shortened(text: string, length = 60): string {
  const shown = characters(split(quoted(text)).join(" "));
  return shown.length <= length ? shown.join("") : `${shown.slice(0, length - 1).join("")}…`;
}

const ESCAPED = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const shown = text.replace(/[\\\p{C}\p{Z}']/gu, (character) => {
    if (character === " ") return character;
    if (character === "'") return quote === "'" ? "\\'" : "'";
    const code = character.codePointAt(0)!;
    const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return ESCAPED.get(character) ?? `\\${letter}${code.toString(16).padStart(Number(digits), "0")}`;
  });
  return quote + shown + quote;
}

/** Why a name cannot be a variable or a step; undefined where it can. */
export function problemWith(name: string): string | undefined {
  if (language.CONSTANTS.has(name)) return filled(language.IS_THE_CONSTANT, name);
  if (language.CALLED.has(name)) return filled(language.IS_THE_FUNCTION, name);
  if (!isIdentifier(name) || language.KEYWORDS.has(name)) return language.NO_NAME;
  const lower = name.toLowerCase();
  if (lower === "pi") return language.WRITE_PI;
  return ["inf", "nan", "oo", "infinity"].includes(lower) ? language.FINITE_ONLY : undefined;
}

const isIdentifier = (name: string): boolean => /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(name);

/** The text of a formula, and what cannot be read in it. */
export class Text {
  readonly written: readonly string[];
  readonly faults = new Map<string, { part: string; start: number; end: number }>();

  constructor(text: string) {
    this.written = characters(text.replace(/\r\n?/g, "\n"));
  }

  slice(start: number, end?: number): string {
    return this.written.slice(start, end).join("");
  }

  /** A part of the text, on one line. */
  between(start: number, end: number): string {
    return split(this.slice(start, end)).join(" ");
  }

  /** The text from the first token to the last, on one line. */
  of(tokens: readonly Token[]): string {
    return this.between(tokens[0]!.start, tokens.at(-1)!.end);
  }

  /** The last characters before an end. */
  before(end: number): string {
    return this.slice(Math.max(0, end - 20), end);
  }

  /** Remember a part of the text that cannot be read; the same problem only once. */
  fault(start: number, end: number, problem: string, part = this.slice(start, end)): void {
    if (!this.faults.has(problem)) this.faults.set(problem, { part, start, end });
  }

  /** The error of the whole text. */
  refused(value: string, length: number, problem: string, allowed: string): FormulaError {
    const place = { start: 0, end: this.slice(0).length, problem: allowed };
    return new FormulaError(`is ${shortened(value, length)}, ${problem}; ${allowed}`, [place]);
  }

  /** Throw the error that names everything that cannot be read, when there is anything. */
  check(): void {
    if (!this.faults.size) return;
    const told = [...this.faults].map(([problem, { part }]) => filled(language.AT, shortened(part), problem));
    let places = told.slice(0, language.MOST_FAULTS).join("; ");
    if (told.length > language.MOST_FAULTS) {
      places += filled(language.MORE_FAULTS, told.length - language.MOST_FAULTS);
    }
    if (places.includes(language.ALLOWED)) {
      places = places.replaceAll(`. ${language.ALLOWED}`, "").replaceAll(` ${language.ALLOWED}`, "");
      places += (places.endsWith("?") ? " " : ". ") + language.ALLOWED;
    }
    const faults = [...this.faults].map(([problem, { start, end }]) => ({
      start: this.slice(0, start).length,
      end: this.slice(0, end).length,
      problem,
    }));
    throw new FormulaError(filled(language.CANNOT_BE_READ, shortened(stripped(this.slice(0))), places), faults);
  }

  /** The tokens, in order; the end of a line is a token, other white space is not. */
  tokens(): Token[] {
    const text = this.slice(0);
    for (const [pattern, told] of LANGUAGES) {
      const found = pattern.exec(text);
      if (found) {
        this.faultAround(characters(text.slice(0, found.index)).length, told);
        this.check();
      }
    }
    const tokens: Token[] = [];
    for (const token of this.pieces()) {
      if (token.kind === "unreadable" && tokens.at(-1)?.kind === "unreadable") continue;
      if (language.CALLED.has(token.text) || language.CONSTANTS.has(token.text)) {
        // np.sin is sin.
        while (tokens.length > 1 && tokens.at(-1)!.text === "." && language.MODULES.has(tokens.at(-2)!.text)) {
          tokens.length -= 2;
        }
      }
      tokens.push(token);
    }
    return tokens;
  }

  private *pieces(): Generator<Token> {
    const plain = this.written.map((character) => language.SAME.get(character) ?? character);
    const text = plain.join("");
    let unit = 0;
    for (let start = 0, end = 0; start < plain.length; start = end) {
      TOKEN.lastIndex = unit;
      const match = TOKEN.exec(text);
      let found = match ? match[0] : plain[start]!;
      let kind: Token["kind"] = match ? kindOf(match) : "unreadable";
      unit += found.length;
      end = start + characters(found).length;
      if (language.CHARACTERS.has(found) || kind === "unreadable") {
        kind = "unreadable";
        this.faultAround(start, language.CHARACTERS.get(found) ?? filled(language.NO_MEANING, quoted(found)));
      } else if (kind === "name") [kind, found] = this.word(found, start, end);
      else if (kind === "number") [kind, found] = this.number(found, start, end);
      else if (kind === "superscript") {
        found = found.replace(/./gu, (digit) => language.RAISED_DIGITS.get(digit) ?? digit).normalize("NFKC");
      }
      if (kind !== "space") yield { kind, text: language.MARKS.get(found) ?? found, start, end };
    }
  }

  /** Remember a fault at a position, with what stands around it, in whole words. */
  private faultAround(position: number, problem: string): void {
    const { written } = this;
    let left = Math.max(0, position - 10);
    let right = Math.min(written.length, position + 10);
    while (left && isAlphanumeric(written[left - 1]!)) left--;
    while (right < written.length && isAlphanumeric(written[right]!) && right < position + 40) right++;
    this.fault(position, position + 1, problem, stripped(this.slice(left, right)) || " ");
  }

  /** The kind of a number, and its digits: 1/2 for ½. */
  private number(found: string, start: number, end: number): [Token["kind"], string] {
    let problem = found.length > 400 ? language.NUMBER_TOO_LONG : undefined;
    if (/^0[0-9]/.test(found)) problem = language.BEGINS_WITH_0;
    if (problem) this.fault(start, end, problem, found);
    return [problem ? "unreadable" : "number", found.normalize("NFKC").replace("⁄", "/")];
  }

  /** The kind of a name, and the name; ones that cannot be used are remembered as faults. */
  private word(found: string, start: number, end: number): [Token["kind"], string] {
    if (language.WORDS.has(found)) return ["word", found];
    let name = found.normalize("NFKC");
    if (language.LOWERED_LETTERS.includes(found.at(-1)!)) name = `${name.slice(0, -1)}_${name.at(-1)}`;
    const known = language.CALLED.has(name) || language.CONSTANTS.has(name) || language.MARKS.has(name);
    const problem = known ? undefined : isIdentifier(name) ? problemWith(name) : filled(language.WRITE, name);
    if (problem) this.fault(start, end, problem, found);
    return [problem ? "unreadable" : "name", name];
  }
}

function kindOf(match: RegExpExecArray): Token["kind"] {
  return Object.keys(match.groups!).find((kind) => match.groups![kind] !== undefined) as Token["kind"];
}
