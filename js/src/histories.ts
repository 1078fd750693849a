// Value and gradient norm of the runs, step by step.
import { Chart } from "./chart.ts";
import { element } from "./dom.ts";
import type { Problem } from "./problem.ts";
import { lowestOf } from "./race.ts";
import type { Scene } from "./scene.ts";
import { STRINGS } from "./strings.ts";

export class Histories {
  readonly element: HTMLElement;
  private readonly value: Chart;
  private readonly gradient: Chart;

  /** Arguments:
   *   scrub: called with the step that was clicked.
   */
  constructor(scrub: (step: number) => void) {
    const seek = (time: number) => scrub(Math.round(time));
    this.value = new Chart(seek);
    this.gradient = new Chart(seek);
    this.element = element("div", { class: "charts" }, this.value.element, this.gradient.element);
  }

  resize(): void {
    this.value.resize();
    this.gradient.resize();
  }

  draw(problem: Problem, scene: Scene): void {
    const above = problem.minima.length > 0;
    const lowest = above ? lowestOf(problem, scene.runs) : 0;
    const title = above ? STRINGS.valueAbove : STRINGS.value;
    this.value.draw(title, scene, ({ run }, row) => run.value[row]! - lowest);
    this.gradient.draw(STRINGS.gradientNorm, scene, ({ run }, row) => norm(run.gradient, row, run.dimension));
  }
}

function norm(gradient: Float64Array, row: number, dimension: number): number {
  let sum = 0;
  for (let k = row * dimension; k < (row + 1) * dimension; k++) sum += gradient[k]! ** 2;
  return Math.sqrt(sum);
}
