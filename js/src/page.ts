// The page: its parts, and what each change of the state draws again.
import { Chart } from "./chart.ts";
import { element, iconButton } from "./dom.ts";
import { arrowsOf, type Explained, explained } from "./explain.ts";
import { ExplainPanel } from "./explain_panel.ts";
import { FormulaField } from "./formula_field.ts";
import { fragmentOf, readFragment } from "./fragment.ts";
import { landscapes } from "./generated.ts";
import { shown } from "./numbers.ts";
import { DARK, LIGHT, type Palette } from "./palette.ts";
import { fitted, type Problem, problemOf } from "./problem.ts";
import { bestRate, lowestOf, race, titleOf } from "./race.ts";
import { RaceTable } from "./race_table.ts";
import { RulesPanel } from "./rules_panel.ts";
import { RunPanel } from "./run_panel.ts";
import type { Scene, ShownRun } from "./scene.ts";
import { Stage } from "./stage.ts";
import { firstState, LIMITS, onLandscape, type State } from "./state.ts";
import { Store } from "./store.ts";
import { STRINGS } from "./strings.ts";
import css from "./style.css";
import { Transport } from "./transport.ts";
import type { Box } from "./view.ts";

/** What of the state changes the ground of the figure, and what the runs. */
const OF_GROUND = ["formula", "box", "axes", "view"] as const satisfies readonly (keyof State)[];
const OF_RUNS = ["formula", "starts", "entries", "steps", "gradient", "noise", "seed", "target"] as const;

export class Page {
  readonly store: Store;
  private problem: Problem;
  private runs: ShownRun[] = [];
  private palette: Palette = LIGHT;
  private readonly stale = { ground: true, runs: true };
  private queued = 0;
  private readonly field: FormulaField;
  private readonly stage: Stage;
  private readonly explain = new ExplainPanel();
  private readonly transport: Transport;
  private readonly rules: RulesPanel;
  private readonly running: RunPanel;
  private readonly table: RaceTable;
  private readonly notice = element("p", { class: "notice", role: "alert" });
  private readonly charts: { value: Chart; gradient: Chart };
  private readonly live = element("p", { class: "live", role: "status", "aria-live": "polite" });
  private readonly undo = iconButton("undo", STRINGS.undo, () => this.store.undo());
  private readonly redo = iconButton("redo", STRINGS.redo, () => this.store.redo());

  /** Arguments:
   *   root: the element to fill.
   *   fragment: what to show at first, as a link says it.
   *   shown: called when something else is shown.
   */
  constructor(
    private readonly root: HTMLElement,
    fragment: string,
    private readonly shown: () => void = () => {},
  ) {
    const { state, refused } = readFragment(fragment, firstState());
    this.problem = problemOf(state.formula);
    this.store = new Store(state, (now, before) => this.changed(now, before));
    const change = (part: Partial<State>, gesture: string | null = null) => this.store.change(part, gesture);
    this.field = new FormulaField(
      (text) => this.read(text),
      (name) => change(onLandscape(name)),
    );
    const actions = {
      moveStart: (index: number, point: readonly [number, number], begun: boolean) => {
        if (begun) this.store.rest();
        change({ starts: this.moved(index, point) }, `start ${index}`);
      },
      addStart: (point: readonly [number, number]) => this.addStart(point),
      removeStart: (index: number) => this.removeStart(index),
      chooseStart: (activeStart: number) => change({ activeStart }),
      moveView: (box: Box, begun: boolean) => {
        if (begun) this.store.rest();
        change({ box }, "view");
      },
      view: (view: State["view"]) => change({ view }),
      whole: () => change({ box: wholeOf(this.problem, this.store.now, this.runs) }),
      oneStart: () => change({ starts: [this.store.now.starts[this.store.now.activeStart]!], activeStart: 0 }),
    };
    this.stage = new Stage(actions, () => this.resized());
    this.transport = new Transport((at) => change({ at }));
    this.rules = new RulesPanel({
      change: (entries, gesture) =>
        change({ entries, active: Math.min(this.store.now.active, Math.max(0, entries.length - 1)) }, gesture),
      rest: () => this.store.rest(),
      choose: (active) => change({ active }),
      best: (index) => this.setBest(index),
    });
    this.running = new RunPanel(change);
    this.table = new RaceTable((active) => change({ active }));
    const scrub = (at: number) => {
      this.transport.pause();
      change({ at });
    };
    this.charts = { value: new Chart(scrub), gradient: new Chart(scrub) };
    this.build();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.themed());
    root.addEventListener("keydown", (event) => this.key(event));
    this.themed();
    this.draw();
    this.complain(refused);
  }

  /** Show what a link says; nothing happens if that is shown already. */
  open(fragment: string): void {
    if (fragment === this.fragment) return;
    const { state, refused } = readFragment(fragment, firstState());
    this.store.change(state);
    this.complain(refused);
  }

  /** The link to what is shown. */
  get fragment(): string {
    return fragmentOf(this.store.now);
  }

  private complain(refused: readonly string[]): void {
    this.notice.textContent = refused.length ? STRINGS.notTaken(refused) : "";
    if (refused.length) this.notice.append(iconButton("remove", STRINGS.dismiss, () => this.notice.replaceChildren()));
  }

  private build(): void {
    const title = element("h1", {}, STRINGS.title);
    const top = element(
      "header",
      {},
      title,
      this.field.element,
      element("div", { class: "tools" }, this.undo, this.redo),
    );
    const figure = element(
      "section",
      { class: "stage", "aria-label": STRINGS.map },
      this.stage.element,
      this.transport.element,
    );
    const histories = element(
      "section",
      { class: "histories", "aria-label": STRINGS.histories },
      this.charts.value.element,
      this.charts.gradient.element,
      element("div", { class: "scrolled" }, this.table.element),
      this.explain.element,
    );
    this.root.append(
      element("style", {}, css),
      top,
      this.notice,
      element(
        "main",
        {},
        figure,
        histories,
        element("div", { class: "side" }, this.rules.element, this.running.element),
      ),
      this.live,
    );
  }

  private read(formula: string): void {
    const problem = problemOf(formula);
    const { starts, axes } = this.store.now;
    this.problem = problem;
    const inside = axes.every((axis) => axis < Math.max(2, problem.dimension));
    this.store.change(
      {
        formula: formula.trim(),
        starts: fitted(starts, problem.dimension),
        ...(inside ? {} : { axes: [0, 1] as const }),
      },
      "formula",
    );
  }

  private moved(index: number, point: readonly [number, number]): State["starts"] {
    const { starts, axes } = this.store.now;
    const placed = starts[index]!.map((value, k) =>
      this.problem.dimension === 1 ? point[0] : k === axes[0] ? point[0] : k === axes[1] ? point[1] : value,
    );
    return starts.map((start, k) => (k === index ? placed : start));
  }

  private addStart(point: readonly [number, number]): void {
    const { starts, activeStart } = this.store.now;
    if (starts.length >= LIMITS.starts) return;
    const placed = this.moved(activeStart, point)[activeStart]!;
    this.store.change({ starts: [...starts, placed], activeStart: starts.length });
    this.draw();
    this.stage.focus(starts.length);
  }

  private removeStart(index: number): void {
    const starts = this.store.now.starts.filter((_, k) => k !== index);
    if (!starts.length) return;
    this.store.change({ starts, activeStart: Math.min(index, starts.length - 1) });
    this.draw();
    this.stage.focus(Math.min(index, starts.length - 1));
  }

  private setBest(index: number): void {
    const { entries } = this.store.now;
    const entry = entries[index]!;
    const rate = bestRate(this.problem, this.store.now, entry);
    this.store.change({ entries: entries.map((one, k) => (k === index ? { ...one, rate } : one)) });
  }

  private key(event: KeyboardEvent): void {
    const typing = (event.target as Element).matches("input[type=text], select");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing) {
      event.preventDefault();
      if (event.shiftKey) this.store.redo();
      else this.store.undo();
    }
  }

  private themed(): void {
    this.palette = matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT;
    this.stale.ground = true;
    this.queue();
  }

  private resized(): void {
    for (const chart of Object.values(this.charts)) chart.resize();
    this.stale.ground = true;
    this.queue();
  }

  private changed(now: State, before: State): void {
    const differs = (keys: readonly (keyof State)[]) => keys.some((key) => now[key] !== before[key]);
    if (now.formula !== this.problem.formula) this.problem = problemOf(now.formula);
    if (differs(OF_GROUND) || (this.problem.dimension > 2 && differs(["starts", "activeStart"])))
      this.stale.ground = true;
    if (differs(OF_RUNS)) this.stale.runs = true;
    this.queue();
  }

  private queue(): void {
    this.queued ||= requestAnimationFrame(() => this.draw());
  }

  /** Bring everything that is shown up to the state. */
  draw(): void {
    cancelAnimationFrame(this.queued);
    this.queued = 0;
    const state = this.store.now;
    if (this.stale.runs) this.runs = race(this.problem, state);
    const step = state.at === null ? null : explained(this.problem, state, state.at);
    const scene = this.scene(state, step);
    this.stage.draw(this.problem, state, scene, this.stale.ground);
    this.stale.ground = this.stale.runs = false;
    const looked = state.entries[state.active];
    this.explain.show(step, looked ? titleOf(looked) : "", this.problem.names, this.palette);
    this.drawPanels(state, scene);
  }

  private drawPanels(state: State, scene: Scene): void {
    this.field.show(state.formula, this.problem.compiled.reading);
    this.rules.show(state, this.palette);
    this.running.show(state);
    this.transport.show(state.at, Math.max(1, ...this.runs.map(({ run }) => run.count)));
    this.table.show(this.problem, state, scene);
    const above = this.problem.minima.length > 0;
    const lowest = above ? lowestOf(this.problem, this.runs) : 0;
    this.charts.value.draw(
      above ? STRINGS.valueAbove : STRINGS.value,
      scene,
      ({ run }, row) => run.value[row]! - lowest,
    );
    this.charts.gradient.draw(STRINGS.gradientNorm, scene, ({ run }, row) => norm(run.gradient, row, run.dimension));
    this.undo.disabled = !this.store.canUndo;
    this.redo.disabled = !this.store.canRedo;
    this.tell(state);
    this.shown();
  }

  private scene(state: State, step: Explained | null): Scene {
    return {
      palette: this.palette,
      names: this.problem.names,
      axes: state.axes,
      runs: this.runs,
      at: state.at,
      active: state.active,
      activeStart: state.activeStart,
      minima: this.problem.minima,
      arrows: step && this.problem.dimension > 1 ? arrowsOf(step, state) : [],
    };
  }

  private telling = 0;

  /** Say what happened, once it has come to rest. */
  private tell(state: State): void {
    clearTimeout(this.telling);
    this.telling = window.setTimeout(() => {
      const runs = this.runs.filter(({ start }) => start === state.activeStart);
      const place = this.problem.names
        .map((name, k) => `${name} ${shown(state.starts[state.activeStart]![k]!, 3)}`)
        .join(", ");
      const end = ({ run }: ShownRun) => run.value[run.count]!;
      const best = runs.filter((one) => Number.isFinite(end(one))).sort((a, b) => end(a) - end(b))[0];
      const told = best ? STRINGS.lowest(titleOf(state.entries[best.entry]!), end(best), best.run.count) : "";
      this.live.textContent = STRINGS.told(place, state.at === null ? told : STRINGS.atStep(state.at));
    }, 600);
  }
}

function norm(gradient: Float64Array, row: number, dimension: number): number {
  let sum = 0;
  for (let k = row * dimension; k < (row + 1) * dimension; k++) sum += gradient[k]! ** 2;
  return Math.sqrt(sum);
}

/** The landscape's own box; of another formula one that holds the runs. */
function wholeOf({ formula, minima, dimension }: Problem, { axes, box }: State, runs: readonly ShownRun[]): Box {
  const known = landscapes.find((one) => one.formula === formula);
  if (known) return onLandscape(known.name).box;
  const reach = (axis: number, [low, high]: readonly [number, number]): [number, number] => {
    const values = runs.flatMap(({ run }) => Array.from(run.x).filter((_, k) => k % dimension === axis));
    const seen = [...values, ...minima.map((point) => point[axis]!)].filter((value) => Math.abs(value) < 1e6);
    if (!seen.length) return [low, high];
    const [least, most] = [Math.min(...seen), Math.max(...seen)];
    const room = 0.15 * (most - least) || 1;
    return [least - room, most + room];
  };
  const [left, right] = reach(axes[0], [box[0], box[1]]);
  const [bottom, top] = dimension > 1 ? reach(axes[1], [box[2], box[3]]) : [box[2], box[3]];
  return [left, right, bottom, top];
}
