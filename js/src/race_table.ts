// The race as a table: one row a rule, from the start that is looked at.
import { element } from "./dom.ts";
import { shown } from "./numbers.ts";
import type { Problem } from "./problem.ts";
import { lowestOf, stepsTo, titleOf } from "./race.ts";
import { swatch } from "./rules_panel.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

export class RaceTable {
  readonly element: HTMLElement;
  private readonly caption = element("caption");
  private readonly body = element("tbody");
  private readonly rows: HTMLTableCellElement[][] = [];
  private known = "";

  constructor(private readonly choose: (entry: number) => void) {
    const { rule, toTarget, value, reason } = STRINGS.raceColumns;
    const head = [rule, toTarget, value, reason].map((text) => element("th", { scope: "col" }, text));
    this.element = element(
      "table",
      { class: "race" },
      this.caption,
      element("thead", {}, element("tr", {}, ...head)),
      this.body,
    );
  }

  show(problem: Problem, state: State, scene: Scene): void {
    const runs = scene.runs.filter(({ start }) => start === state.activeStart);
    const looks = JSON.stringify([runs.map(({ entry }) => [state.entries[entry], entry]), scene.palette.dark]);
    if (looks !== this.known)
      this.build(
        state,
        scene,
        runs.map(({ entry }) => entry),
      );
    this.known = looks;
    const lowest = lowestOf(problem, runs);
    const first = runs[0]?.run.value[0] ?? 0;
    // Without a target of the user's: a thousandth of the way left.
    const target = state.target ?? lowest + 1e-3 * Math.max(0, first - lowest);
    this.caption.textContent = STRINGS.raceTo(shown(target, 3));
    const ends = runs.map(({ run }) => run.value[run.count]!);
    const best = Math.min(...ends.filter(Number.isFinite));
    runs.forEach(({ run }, k) => {
      const [name, arrived, value, reason] = this.rows[k]!;
      const step = stepsTo(run, target);
      arrived!.textContent = step === null ? STRINGS.never : String(step);
      value!.textContent = shown(ends[k]!, 3);
      value!.classList.toggle("best", ends[k] === best);
      reason!.textContent = run.reason;
      reason!.title = STRINGS.ended(run.reason, run.count);
      name!.parentElement!.classList.toggle("active", runs[k]!.entry === state.active);
    });
  }

  private build(state: State, scene: Scene, entries: readonly number[]): void {
    this.rows.length = 0;
    this.body.replaceChildren(
      ...entries.map((entry) => {
        const { look } = state.entries[entry]!;
        const name = element("th", { scope: "row" });
        const button = element("button", {
          type: "button",
          class: "plain",
          "aria-label": STRINGS.look(titleOf(state.entries[entry]!)),
        });
        button.append(swatch(look, scene.palette), titleOf(state.entries[entry]!));
        button.addEventListener("click", () => this.choose(entry));
        name.append(button);
        const cells = [name, element("td"), element("td"), element("td", { class: "reason" })];
        this.rows.push(cells);
        return element("tr", {}, ...cells);
      }),
    );
  }
}
