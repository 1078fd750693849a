// What stands beside the figure: histories, the rate map or a run's numbers; the race, the step shown.
import { element } from "./dom.ts";
import { type Explained, explained } from "./explain.ts";
import { ExplainPanel } from "./explain_panel.ts";
import { Histories } from "./histories.ts";
import { NumbersTable } from "./numbers_table.ts";
import { partingOf } from "./parting.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import { RaceTable } from "./race_table.ts";
import { RateMap, type RateMapActions } from "./rate_map.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import { Tabs } from "./tabs.ts";
import type { Workers } from "./workers.ts";

export interface PanelActions extends RateMapActions {
  scrub(step: number): void;
  choose(entry: number): void;
  panel(panel: State["panel"]): void;
}

export class Panels {
  readonly element: HTMLElement;
  private readonly tabs: Tabs<State["panel"]>;
  private readonly histories: Histories;
  private readonly rates: RateMap;
  private readonly numbers: NumbersTable;
  private readonly table: RaceTable;
  private readonly parting = element("p", { class: "hint parting" });
  private readonly explain = new ExplainPanel();

  constructor(actions: PanelActions, workers: Workers) {
    this.tabs = new Tabs(STRINGS.panels, STRINGS.panel, (panel) => actions.panel(panel));
    this.histories = new Histories((step) => actions.scrub(step));
    this.rates = new RateMap(actions, workers);
    this.numbers = new NumbersTable((step) => actions.scrub(step));
    this.table = new RaceTable((entry) => actions.choose(entry));
    this.element = element(
      "section",
      { class: "histories", "aria-label": STRINGS.histories },
      this.tabs.element,
      this.histories.element,
      this.rates.element,
      this.numbers.element,
      element("div", { class: "scrolled" }, this.table.element),
      this.parting,
      this.explain.element,
    );
  }

  resize(): void {
    this.histories.resize();
  }

  draw(problem: Problem, state: State, scene: Scene, step: Explained | null): void {
    const { panel } = state;
    this.tabs.show(panel);
    this.histories.element.hidden = panel !== "histories";
    this.rates.element.hidden = panel !== "rates";
    this.numbers.element.hidden = panel !== "numbers";
    if (panel === "numbers") this.numbers.show(problem, state, scene);
    else if (panel === "rates") this.rates.show(problem, state, scene);
    else this.histories.draw(problem, scene);
    this.table.show(problem, state, scene);
    this.parting.textContent = partingOf(scene.runs, state);
    const looked = state.entries[state.active];
    this.explain.show(step, looked ? titleOf(looked) : "", problem.names, state.axes, scene.palette);
  }
}

/** The step that is explained: the one after the step shown, if runs come so far. */
export function stepShown(problem: Problem, state: State, steps: number): Explained | null {
  return state.at === null || state.at >= steps ? null : explained(problem, state, state.at);
}
