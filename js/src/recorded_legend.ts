// The legend of recorded runs: each with its value and how it ended, and whether it is shown.
import { element } from "./dom.ts";
import { shown } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import type { RecordedRun } from "./recorded.ts";
import { markerOf } from "./recorded_paths.ts";
import { rowAt } from "./scene.ts";
import { STRINGS } from "./strings.ts";

interface Entry {
  readonly button: HTMLButtonElement;
  readonly marker: HTMLElement;
  readonly value: HTMLElement;
  readonly outcome: HTMLElement;
}

export class RecordedLegend {
  readonly element = element("ul", { id: "legend", class: "legend", "aria-label": STRINGS.legend });
  private readonly entries: readonly Entry[];

  /** Arguments:
   *   remarks: what is said below the runs.
   *   hide: called with the number of a run that is to be shown no longer, or again.
   */
  constructor(
    private readonly runs: readonly RecordedRun[],
    private readonly symbol: string,
    remarks: readonly string[],
    hide: (index: number) => void,
  ) {
    // A run alone is told above the picture.
    const named = runs.length > 1 ? runs : [];
    this.entries = named.map((run, index) => {
      const marker = element("span", { class: "marker", "aria-hidden": "true" }, markerOf(run)[2]);
      const button = element("button", { type: "button", class: "plain", "aria-pressed": "true" }, marker, run.label);
      button.addEventListener("click", () => hide(index));
      const [value, outcome] = [element("span"), element("span", { class: "outcome" }, run.outcome)];
      this.element.append(element("li", {}, button, value, outcome));
      return { button, marker, value, outcome };
    });
    for (const remark of remarks) this.element.append(element("li", { class: "hint" }, remark));
  }

  show(hidden: ReadonlySet<number>, at: number | null, palette: Palette): void {
    this.entries.forEach(({ button, marker, value, outcome }, index) => {
      const run = this.runs[index]!;
      const row = rowAt(run, at);
      button.setAttribute("aria-pressed", String(!hidden.has(index)));
      button.title = hidden.has(index) ? STRINGS.unhide(run.label) : STRINGS.hide(run.label);
      marker.style.color = palette.runs[run.number % palette.runs.length]!;
      value.textContent = row < 0 ? "" : `${this.symbol} = ${shown(run.value[row]!, 5)}`;
      outcome.hidden = row < run.count;
    });
  }
}
