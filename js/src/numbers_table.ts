// A run's numbers as a table: only the rows in sight are there, all of them can be copied.
import { copy } from "./copying.ts";
import { element } from "./dom.ts";
import { columnsOf, rowOf } from "./files.ts";
import { shown } from "./numbers.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import type { Run } from "./run.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** The height of a row in pixels, and how many are kept beyond those in sight. */
const HEIGHT = 24;
const SPARE = 12;

export class NumbersTable {
  readonly element: HTMLElement;
  private readonly head = element("tr");
  private readonly body = element("tbody");
  private readonly table: HTMLElement;
  private readonly view: HTMLElement;
  private readonly told = element("output", { class: "hint" });
  private readonly title = element("h2");
  private columns: readonly string[] = [];
  private run: Run | null = null;
  private at: number | null = null;

  /** Arguments:
   *   scrub: called with the step whose row was clicked.
   */
  constructor(scrub: (step: number) => void) {
    this.table = element("table", { class: "numbers" }, element("thead", {}, this.head), this.body);
    this.view = element("div", { class: "rows", tabindex: 0, role: "region" }, this.table);
    this.view.addEventListener("scroll", () => this.fill());
    this.body.addEventListener("click", ({ target }) => {
      const step = (target as Element).closest("tr")?.dataset.step;
      if (step !== undefined) scrub(Number(step));
    });
    const button = element("button", { type: "button", class: "text-button" }, STRINGS.copyTable);
    button.addEventListener("click", () => void copy(this.text(), this.told));
    this.element = element(
      "section",
      { class: "numbers-table", "aria-label": STRINGS.numbers },
      element("div", { class: "line-of" }, this.title, button),
      this.told,
      this.view,
    );
  }

  /** Show the run that is looked at. */
  show(problem: Problem, state: State, scene: Scene): void {
    const looked = scene.runs.find(({ entry, start }) => entry === state.active && start === state.activeStart);
    const run = looked?.run ?? null;
    const columns = columnsOf(problem);
    const label = looked ? titleOf(state.entries[looked.entry]!) : "";
    if (run !== this.run) this.told.replaceChildren();
    if (columns.join() !== this.columns.join())
      this.head.replaceChildren(...columns.map((name) => element("th", { scope: "col" }, name.replaceAll("_", " "))));
    this.columns = columns;
    this.title.textContent = run ? STRINGS.numbersOf(label, run.count) : "";
    this.view.setAttribute("aria-label", STRINGS.numbersOf(label, run?.count ?? 0));
    this.table.setAttribute("aria-rowcount", String((run?.count ?? 0) + 2));
    const moved = state.at !== this.at;
    [this.run, this.at] = [run, state.at];
    if (moved) this.seek();
    this.fill();
  }

  /** Bring the row of the step shown into sight. */
  private seek(): void {
    if (this.at === null) return;
    const [top, room] = [this.at * HEIGHT, this.view.clientHeight - 2 * HEIGHT];
    if (top < this.view.scrollTop || top > this.view.scrollTop + room) this.view.scrollTop = top - room / 2;
  }

  private fill(): void {
    const { run } = this;
    if (!run) {
      this.body.replaceChildren();
      return;
    }
    const first = Math.max(0, Math.floor(this.view.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(run.count, first + Math.ceil(this.view.clientHeight / HEIGHT) + 2 * SPARE);
    const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => this.row(run, first + k));
    this.body.replaceChildren(gap(first), ...rows, gap(run.count - last));
  }

  private row(run: Run, step: number): HTMLElement {
    const [, ...numbers] = rowOf(run, step);
    const made = element(
      "tr",
      { "aria-rowindex": step + 2, "data-step": step },
      element("th", { scope: "row" }, String(step)),
      ...numbers.map((number) => element("td", {}, number === null ? "" : shown(number, 5))),
    );
    made.classList.toggle("active", step === this.at);
    return made;
  }

  /** All rows with tabs between, as spreadsheets take them. */
  private text(): string {
    const { run } = this;
    if (!run) return "";
    const rows = Array.from({ length: run.count + 1 }, (_, step) => rowOf(run, step).map((one) => one ?? ""));
    return [this.columns, ...rows].map((row) => `${row.join("\t")}\n`).join("");
  }
}

/** The room of rows that are not there. */
function gap(rows: number): HTMLElement {
  const made = element("tr", { class: "gap", "aria-hidden": "true" });
  made.style.height = `${rows * HEIGHT}px`;
  return made;
}
