// What the figure shows, chosen over it: map or surface, basins, all of the landscape, one start.
import { element, iconButton } from "./dom.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import { Tabs } from "./tabs.ts";

export interface ViewActions {
  view(view: State["view"]): void;
  whole(): void;
  oneStart(): void;
  basins(wanted: boolean): void;
}

export class ViewBar {
  readonly element: HTMLElement;
  private readonly tabs: Tabs<State["view"]>;
  private readonly one: HTMLButtonElement;
  private readonly basins: HTMLButtonElement;

  constructor(actions: ViewActions) {
    this.tabs = new Tabs(STRINGS.views, { map: STRINGS.map, surface: STRINGS.surface }, (view) => actions.view(view));
    this.one = element("button", { type: "button", class: "quiet" }, STRINGS.oneStart);
    this.one.addEventListener("click", () => actions.oneStart());
    this.basins = element("button", { type: "button", class: "quiet", "aria-pressed": "false" }, STRINGS.basins);
    this.basins.addEventListener("click", () => actions.basins(this.basins.getAttribute("aria-pressed") !== "true"));
    this.element = element(
      "div",
      { class: "views", role: "group", "aria-label": STRINGS.views },
      this.one,
      this.basins,
      iconButton("whole", STRINGS.wholeView, () => actions.whole()),
      this.tabs.element,
    );
  }

  /** Arguments:
   *   flat: whether there are two coordinates to draw.
   *   solid: whether the browser draws surfaces.
   *   sliced: whether two of the coordinates are drawn, as basins need.
   */
  show(state: State, flat: boolean, solid: boolean, sliced: boolean): void {
    this.tabs.show(state.view);
    this.tabs.element.hidden = !flat || !solid;
    this.basins.setAttribute("aria-pressed", String(state.basins));
    this.basins.hidden = !sliced || !flat || (state.view === "surface" && solid);
    this.one.hidden = state.starts.length < 2;
  }
}
