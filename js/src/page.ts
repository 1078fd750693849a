// The page: its parts, and what each change of the state draws again.
import { BasinLayer } from "./basin_layer.ts";
import { rehearse } from "./basins.ts";
import { DiagnosisPanel } from "./diagnosis_panel.ts";
import { element, iconButton } from "./dom.ts";
import { Elsewhere, type GivenObjective } from "./elsewhere.ts";
import { EntryMoves } from "./entry_moves.ts";
import { arrowsOf, type Explained } from "./explain.ts";
import { FormulaField } from "./formula_field.ts";
import { fragmentOf, readFragment } from "./fragment.ts";
import type { Host } from "./host.ts";
import { keeping } from "./keep.ts";
import { LiveText } from "./live_text.ts";
import { Panels, stepShown } from "./panels.ts";
import { type Plane, principalPlane } from "./principal_plane.ts";
import { fitted, give, type Problem, problemOf, wholeOf } from "./problem.ts";
import { type Race, race, suited } from "./race.ts";
import { RulesPanel } from "./rules_panel.ts";
import { RunPanel } from "./run_panel.ts";
import type { Scene } from "./scene.ts";
import { type Seen, seenOn } from "./seen.ts";
import { ShareMenu } from "./share_menu.ts";
import { SlicePanel } from "./slice_panel.ts";
import { Stage } from "./stage.ts";
import { StartMoves } from "./starts.ts";
import { firstState, onLandscape, type State } from "./state.ts";
import { Store } from "./store.ts";
import { STRINGS } from "./strings.ts";
import css from "./style.css";
import { Theme } from "./theme.ts";
import { Transport } from "./transport.ts";
import type { Box } from "./view.ts";
import { Workers } from "./workers.ts";

/** What of the state changes the ground of the figure, and what the runs. */
const OF_GROUND = ["formula", "box", "axes", "plane", "view"] as const;
const OF_RUNS = ["formula", "starts", "entries", "steps", "gradient", "noise", "seed", "target", "stop"] as const;

/** Milliseconds after which a page that is open has time for what may be wanted later. */
const IDLE = 400;

/** A notebook around the page, and the function that Python computes there. */
export interface Notebook {
  readonly host: Host;
  readonly objective: GivenObjective | null;
}

/** What was drawn on the stage, for the panels beside it. */
interface Drawn {
  readonly state: State;
  readonly scene: Scene;
  readonly step: Explained | null;
}

export class Page {
  readonly store: Store;
  private problem: Problem;
  private race: Race = { runs: [], problems: new Map(), steps: 0 };
  private readonly stale = { ground: true, runs: true };
  private queued = 0;
  private readonly theme: Theme;
  private readonly field: FormulaField;
  private readonly stage: Stage;
  private readonly transport: Transport;
  private readonly rules: RulesPanel;
  private readonly running: RunPanel;
  private readonly slice = new SlicePanel(
    (axes) => this.store.change({ axes }),
    (plane) => this.drawOn(plane),
    (coordinate, value) => this.hold(coordinate, value),
  );
  private readonly panels: Panels;
  private readonly entries = new EntryMoves(
    () => ({ problem: this.problem, state: this.store.now }),
    (part, gesture) => this.store.change(part, gesture),
  );
  private readonly basins: BasinLayer;
  private readonly diagnosis: DiagnosisPanel | null;
  private failure = "";
  /** Whether the box is to be made to hold the runs, once they are known. */
  private isOpen: boolean;
  private readonly live = new LiveText();
  private readonly notice = element("p", { class: "notice", role: "alert" });
  private readonly undo = iconButton("undo", STRINGS.undo, () => this.store.undo());
  private readonly redo = iconButton("redo", STRINGS.redo, () => this.store.redo());

  /** Arguments:
   *   root: the element to fill.
   *   fragment: what to show at first, as a link says it.
   *   address: where the code of a worker is.
   *   shown: called when something else is shown.
   *   notebook: what is around the page, if it is in one.
   */
  constructor(
    private readonly root: HTMLElement,
    fragment: string,
    address: string,
    private readonly shown: () => void = () => {},
    notebook: Notebook | null = null,
  ) {
    if (notebook?.objective) give(this.elsewhereOf(notebook.host, notebook.objective));
    const { state: read, hasBox, hasRules, refused } = readFragment(fragment, firstState());
    this.problem = problemOf(read.formula);
    const chosen = hasRules || this.problem.elsewhere !== undefined || fragment === "";
    const said = chosen ? read : { ...read, entries: suited(this.problem, read) };
    const { runs } = race(this.problem, said);
    this.isOpen = !hasBox && this.problem.elsewhere !== undefined;
    const state = hasBox ? said : { ...said, box: wholeOf(this.problem, said, runs) };
    this.store = new Store(state, (now, before) => this.changed(now, before));
    const change = (part: Partial<State>, gesture: string | null = null) => this.store.change(part, gesture);
    this.field = new FormulaField(
      (text) => this.read(text),
      (name) => this.visit(name),
    );
    this.stage = this.makeStage(change);
    this.transport = new Transport((at) => change({ at }));
    this.rules = new RulesPanel({
      change: (entries, gesture) =>
        change({ entries, active: Math.max(0, Math.min(this.store.now.active, entries.length - 1)) }, gesture),
      rest: () => this.store.rest(),
      choose: (active) => change({ active }),
      best: (index) => this.entries.setBest(index),
    });
    this.running = new RunPanel(change);
    const scrub = (at: number) => {
      this.transport.pause();
      change({ at });
    };
    const workers = new Workers(address, () => this.say(STRINGS.noWorkers));
    this.panels = new Panels(
      {
        scrub,
        choose: (active) => change({ active }),
        panel: (panel) => change({ panel }),
        set: (entry) => this.entries.setActive(entry),
        again: () => this.queue(),
      },
      workers,
    );
    this.basins = new BasinLayer(workers, () => this.spoil());
    this.diagnosis = notebook && new DiagnosisPanel(notebook.host, (rule) => this.complain(this.entries.setRule(rule)));
    this.theme = new Theme(root, () => {
      this.stale.ground = true;
      this.draw();
    });
    this.build();
    root.addEventListener("keydown", (event) => this.key(event));
    // The figure is seen first; the next frame draws the rest.
    this.drawStage();
    this.complain(refused);
    // A map is wanted at once when it is asked for.
    setTimeout(() => void rehearse(workers, this.problem, this.store.now), IDLE);
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

  /** Whether what is shown is known, or that it cannot be. */
  get isKnown(): boolean {
    return this.problem.elsewhere?.isKnown ?? true;
  }

  /** What is shown as a picture, in a data address. */
  picture(): string {
    this.draw();
    return this.stage.picture(this.problem, this.store.now).toDataURL();
  }

  private elsewhereOf(host: Host, objective: GivenObjective): Problem {
    const changed = (what: "land" | "runs") => {
      this.stale[what === "land" ? "ground" : "runs"] = true;
      if (what === "runs" && this.isOpen) {
        this.isOpen = false;
        const { runs } = race(this.problem, this.store.now);
        this.store.amend({ box: wholeOf(this.problem, this.store.now, runs) });
      }
      this.queue();
    };
    const failed = (problem: string) => {
      if (problem === this.failure) return;
      this.failure = problem;
      this.notice.textContent = problem && STRINGS.failed(problem);
      this.shown();
    };
    return new Elsewhere(objective, host, changed, failed).problem;
  }

  /** The box that shows all of what is drawn. */
  private whole(): Box {
    const { problem, state, scene } = this.seen(this.store.now, null);
    return wholeOf(problem, state, scene.runs);
  }

  /** Draw two of the coordinates, or the plane along which the runs vary most. */
  private drawOn(plane: State["plane"]): void {
    this.store.change({ plane });
    this.draw();
    this.store.amend({ box: this.whole() });
  }

  private makeStage(change: (part: Partial<State>, gesture?: string | null) => void): Stage {
    const starts = new StartMoves(
      () => ({ problem: this.problem, state: this.store.now, plane: this.plane }),
      (part, gesture, focus) => {
        change(part, gesture);
        if (focus === null) return;
        this.draw();
        this.stage.focus(focus);
      },
    );
    const actions = {
      moveStart: (index: number, point: readonly [number, number], begun: boolean) => {
        if (begun) this.store.rest();
        starts.move(index, point);
      },
      nudgeStart: (index: number, way: readonly [number, number], begun: boolean) => {
        if (begun) this.store.rest();
        starts.nudge(index, way);
      },
      addStart: (point: readonly [number, number]) => starts.add(point),
      removeStart: (index: number) => starts.remove(index),
      chooseStart: (activeStart: number) => change({ activeStart }),
      oneStart: () => starts.keepOne(),
      moveView: (box: Box, begun: boolean) => {
        if (begun) this.store.rest();
        change({ box }, "view");
      },
      view: (view: State["view"]) => change({ view }),
      basins: (basins: boolean) => change({ basins }),
      whole: () => change({ box: this.whole() }),
    };
    return new Stage(actions, () => this.resized());
  }

  private build(): void {
    const tools = element(
      "div",
      { class: "tools" },
      this.undo,
      this.redo,
      this.theme.button,
      this.makeShareMenu().element,
    );
    const top = element("header", {}, element("h1", {}, STRINGS.title), this.field.element, tools);
    const figure = element(
      "section",
      { class: "stage", "aria-label": STRINGS.map },
      this.stage.element,
      this.transport.element,
    );
    if (this.diagnosis) this.panels.element.append(this.diagnosis.element);
    const side = element("div", { class: "side" }, this.slice.element, this.rules.element, this.running.element);
    const main = element("main", {}, figure, this.panels.element, side);
    this.root.replaceChildren(element("style", {}, css), top, this.notice, main, this.live.element);
  }

  private complain(refused: readonly string[]): void {
    this.say(refused.length ? STRINGS.notTaken(refused) : "");
  }

  /** Say something above the figure, until it is dismissed. */
  private say(text: string): void {
    this.notice.textContent = text;
    if (text) this.notice.append(iconButton("remove", STRINGS.dismiss, () => this.notice.replaceChildren()));
  }

  private read(formula: string): void {
    const problem = problemOf(formula);
    const { starts, axes } = this.store.now;
    this.problem = problem;
    const inside = axes.every((axis) => axis < Math.max(2, problem.dimension));
    const changed = { formula, starts: fitted(starts, problem.dimension), axes: inside ? axes : ([0, 1] as const) };
    this.store.change(changed, "formula");
  }

  /** Go to a landscape, where the rules get rates that suit it. */
  private visit(landscape: string): void {
    const state: State = { ...this.store.now, ...onLandscape(landscape), at: null };
    this.store.change({ ...state, entries: suited(problemOf(state.formula), state) });
  }

  private hold(coordinate: number, value: number): void {
    const { starts, activeStart } = this.store.now;
    const held = (start: readonly number[]) => start.map((old, k) => (k === coordinate ? value : old));
    this.store.change({ starts: starts.map((start, k) => (k === activeStart ? held(start) : start)) });
  }

  private makeShareMenu(): ShareMenu {
    return new ShareMenu(
      keeping(() => {
        const { problem, fragment: link, stage } = this;
        const state = this.store.now;
        const seen = this.seen(state, null);
        return {
          ...{ problem, state, link, scene: this.scene(state, null), last: this.last, speed: this.transport.speed },
          picture: () => stage.picture(seen.problem, seen.state),
          drawing: () => stage.drawing(seen.scene),
          seek: (at) => {
            this.store.change({ at });
            this.draw();
          },
        };
      }),
    );
  }

  /** The number of the last step of all runs. */
  private get last(): number {
    return Math.max(1, ...this.race.runs.map(({ run }) => run.count));
  }

  private key(event: KeyboardEvent): void {
    const typing = (event.target as Element).matches("input[type=text], select");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing) {
      event.preventDefault();
      if (event.shiftKey) this.store.redo();
      else this.store.undo();
    }
  }

  private resized(): void {
    this.panels.resize();
    this.spoil();
  }

  private changed(now: State, before: State): void {
    const differs = (keys: readonly (keyof State)[]) => keys.some((key) => now[key] !== before[key]);
    if (now.formula !== this.problem.formula) this.problem = problemOf(now.formula);
    const held = this.problem.dimension > 2 && differs(["starts", "activeStart"]);
    if (differs(OF_GROUND) || held) this.stale.ground = true;
    if (differs(OF_RUNS)) this.stale.runs = true;
    this.queue();
  }

  /** Draw the ground again. */
  private spoil(): void {
    this.stale.ground = true;
    this.queue();
  }

  private queue(): void {
    this.queued ||= requestAnimationFrame(() => this.draw());
  }

  private shownBasins: unknown = null;
  /** The plane that is drawn; null where two of the coordinates are. */
  private plane: Plane | null = null;

  /** Bring everything that is shown up to the state. */
  draw(): void {
    cancelAnimationFrame(this.queued);
    this.queued = 0;
    this.drawPanels(this.drawStage());
  }

  /** Run the rules and draw the figure. */
  private drawStage(): Drawn {
    const state = this.store.now;
    // Of what is computed elsewhere this only asks, and only when it must.
    if (this.stale.runs || this.problem.elsewhere) this.race = race(this.problem, state);
    const varies = state.plane === "principal" && this.problem.dimension > 2 && !this.problem.elsewhere;
    this.plane = varies ? principalPlane(this.race.runs) : null;
    const basins = this.basins.of(this.problem, this.plane ? { ...state, basins: false } : state);
    const ground = this.stale.ground || (varies && this.stale.runs) || basins !== this.shownBasins;
    this.shownBasins = basins;
    const step = stepShown(this.problem, state, this.race.steps);
    const scene = this.scene(state, step);
    this.stale.ground = this.stale.runs = false;
    const seen = this.seen(state, step);
    this.stage.draw(seen.problem, seen.state, seen.scene, ground, basins);
    this.field.show(state.formula, this.problem.compiled.reading);
    this.transport.show(state.at, this.last);
    return { state, scene, step };
  }

  private drawPanels({ state, scene, step }: Drawn): void {
    this.rules.show(state, this.theme.palette, this.race.problems);
    this.running.show(state, this.race.steps);
    this.slice.show(this.problem, state, this.plane);
    this.panels.draw(this.problem, state, scene, step);
    this.undo.disabled = !this.store.canUndo;
    this.redo.disabled = !this.store.canRedo;
    this.diagnosis?.show(state);
    this.live.tell(this.problem, state, this.race.runs);
    this.shown();
  }

  /** What is drawn: in the coordinates chosen, or on the plane. */
  private seen(state: State, step: Explained | null): Seen {
    const { problem, plane } = this;
    const whole: Seen = { problem, state, scene: this.scene(state, step) };
    return plane ? seenOn(plane, whole, step) : { ...whole, state: { ...state, plane: "slice" } };
  }

  private scene(state: State, step: Explained | null): Scene {
    return {
      palette: this.theme.palette,
      names: this.problem.names,
      axes: state.axes,
      runs: this.race.runs,
      at: state.at,
      active: state.active,
      activeStart: state.activeStart,
      minima: this.problem.minima,
      arrows: step && this.problem.dimension > 1 ? arrowsOf(step, state) : [],
    };
  }
}
