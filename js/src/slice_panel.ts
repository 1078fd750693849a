// For a function of more than two variables: which two are drawn, and where the others are held.
import { element, options } from "./dom.ts";
import { numberFrom, typed } from "./numbers.ts";
import type { Problem } from "./problem.ts";
import { select } from "./slider.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

export class SlicePanel {
  readonly element = element("section", { class: "card", "aria-label": STRINGS.slice });
  private readonly across: HTMLSelectElement;
  private readonly up: HTMLSelectElement;
  private readonly held = element("div", { class: "held" });
  private fields: HTMLInputElement[] = [];
  private known = "";

  /** Arguments:
   *   axes: called with the two coordinates to draw.
   *   hold: called with a coordinate of the start, and its value.
   */
  constructor(
    axes: (axes: State["axes"]) => void,
    private readonly hold: (coordinate: number, value: number) => void,
  ) {
    // Choosing the coordinate of the other axis exchanges the two.
    const choose = (which: 0 | 1) => (text: string) => {
      const chosen = Number(text);
      const [first, second] = this.axes;
      if (which === 0) axes([chosen, chosen === second ? first : second]);
      else axes([chosen === first ? second : first, chosen]);
    };
    this.across = select(STRINGS.across, [], choose(0));
    this.up = select(STRINGS.up, [], choose(1));
    const both = element(
      "div",
      { class: "slider" },
      element("span", { class: "name long" }, STRINGS.drawn),
      element("span", { class: "pair" }, this.across, this.up),
    );
    this.element.append(both, this.held);
  }

  private axes: State["axes"] = [0, 1];

  show({ names, dimension }: Problem, { axes, starts, activeStart }: State): void {
    this.element.hidden = dimension < 3;
    if (dimension < 3) return;
    this.axes = axes;
    const key = JSON.stringify([names, axes]);
    if (key !== this.known) this.build(names, axes);
    this.known = key;
    const start = starts[activeStart]!;
    for (const field of this.fields) {
      if (document.activeElement !== field) field.value = typed(start[Number(field.dataset.coordinate)]!, 4);
    }
  }

  private build(names: readonly string[], axes: State["axes"]): void {
    for (const [which, list] of [this.across, this.up].entries()) {
      list.replaceChildren(...options(names.map((name, k) => [String(k), name])));
      list.value = String(axes[which]);
    }
    const others = names.flatMap((name, k) => (axes.includes(k) ? [] : [{ name, k }]));
    this.fields = others.map(({ name, k }) => {
      const field = element("input", {
        type: "text",
        inputmode: "decimal",
        class: "number",
        "data-coordinate": k,
        "aria-label": STRINGS.heldAt(name),
      });
      field.addEventListener("change", () => {
        const value = numberFrom(field.value);
        field.setAttribute("aria-invalid", String(!Number.isFinite(value)));
        if (Number.isFinite(value)) this.hold(k, value);
      });
      return field;
    });
    this.held.replaceChildren(
      ...this.fields.map((field, row) => element("label", {}, element("i", {}, others[row]!.name), field)),
    );
  }
}
