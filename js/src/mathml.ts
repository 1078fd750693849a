// MathML from the short spelling of generated.ts: a letter for each element, and square brackets around what is in it.

/** The two sides of a line of a formula. */
export type Line = readonly [string, string];

const elements: Readonly<Record<string, string>> = {
  r: "mrow",
  i: "mi",
  n: "mn",
  o: "mo",
  b: "msub",
  p: "msup",
  x: "msubsup",
  f: "mfrac",
  q: "msqrt",
  k: "mroot",
  v: "mover",
  t: "mtext",
  T: "mtable",
  R: "mtr",
  D: "mtd",
};

// In turn: an element with a text, with the name of its setting; a quantity of this step or the last; another element;
// its end; a whole number; the symbol of a usual setting; an operator of one sign.
export const token =
  /([inot])(?::([^[\]]+))?\[([^\]]*)\]|([cl])\[([^\]]*)\]|(\w)(?::([^[\]]+))?\[|\]|(\d+)|([ηε])|[-+=(),∑∇…{‖⟨⟩.]/g;
export const usual: Readonly<Record<string, string>> = { η: "learning_rate", ε: "epsilon" };
const lastStep = "<mrow><mi>t</mi><mo>-</mo><mn>1</mn></mrow>";

/** The MathML of a short spelling; the symbol of a setting has its name as data-setting. */
export function mathml(short: string): string {
  const open: string[] = [];
  const begin = (letter: string, setting?: string): string =>
    `<${elements[letter]}${setting ? ` data-setting="${setting}"` : ""}>`;
  return short.replace(token, (all, leaf, itsSetting, text, quantity, name, letter, setting, digits, symbol) => {
    if (leaf) return `${begin(leaf, itsSetting)}${text}</${elements[leaf]}>`;
    if (quantity) return `<msub><mi>${name}</mi>${quantity === "c" ? "<mi>t</mi>" : lastStep}</msub>`;
    if (letter) {
      open.push(elements[letter]!);
      return begin(letter, setting);
    }
    if (digits) return `<mn>${digits}</mn>`;
    if (symbol) return `${begin("i", usual[symbol])}${symbol}</mi>`;
    return all === "]" ? `</${open.pop()}>` : `<mo>${all === "." ? "\u2062" : all}</mo>`;
  });
}

/** Lines aligned at their equals signs, as a whole <math> element. */
export function table(lines: readonly Line[]): string {
  const rows = lines.map(
    ([left, right]) =>
      `<mtr><mtd style="text-align: right">${mathml(left)}</mtd>` +
      `<mtd style="text-align: left"><mrow><mo>=</mo>${mathml(right)}</mrow></mtd></mtr>`,
  );
  const all = rows.join("");
  return `<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mtable>${all}</mtable></math>`;
}
