// How a rule ends over two of its hyperparameters: a map whose cells can be clicked.
import { element, options } from "./dom.ts";
import { outcomes } from "./generated.ts";
import { type MapAxis, mapAxes } from "./map_axis.ts";
import { clamp, shown } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import { type Axes, type Cells, entryAt, rateMaps } from "./rate_cells.ts";
import { drawRates, placeAt } from "./rate_picture.ts";
import type { Scene } from "./scene.ts";
import { select } from "./slider.ts";
import { largestCurvature, limitFactor } from "./stability.ts";
import { type Entry, RATE, ruleOf, type State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import type { Workers } from "./workers.ts";

/** The steps of the keys: such a part of the way. */
const [ACROSS, UP] = [1 / 64, 1 / 36];
/** The points of the line of the theory's limit. */
const POINTS = 41;

export interface RateMapActions {
  /** Other hyperparameters were chosen: show it again. */
  again(): void;
  /** Set the rule that is looked at. */
  set(entry: Entry): void;
}

export class RateMap {
  readonly element: HTMLElement;
  private readonly canvas = element("canvas", { class: "rate-map", tabindex: 0, role: "img" });
  private readonly told = element("p", { class: "hint" });
  private readonly theory = element("p", { class: "hint" });
  private readonly heading = element("h2");
  private readonly keys = element("p", { class: "keys" });
  private readonly choices: readonly HTMLSelectElement[];
  private readonly chosen = element("div", { class: "pair" });
  private entry: Entry | null = null;
  private all: readonly MapAxis[] = [];
  private axes: Axes | null = null;
  private names: [string, string] = [RATE, ""];
  private cells: Cells | null = null;
  /** 2 over the largest curvature at the lowest end. */
  private limit = Number.NaN;
  private key = "";
  private palette: Palette | null = null;

  constructor(
    private readonly actions: RateMapActions,
    private readonly workers: Workers,
  ) {
    const best = element("button", { type: "button", class: "text-button" }, STRINGS.setBest);
    best.addEventListener("click", () => this.cells && this.pickCell(this.cells.best));
    this.choices = STRINGS.sides.map((label, which) => select(label, [], (name) => this.choose(which, name)));
    this.chosen.append(...this.choices);
    this.element = element(
      "section",
      { class: "rate-panel", "aria-label": STRINGS.rateMap },
      this.heading,
      this.chosen,
      this.canvas,
      this.keys,
      element("div", { class: "line-of" }, this.told, best),
      this.theory,
    );
    const cellOf = ({ clientX, clientY }: MouseEvent) => this.cellAt(...placeAt(this.canvas, clientX, clientY));
    this.canvas.addEventListener("click", (event) => this.pickCell(cellOf(event)));
    this.canvas.addEventListener("pointermove", (event) => this.tell(cellOf(event)));
    this.canvas.addEventListener("pointerleave", () => this.tell(this.cellHere()));
    this.canvas.addEventListener("keydown", (event) => this.move(event));
  }

  /** Show the map for the rule looked at; it is computed when something that counts has changed. */
  show(problem: Problem, state: State, { palette }: Scene): void {
    const entry = state.entries[state.active];
    const rule = entry && ruleOf(entry.rule, entry.convention);
    if (!entry || !rule) return;
    this.entry = entry;
    this.palette = palette;
    this.all = mapAxes(rule);
    const [first = this.all[0]!, second] = this.names.map((name) => this.all.find((axis) => axis.name === name));
    const axes: Axes = [first, second && second !== first ? second : this.all.find((axis) => axis !== first)];
    this.axes = axes;
    const key = this.keyOf(problem, state, axes);
    if (key !== this.key) {
      this.key = key;
      this.cells = null;
      this.limit = Number.NaN;
      this.heading.textContent = STRINGS.rateMapOf(titleOf(entry));
      this.offer();
      this.workers.forget("settings");
      const made = (cells: Cells) => this.take(problem, cells);
      void rateMaps(this.workers, problem, state, axes, made, () => key === this.key);
    }
    this.draw();
  }

  /** All that the cells depend on; the values along the axes are not part of it. */
  private keyOf(problem: Problem, state: State, axes: Axes): string {
    const { steps, gradient, noise, seed, target, stop, starts, activeStart } = state;
    const { look: _, hidden: __, ...rule } = entryAt(this.entry!, axes, axes[0].value(0), axes[1]?.value(0) ?? 0);
    const names = axes.map((axis) => axis?.name);
    const runs = [starts[activeStart], steps, gradient, noise, seed, target, stop];
    return JSON.stringify([problem.formula, names, rule, runs]);
  }

  private take(problem: Problem, cells: Cells): void {
    this.cells = cells;
    const n = problem.dimension;
    const end = cells.x.subarray(cells.lowest * n, (cells.lowest + 1) * n);
    this.limit = 2 / largestCurvature(problem.compiled, end);
    this.draw();
  }

  private offer(): void {
    const [first, second] = this.axes!;
    this.chosen.hidden = !second;
    if (!second) return;
    for (const [which, list] of this.choices.entries()) {
      list.replaceChildren(...options(this.all.map(({ name, words }) => [name, words] as const)));
      list.value = [first, second][which]!.name;
    }
  }

  /** Choosing the hyperparameter of the other axis exchanges the two. */
  private choose(which: number, name: string): void {
    const [first, second] = this.axes!;
    const names: [string, string] = [first.name, second!.name];
    const other = 1 - which;
    if (names[other] === name) names[other] = names[which]!;
    names[which] = name;
    this.names = names;
    this.actions.again();
  }

  private cellAt(across: number, up: number): number {
    if (!this.cells || !(across >= 0 && across < 1 && up >= 0 && up < 1)) return -1;
    const { across: columns, up: rows } = this.cells;
    return Math.floor(up * rows.length) * columns.length + Math.floor(across * columns.length);
  }

  /** Where the rule looked at is on the map. */
  private get here(): readonly [number, number] {
    const [first, second] = this.axes!;
    const way = (axis: MapAxis) => axis.wayTo(axis.of(this.entry!));
    return [way(first), second ? way(second) : 0.5];
  }

  private cellHere(): number {
    return this.axes && this.entry ? this.cellAt(...this.here) : -1;
  }

  private pickCell(cell: number): void {
    const { cells, axes, entry } = this;
    if (!cells || !axes || !entry || cell < 0) return;
    const columns = cells.across.length;
    const [across, up] = [cells.across[cell % columns]!, cells.up[Math.floor(cell / columns)]!];
    this.actions.set(entryAt(entry, axes, across, up));
  }

  private move(event: KeyboardEvent): void {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || !this.entry || !this.axes) return;
    event.preventDefault();
    const [across, up] = this.here;
    const [first, second] = this.axes;
    const value = first.value(across + way[0]! * ACROSS);
    this.actions.set(entryAt(this.entry, this.axes, value, second?.value(clamp(up + way[1]! * UP, 0, 1)) ?? 0));
  }

  private draw(): void {
    const { canvas, cells, axes, entry, palette } = this;
    if (!canvas.clientWidth || !axes || !entry || !palette) return;
    const line = this.limitLine(axes, entry);
    drawRates(canvas, { axes, cells, here: this.here, limit: line }, palette);
    this.theory.textContent = line.length ? STRINGS.limit(entry.rule === "momentum", this.limit) : "";
    canvas.setAttribute("aria-label", STRINGS.rateMapLabel(axes.flatMap((axis) => axis?.words ?? [])));
    this.showKeys(palette);
    this.tell(this.cellHere());
  }

  /** Where the theory's limit runs; empty where there is none, or the rate is on no axis. */
  private limitLine(axes: Axes, entry: Entry): (readonly [number, number])[] {
    const rate = axes.find((axis) => axis?.name === RATE);
    const other = axes.find((axis) => axis !== rate);
    if (!rate || !Number.isFinite(this.limit)) return [];
    const ways = Array.from({ length: POINTS }, (_, k) => k / (POINTS - 1));
    const line = ways.flatMap((way) => {
      const factor = limitFactor(other ? other.with(entry, other.value(way)) : entry);
      return factor === null ? [] : [[rate.wayTo(factor * this.limit), way] as const];
    });
    return rate === axes[0] ? line : line.map(([across, up]) => [up, across] as const);
  }

  /** The outcomes that there are, each with its colour. */
  private showKeys({ outcomes: colours }: Palette): void {
    const there = new Set(this.cells?.outcome);
    const names = Object.entries(outcomes).filter((_, number) => there.has(number));
    const keys = names.map(([name, means]) => {
      const swatch = element("span", { class: "key" });
      swatch.style.background =
        colours[name as keyof typeof outcomes].at(-2) ?? colours[name as keyof typeof outcomes][0]!;
      return element("span", { title: means }, swatch, name);
    });
    this.keys.replaceChildren(...keys);
  }

  /** Say how the run of a cell ended. */
  private tell(cell: number): void {
    const { cells, axes } = this;
    if (!cells || !axes || cell < 0) {
      this.told.textContent = "";
      return;
    }
    const columns = cells.across.length;
    const values = [cells.across[cell % columns]!, cells.up[Math.floor(cell / columns)]!];
    const setting = axes.flatMap((axis, k) => (axis ? `${axis.symbol} ${shown(values[k]!, 3)}` : [])).join(", ");
    const name = Object.keys(outcomes)[cells.outcome[cell]!]!;
    this.told.textContent = STRINGS.cell(setting, name, cells.value[cell]!, cells.steps[cell]!);
  }
}
