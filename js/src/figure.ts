// The figure: the ground that is drawn once, the runs over it, the starts as handles, and its gestures.
import type { BasinMap } from "./basins.ts";
import { drawCurve, drawDescent, heightsOf } from "./curve.ts";
import { element } from "./dom.ts";
import { svgOf } from "./files.ts";
import { watchGestures, watchKeys } from "./gestures.ts";
import { Handles } from "./handles.ts";
import { type Landscape, sample } from "./landscape.ts";
import { drawGround, drawMap } from "./map.ts";
import { clamp, placed, shown } from "./numbers.ts";
import { type Problem, slice } from "./problem.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";
import { type Box, usable, View } from "./view.ts";

export interface FigureActions {
  moveStart(index: number, point: readonly [number, number], begun: boolean): void;
  nudgeStart(index: number, way: readonly [number, number], begun: boolean): void;
  addStart(point: readonly [number, number]): void;
  removeStart(index: number): void;
  chooseStart(index: number): void;
  moveView(box: Box, begun: boolean): void;
}

/** Pixels by which an arrow key moves the view. */
const KEY = 30;
/** Milliseconds that the samples of a ground may take. */
const PATIENCE = 40;

export class Figure {
  readonly element: HTMLElement;
  readonly canvas = element("canvas", { class: "figure", role: "img", tabindex: 0 });
  private readonly ground = element("canvas");
  private readonly readout = element("div", { class: "readout", "aria-hidden": "true" });
  private readonly handles: Handles;
  private view = new View([0, 1, 0, 1], 1, 1);
  private value: (x: number, y: number) => number = () => 0;

  constructor(actions: FigureActions) {
    this.handles = new Handles({
      move: (index, x, y, begun) => actions.moveStart(index, this.view.point(x, y), begun),
      nudge: (index, across, down, begun) => actions.nudgeStart(index, this.view.way(across, down), begun),
      choose: (index) => actions.chooseStart(index),
      remove: (index) => actions.removeStart(index),
    });
    this.element = element("div", { class: "plot" }, this.canvas, this.readout, this.handles.element);
    const move = (box: Box, begun: boolean) => {
      if (!usable(box)) return;
      // Two fingers zoom and move at once: the second starts from the first, before anything is drawn.
      this.view = new View(box, this.view.width, this.view.height);
      actions.moveView(box, begun);
    };
    watchGestures(this.canvas, {
      pan: (across, down, begun) => move(this.view.panned(across, down), begun),
      zoom: (factor, x, y) => move(this.view.zoomed(factor, x, y), false),
      tap: (x, y) => actions.addStart(this.view.point(x, y)),
      hover: (x, y) => this.read(x, y),
      leave: () => {
        this.readout.textContent = "";
      },
    });
    const middle = () => [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2] as const;
    watchKeys(this.canvas, {
      move: (across, down) => move(this.view.panned(-KEY * across, -KEY * down), true),
      zoom: (factor) => move(this.view.zoomed(factor, ...middle()), true),
      enter: () => actions.addStart(this.view.point(...middle())),
    });
  }

  /** The picture as a drawing. */
  drawing(scene: Scene): string {
    return svgOf(this.names.length > 1 ? this.ground : this.canvas, this.view, scene, this.names.length === 1);
  }

  private get size(): [number, number] {
    return [this.canvas.clientWidth, this.canvas.clientHeight];
  }

  /** Give the keyboard to a start. */
  focus(index: number): void {
    this.handles.focus(index);
  }

  /** Draw what does not change while runs do. */
  drawGround(problem: Problem, state: State, scene: Scene, basins: BasinMap | null): void {
    const [width, height] = this.size;
    if (!width || !height) return;
    for (const canvas of [this.canvas, this.ground]) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    this.value = slice(problem, state.axes, state.starts[state.activeStart] ?? []);
    this.names = problem.dimension === 1 ? [problem.names[0]!] : state.axes.map((axis) => problem.names[axis]!);
    this.canvas.setAttribute("aria-label", STRINGS.figureLabel(this.names.join(", ")));
    if (problem.dimension === 1) {
      const [left, right] = state.box;
      const f = (x: number) => this.value(x, 0);
      this.view = new View([left, right, ...heightsOf(f, left, right)], width, height);
      drawCurve(this.ground, f, this.view, scene, clamp((width * problem.cost) / PATIENCE, 0.5, 4));
      return;
    }
    this.view = new View(state.box, width, height);
    const land = sampled(problem, this.value, this.view);
    drawGround(this.ground, land, this.view, scene, basins);
  }

  private names: string[] = [];

  /** Draw the runs. */
  draw(problem: Problem, state: State, scene: Scene): void {
    const ink = this.canvas.getContext("2d")!;
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.drawImage(this.ground, 0, 0);
    ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    if (problem.dimension === 1) drawDescent(ink, this.view, scene);
    else drawMap(ink, this.view, scene);
    this.handles.show(
      state.starts.map((start, index) => {
        const [x, y] =
          problem.dimension === 1 ? [start[0]!, this.value(start[0]!, 0)] : state.axes.map((axis) => start[axis]!);
        return {
          x: this.view.across(x!),
          y: this.view.down(y!),
          label: STRINGS.startLabel(index + 1, placed(this.names, [x!, y!])),
          active: index === state.activeStart,
        };
      }),
    );
  }

  private read(across: number, down: number): void {
    const [x, y] = this.view.point(across, down);
    this.readout.textContent = `${placed(this.names, [x, y], 3, "  ")}  f ${shown(this.value(x, y), 4)}`;
  }
}

/** As many samples as the formula's cost allows, at most one every four pixels. */
export function sampled(
  problem: Problem,
  f: (x: number, y: number) => number,
  { box, width, height }: View,
): Landscape {
  const spare = Math.sqrt(PATIENCE / problem.cost / (width * height));
  const density = clamp(spare, 24 / Math.min(width, height), 1 / 4);
  return sample(f, box, Math.round(width * density) + 2, Math.round(height * density) + 2);
}
