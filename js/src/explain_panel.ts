// The step shown, in numbers: coordinate by coordinate, and the rule's formula with these numbers in it.
import { element } from "./dom.ts";
import type { Explained } from "./explain.ts";
import { shown } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import { STRINGS } from "./strings.ts";
import { workedMathml } from "./worked.ts";

/** The formula is worked out for all of so many coordinates. */
const MOST = 3;

type Row = readonly [name: string, values: readonly number[], colour: string | null];

export class ExplainPanel {
  private readonly heading = element("h2");
  private readonly table = element("div", { class: "scrolled" });
  /** What is wider than its place is scrolled, by keys too. */
  private readonly worked = element("div", {
    class: "formula-of worked",
    tabindex: 0,
    role: "group",
    "aria-label": STRINGS.worked,
  });
  readonly element = element(
    "section",
    { class: "explain", "aria-label": STRINGS.explain },
    this.heading,
    this.table,
    this.worked,
  );

  /** Arguments:
   *   axes: the coordinates that are drawn, for which the formula is worked out where there are many.
   */
  show(
    step: Explained | null,
    title: string,
    names: readonly string[],
    axes: readonly number[],
    palette: Palette,
  ): void {
    this.element.hidden = step === null;
    if (!step) return;
    const { arrows } = palette;
    const moved = step.x.map((x, k) => x - step.change[k]!);
    const rows: Row[] = [
      [STRINGS.place(step.step - 1), step.x, null],
      [STRINGS.gradient, step.gradient, arrows.gradient],
      ...step.parts
        .filter(({ name }) => !name.includes("."))
        .map(({ name, after }): Row => [name.replaceAll("_", " "), after, after.length > 1 ? arrows.memory : null]),
      [STRINGS.subtracted, step.change, arrows.step],
      [STRINGS.place(step.step), moved, null],
    ];
    const head = element(
      "tr",
      {},
      element("td"),
      ...names.map((name) => element("th", { scope: "col" }, element("i", {}, name))),
    );
    const coordinates = names.length > MOST ? axes : names.map((_, k) => k);
    this.heading.textContent = STRINGS.stepTitle(title, step.step, step.rate);
    this.table.replaceChildren(
      element("table", { class: "numbers" }, element("thead", {}, head), element("tbody", {}, ...rows.map(line))),
    );
    this.worked.hidden = !step.lines.length;
    // Made from the library's formula and numbers; the names are escaped.
    this.worked.innerHTML = step.lines.length ? workedMathml(step.lines, step, coordinates, names) : "";
  }
}

function line([name, values, colour]: Row): HTMLElement {
  const key = element("span", { class: "key" });
  if (colour) key.style.background = colour;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, key, name),
    ...values.map((value) => element("td", {}, shown(value, 4))),
  );
}
