// For a function of more than two variables: which two are drawn, and where the others are held; or the plane drawn.
import { element, options } from "./dom.ts";
import { numberFrom, shown, typed } from "./numbers.ts";
import type { Plane } from "./principal_plane.ts";
import type { Problem } from "./problem.ts";
import { select } from "./slider.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import { Tabs } from "./tabs.ts";

export class SlicePanel {
  readonly element = element("section", { class: "card", "aria-label": STRINGS.slice });
  private readonly across: HTMLSelectElement;
  private readonly up: HTMLSelectElement;
  private readonly held = element("div", { class: "held" });
  private readonly explained = element("p", { class: "hint" });
  private readonly tabs: Tabs<State["plane"]>;
  private readonly both: HTMLElement;
  private fields: HTMLInputElement[] = [];
  private known = "";

  /** Arguments:
   *   axes: called with the two coordinates to draw.
   *   plane: called with what is to be drawn.
   *   hold: called with a coordinate of the start, and its value.
   */
  constructor(
    axes: (axes: State["axes"]) => void,
    plane: (plane: State["plane"]) => void,
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
    this.tabs = new Tabs(STRINGS.plane, STRINGS.planes, plane);
    this.both = element(
      "div",
      { class: "slider" },
      element("span", { class: "name long" }, STRINGS.drawn),
      element("span", { class: "pair" }, this.across, this.up),
    );
    this.element.append(this.tabs.element, this.both, this.explained, this.held);
  }

  private axes: State["axes"] = [0, 1];

  /** Arguments:
   *   plane: that along which the runs vary most, if it is drawn.
   */
  show({ names, dimension, elsewhere }: Problem, { axes, starts, activeStart }: State, plane: Plane | null): void {
    this.element.hidden = dimension < 3;
    if (dimension < 3) return;
    this.axes = axes;
    this.tabs.show(plane ? "principal" : "slice");
    // Python is asked for the values of slices alone.
    this.tabs.element.hidden = elsewhere !== undefined;
    this.both.hidden = plane !== null;
    this.explained.textContent = plane
      ? STRINGS.explained(shown(100 * (plane.variance[0] + plane.variance[1]), 4))
      : "";
    const key = JSON.stringify([names, axes, plane !== null]);
    if (key !== this.known) this.build(names, axes, plane ? [] : axes);
    this.known = key;
    const start = starts[activeStart]!;
    for (const field of this.fields) {
      if (document.activeElement !== field) field.value = typed(start[Number(field.dataset.coordinate)]!, 4);
    }
  }

  private build(names: readonly string[], axes: State["axes"], drawn: readonly number[]): void {
    for (const [which, list] of [this.across, this.up].entries()) {
      list.replaceChildren(...options(names.map((name, k) => [String(k), name])));
      list.value = String(axes[which]);
    }
    const others = names.flatMap((name, k) => (drawn.includes(k) ? [] : [{ name, k }]));
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
