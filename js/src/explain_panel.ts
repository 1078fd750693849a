// The step shown, in numbers: coordinate by coordinate.
import { element } from "./dom.ts";
import type { Explained } from "./explain.ts";
import { shown } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import { STRINGS } from "./strings.ts";

type Row = readonly [name: string, values: readonly number[], colour: string | null];

export class ExplainPanel {
  readonly element = element("section", { class: "explain", "aria-label": STRINGS.explain });

  show(step: Explained | null, title: string, names: readonly string[], palette: Palette): void {
    this.element.hidden = step === null;
    if (!step) return;
    const { arrows } = palette;
    const moved = step.x.map((x, k) => x - step.change[k]!);
    const rows: Row[] = [
      [STRINGS.place(step.step - 1), step.x, null],
      [STRINGS.gradient, step.gradient, arrows.gradient],
      ...step.parts.map(
        ({ name, after }): Row => [name.replaceAll("_", " "), after, after.length > 1 ? arrows.memory : null],
      ),
      [STRINGS.subtracted, step.change, arrows.step],
      [STRINGS.place(step.step), moved, null],
    ];
    const head = element(
      "tr",
      {},
      element("td"),
      ...names.map((name) => element("th", { scope: "col" }, element("i", {}, name))),
    );
    this.element.replaceChildren(
      element("h2", {}, STRINGS.stepTitle(title, step.step, step.rate)),
      element(
        "div",
        { class: "scrolled" },
        element("table", { class: "numbers" }, element("thead", {}, head), element("tbody", {}, ...rows.map(line))),
      ),
    );
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
