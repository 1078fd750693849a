// The picture of recorded runs: a curve, a map, or a surface that turns; and the numbers under the pointer.
import { drawAxes } from "./axes.ts";
import { drawContours } from "./contour.ts";
import { drawCurve } from "./curve.ts";
import { element } from "./dom.ts";
import type { Landscape } from "./landscape.ts";
import { shown } from "./numbers.ts";
import { boxOf, curveOf, type Given, landOf, type RecordedRun, shareAt, valueAt } from "./recorded.ts";
import { drawEnds, drawRecorded } from "./recorded_paths.ts";
import { paintRelief } from "./relief.ts";
import { rowAt, type Scene } from "./scene.ts";
import { STRINGS } from "./strings.ts";
import { Surface } from "./surface.ts";
import { View } from "./view.ts";

/** Pixels within which a point is found. */
const REACH = 14;
const DIGITS = 5;

export class RecordedFigure {
  readonly element: HTMLElement;
  /** The surface; null for what is flat, or where the browser draws none. */
  readonly surface: Surface | null;
  private readonly canvas: HTMLCanvasElement;
  private readonly ground = element("canvas");
  private readonly tip = element("div", { class: "tip", role: "tooltip", hidden: true });
  private readonly land: Landscape | null;
  private readonly curve: ((x: number) => number) | null;
  private view: View;
  private scene: Scene<RecordedRun> | null = null;

  /** Arguments:
   *   resized: called when it has another size.
   */
  constructor(
    private readonly given: Given,
    resized: () => void,
  ) {
    this.land = landOf(given);
    this.curve = given.curve ? curveOf(given.curve) : null;
    this.view = new View(boxOf(given), 1, 1);
    const on = {
      hover: (x: number, y: number) => this.point(x, y),
      leave: () => this.leave(),
      drawn: (ink: CanvasRenderingContext2D) => {
        if (this.scene) drawEnds(ink, this.scene, (run, row) => this.spot(run, row));
      },
    };
    const surface = given.solid ? new Surface(given.title, on, ...given.solid.camera) : null;
    this.surface = surface?.begin() ? surface : null;
    this.canvas =
      this.surface?.picture ?? element("canvas", { class: "figure", role: "img", "aria-label": given.title });
    this.canvas.setAttribute("aria-describedby", "now legend");
    if (!this.surface) {
      for (const kind of ["pointermove", "pointerdown"] as const)
        this.canvas.addEventListener(kind, ({ offsetX, offsetY }) => on.hover(offsetX, offsetY));
      this.canvas.addEventListener("pointerleave", on.leave);
    }
    this.element = element("div", { class: "plot" }, this.canvas, this.tip);
    new ResizeObserver(() => {
      if (this.canvas.clientWidth !== this.view.width) resized();
    }).observe(this.canvas);
  }

  /** Where a row of a run is on the picture, in pixels of the page. */
  spot(run: RecordedRun, row: number): readonly [number, number] {
    if (this.surface) return this.surface.spot(run, row);
    return [this.view.across(run.x[2 * row]!), this.view.down(run.x[2 * row + 1]!)];
  }

  /** Draw what does not change while the runs play. */
  drawGround(scene: Scene<RecordedRun>): void {
    const { canvas, ground, land } = this;
    if (!canvas.clientWidth) return;
    this.view = new View(this.view.box, canvas.clientWidth, canvas.clientHeight);
    if (this.surface) {
      this.surface.show(land!, scene.palette);
      return;
    }
    for (const each of [canvas, ground]) {
      each.width = Math.round(canvas.clientWidth * devicePixelRatio);
      each.height = Math.round(canvas.clientHeight * devicePixelRatio);
    }
    if (!land) {
      drawCurve(ground, this.curve!, this.view, scene);
      return;
    }
    paintRelief(ground, land, scene.palette);
    const ink = ground.getContext("2d")!;
    ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawContours(ink, land, this.view, scene.palette);
    drawAxes(ink, this.view, scene.palette, this.given.names);
  }

  /** Draw the runs. */
  draw(scene: Scene<RecordedRun>): void {
    this.scene = scene;
    const ink = this.canvas.getContext("2d")!;
    if (this.surface) {
      this.surface.draw(scene);
      return;
    }
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.drawImage(this.ground, 0, 0);
    ink.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawRecorded(ink, this.view, scene, this.land !== null);
  }

  /** Tell the numbers at a pixel: of the point of a run, or else of the landscape. */
  private point(x: number, y: number): void {
    const lines = this.told(x, y);
    this.tip.hidden = !lines.length;
    this.tip.textContent = lines.join("\n");
    const { clientWidth, clientHeight } = this.canvas;
    this.tip.style.left = `${x + (x > clientWidth / 2 ? -this.tip.offsetWidth - 12 : 16)}px`;
    this.tip.style.top = `${y + (y > clientHeight / 2 ? -this.tip.offsetHeight - 8 : 12)}px`;
  }

  private leave(): void {
    this.tip.hidden = true;
  }

  private told(x: number, y: number): string[] {
    const { names, symbol, unit, grid } = this.given;
    const says = (name: string, value: number, sign = "=") => `${name} ${sign} ${shown(value, DIGITS)}`;
    const found = this.nearest(x, y);
    if (found) {
      const [run, row] = found;
      const place = [says(names[0], run.x[2 * row]!)];
      if (grid) place.push(says(names[1], run.x[2 * row + 1]!));
      const rest = [says(symbol, run.value[row]!), says(STRINGS.pointGradient, run.gradientNorm[row]!)];
      if (!Number.isNaN(run.rate[row]!)) rest.push(says(STRINGS.pointRate, run.rate[row]!));
      return [run.label, STRINGS.moment(unit, run.times[row]!), ...place, ...rest];
    }
    if (!grid || this.surface) return [];
    const point = this.view.point(x, y);
    const share = shareAt(this.land!, ...point);
    // The landscape is clipped at the ends of its colours.
    const sign = share >= 1 ? "≥" : share <= 0 ? "≤" : "=";
    return [...names.map((name, k) => says(name, point[k]!)), says(symbol, valueAt(grid.bounds, share), sign)];
  }

  private nearest(x: number, y: number): [RecordedRun, number] | null {
    let found: [RecordedRun, number] | null = null;
    let least = REACH;
    for (const { run } of this.scene?.runs ?? []) {
      for (let row = rowAt(run, this.scene!.at); row >= 0; row--) {
        const [u, v] = this.spot(run, row);
        const distance = Math.hypot(u - x, v - y);
        if (distance < least) [least, found] = [distance, [run, row]];
      }
    }
    return found;
  }
}
