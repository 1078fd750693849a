// What the figure shows, chosen over it: map or surface, basins, all of the landscape, one start.
import { element, iconButton } from "./dom.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

export interface ViewActions {
  view(view: State["view"]): void;
  whole(): void;
  oneStart(): void;
}

export class ViewBar {
  readonly element: HTMLElement;
  private readonly map: HTMLButtonElement;
  private readonly surface: HTMLButtonElement;
  private readonly one: HTMLButtonElement;

  constructor(actions: ViewActions, solid: boolean) {
    const choice = (view: State["view"], label: string) => {
      const made = element("button", { type: "button", "aria-pressed": "false" }, label);
      made.addEventListener("click", () => actions.view(view));
      return made;
    };
    this.map = choice("map", STRINGS.map);
    this.surface = choice("surface", STRINGS.surface);
    this.one = element("button", { type: "button", class: "quiet" }, STRINGS.oneStart);
    this.one.addEventListener("click", () => actions.oneStart());
    this.element = element(
      "div",
      { class: "views", role: "group", "aria-label": STRINGS.views },
      this.one,
      iconButton("whole", STRINGS.wholeView, () => actions.whole()),
      ...(solid ? [element("span", { class: "choices" }, this.map, this.surface)] : []),
    );
  }

  show(state: State, dimension: number): void {
    this.map.setAttribute("aria-pressed", String(state.view === "map"));
    this.surface.setAttribute("aria-pressed", String(state.view === "surface"));
    this.map.parentElement?.toggleAttribute("hidden", dimension === 1);
    this.one.hidden = state.starts.length < 2;
  }
}
