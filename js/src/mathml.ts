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

/** The MathML of a short spelling; the symbol of a setting has its name as data-setting. */
export function mathml(short: string): string {
  const open: string[] = [];
  return short.replace(/(\w)(?::([^[\]]+))?\[|\]/g, (_, letter?: string, setting?: string) => {
    if (!letter) return `</${open.pop()}>`;
    const element = elements[letter]!;
    open.push(element);
    return `<${element}${setting ? ` data-setting="${setting}"` : ""}>`;
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
