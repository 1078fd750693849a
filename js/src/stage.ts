// The stage: the map or the curve, or the surface, and what of them is shown.
import type { BasinMap } from "./basins.ts";
import { element } from "./dom.ts";
import { Figure, type FigureActions, sampled } from "./figure.ts";
import { type Problem, slice } from "./problem.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import { Surface } from "./surface.ts";
import { View } from "./view.ts";
import { type ViewActions, ViewBar } from "./view_bar.ts";

export class Stage {
  readonly element: HTMLElement;
  private readonly figure: Figure;
  private readonly surface = new Surface(STRINGS.surfaceLabel);
  private readonly bar: ViewBar;
  private readonly outside = element("p", { class: "outside" });
  /** The size at which it was drawn. */
  private drawn = "";

  /** Arguments:
   *   resized: called when it has another size.
   */
  constructor(actions: FigureActions & ViewActions, resized: () => void) {
    this.figure = new Figure(actions);
    this.bar = new ViewBar(actions);
    this.element = element(
      "div",
      { class: "stage-figure" },
      this.figure.element,
      this.surface.element,
      this.bar.element,
      this.outside,
    );
    new ResizeObserver(() => {
      const size = `${this.element.clientWidth} ${this.element.clientHeight}`;
      if (size !== this.drawn) resized();
    }).observe(this.element);
  }

  /** Give the keyboard to a start. */
  focus(index: number): void {
    this.figure.focus(index);
  }

  /** The canvas that is shown. */
  picture(problem: Problem, state: State): HTMLCanvasElement {
    return this.solid(problem, state) ? this.surface.picture : this.figure.canvas;
  }

  /** The map or the curve as a drawing. */
  drawing(scene: Scene): string {
    return this.figure.drawing(scene);
  }

  draw(problem: Problem, state: State, scene: Scene, ground: boolean, basins: BasinMap | null): void {
    this.drawn = `${this.element.clientWidth} ${this.element.clientHeight}`;
    const solid = this.solid(problem, state);
    const lost = scene.runs.some(({ run, start }) => start === state.activeStart && !Number.isFinite(run.value[0]));
    this.outside.textContent = lost ? STRINGS.outside : "";
    this.surface.element.hidden = !solid;
    this.figure.element.hidden = solid;
    this.bar.show(state, problem.dimension > 1, this.surface.possible, state.plane === "slice");
    if (solid) {
      if (ground) this.surface.show(this.land(problem, state), scene.palette);
      this.surface.draw(scene);
      return;
    }
    if (ground) this.figure.drawGround(problem, state, scene, basins);
    this.figure.draw(problem, state, scene);
  }

  private solid(problem: Problem, state: State): boolean {
    return state.view === "surface" && problem.dimension > 1 && this.surface.begin();
  }

  private land(problem: Problem, state: State) {
    const f = slice(problem, state.axes, state.starts[state.activeStart] ?? []);
    // More points than a screen of this size can show would be of no use.
    return sampled(problem, f, new View(state.box, 540, 540));
  }
}
