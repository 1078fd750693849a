// How a rule ends over its rate and another of its hyperparameters: a map whose cells can be clicked.

import { FONT } from "./axes.ts";
import { element } from "./dom.ts";
import { arrowOf } from "./gestures.ts";
import type { SettingsJob } from "./jobs.ts";
import { clamp, shown, typed } from "./numbers.ts";
import { type Palette, ramp } from "./palette.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import type { Hyperparameter, Rule } from "./rules.ts";
import type { Scene } from "./scene.ts";
import { plainSymbol, select, spreadOf } from "./slider.ts";
import { type Entry, ruleOf, type State, settingsOf } from "./state.ts";
import { STRINGS } from "./strings.ts";
import type { Workers } from "./workers.ts";

/** Cells along the rate and the other hyperparameter, one map after the other. */
const SIZES = [
  [24, 12],
  [64, 36],
] as const;
const [LEFT, BOTTOM] = [52, 34];

interface Cells {
  readonly columns: number;
  readonly rows: number;
  /** From the top: how far down the run came, 0 all the way to 1 not at all; NaN where it diverged. */
  readonly left: Float32Array;
  /** Where the run ended lowest. */
  readonly best: number;
}

export interface RateMapActions {
  /** Another hyperparameter was chosen: show it again. */
  again(): void;
  set(rate: number, name: string | null, value: number): void;
}

export class RateMap {
  readonly element: HTMLElement;
  private readonly canvas = element("canvas", { class: "rate-map", tabindex: 0, role: "img" });
  private readonly told = element("p", { class: "hint" });
  private readonly heading = element("h2");
  private readonly choice: HTMLElement = element("span");
  private cells: Cells | null = null;
  private key = "";
  private other: string | null = null;
  private limit: number | null = null;

  constructor(
    private readonly actions: RateMapActions,
    private readonly workers: Workers,
  ) {
    const best = element("button", { type: "button", class: "text-button" }, STRINGS.setBest);
    best.addEventListener("click", () => this.setBest());
    this.element = element(
      "section",
      { class: "rate-panel", "aria-label": STRINGS.rateMap },
      this.heading,
      this.choice,
      this.canvas,
      element("div", { class: "line-of" }, this.told, best),
    );
    this.canvas.addEventListener("click", (event) => {
      const frame = this.canvas.getBoundingClientRect();
      this.pick(
        (event.clientX - frame.left - LEFT) / (frame.width - LEFT),
        1 - (event.clientY - frame.top) / (frame.height - BOTTOM),
      );
    });
    this.canvas.addEventListener("keydown", (event) => this.move(event));
  }

  private entry: Entry | null = null;
  private rule: Rule | null = null;

  /** Show the map for the rule looked at; it is computed when something that counts has changed. */
  show(problem: Problem, state: State, { palette, runs }: Scene): void {
    const entry = state.entries[state.active];
    const rule = entry && ruleOf(entry.rule, entry.convention);
    this.entry = entry ?? null;
    this.rule = rule ?? null;
    if (!entry || !rule) return;
    const others = numeric(rule);
    if (!others.some(({ name }) => name === this.other)) this.other = others[0]?.name ?? null;
    const { [this.other ?? ""]: _, ...values } = entry.values;
    const start = state.starts[state.activeStart]!;
    const key = JSON.stringify([
      state.formula,
      start,
      entry.rule,
      entry.convention,
      values,
      this.other,
      state.steps,
      state.gradient,
      state.noise,
    ]);
    if (key !== this.key) {
      this.key = key;
      this.cells = null;
      this.heading.textContent = STRINGS.rateMapOf(titleOf(entry));
      this.choose(others);
      this.limit = null;
      void this.compute(problem, state, entry, rule, key);
    }
    const looked = runs.find(
      ({ entry: index, start: number }) => index === state.active && number === state.activeStart,
    );
    this.limit = looked ? limitOf(problem, rule, looked.run.x.slice(-problem.dimension)) : null;
    this.palette = palette;
    this.draw(palette);
  }

  private palette: Palette | null = null;

  private choose(others: readonly Hyperparameter[]): void {
    if (others.length < 2) {
      this.choice.replaceChildren();
      return;
    }
    const made = select(
      STRINGS.other,
      others.map(({ name }) => [name, name.replaceAll("_", " ")] as const),
      (name) => {
        this.other = name;
        this.actions.again();
      },
    );
    made.value = this.other!;
    this.choice.replaceChildren(made);
  }

  private async compute(problem: Problem, state: State, entry: Entry, rule: Rule, key: string): Promise<void> {
    const { workers } = this;
    workers.forget();
    const start = Float64Array.from(state.starts[state.activeStart]!);
    const lowest = Math.min(...problem.minima.map((point) => problem.compiled.value(Float64Array.from(point))));
    for (const [columns, full] of SIZES) {
      const rows = this.other === null ? 1 : full;
      const settings = Array.from({ length: columns * rows }, (_, cell) => {
        const [across, up] = [((cell % columns) + 0.5) / columns, 1 - (Math.floor(cell / columns) + 0.5) / rows];
        return settingsOf(this.at(entry, rule, across, up), state);
      });
      const share = Math.ceil(settings.length / workers.count);
      const jobs = Array.from(
        { length: workers.count },
        (_, k): SettingsJob => ({
          kind: "settings",
          formula: problem.formula,
          settings: settings.slice(k * share, (k + 1) * share),
          start,
          target: Number.NEGATIVE_INFINITY,
        }),
      );
      const ends = await Promise.all(jobs.map((job) => workers.ask(job)));
      if (key !== this.key || ends.includes(null)) return;
      const values = ends.flatMap((part) => Array.from(part!.value));
      this.cells = {
        columns,
        rows,
        left: shares(values, problem.compiled.value(start), lowest),
        best: lowestAt(values),
      };
      if (this.palette) this.draw(this.palette);
    }
  }

  /** The entry with the settings at a place of the map, 0 to 1 across and up. */
  private at(entry: Entry, rule: Rule, across: number, up: number): Entry {
    const rate = spreadOf(rule.rate).value(clamp(across, 0, 1));
    const other = rule.hyperparameters.find(({ name }) => name === this.other);
    if (!other) return { ...entry, rate };
    return { ...entry, rate, values: { ...entry.values, [other.name]: spreadOf(other).value(clamp(up, 0, 1)) } };
  }

  private pick(across: number, up: number): void {
    if (!this.entry || !this.rule || across < 0 || up < 0) return;
    const { rate, values } = this.at(this.entry, this.rule, across, up);
    this.actions.set(rate as number, this.other, Number(values[this.other ?? ""]));
  }

  private move(event: KeyboardEvent): void {
    const way = arrowOf(event);
    if (!way || !this.entry || !this.rule) return;
    event.preventDefault();
    const [across, up] = this.here(this.entry, this.rule);
    this.pick(clamp(across + way[0] / 64, 0, 1), clamp(up - way[1] / 36, 0, 1));
  }

  private here(entry: Entry, rule: Rule): [number, number] {
    const other = rule.hyperparameters.find(({ name }) => name === this.other);
    const across = typeof entry.rate === "number" ? spreadOf(rule.rate).way(entry.rate) : Number.NaN;
    return [across, other ? spreadOf(other).way(Number(entry.values[other.name] ?? other.default)) : 0.5];
  }

  private setBest(): void {
    if (!this.cells) return;
    const { columns, rows, best } = this.cells;
    this.pick(((best % columns) + 0.5) / columns, 1 - (Math.floor(best / columns) + 0.5) / rows);
  }

  private draw(palette: Palette): void {
    const { canvas, cells, entry, rule } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !entry || !rule) return;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const ink = canvas.getContext("2d")!;
    ink.scale(devicePixelRatio, devicePixelRatio);
    const [w, h] = [width - LEFT, height - BOTTOM];
    if (cells) {
      ink.imageSmoothingEnabled = false;
      ink.drawImage(cellPicture(cells, palette), LEFT, 0, w, h);
    }
    ink.font = FONT;
    ink.fillStyle = palette.faint;
    const other = rule.hyperparameters.find(({ name }) => name === this.other);
    ink.textAlign = "center";
    for (const way of [0.02, 0.26, 0.5, 0.74, 0.98])
      ink.fillText(typed(spreadOf(rule.rate).value(way), 2), LEFT + clamp(way, 0.05, 0.94) * w, h + 14);
    ink.fillText(`${plainSymbol(rule.rate.symbol)} ${STRINGS.rate}`, LEFT + w / 2, h + 29);
    ink.textAlign = "right";
    if (other) {
      for (const way of [0.04, 0.35, 0.65, 0.96])
        ink.fillText(typed(spreadOf(other).value(way), 3), LEFT - 5, (1 - way) * h + 4);
      ink.save();
      ink.translate(10, h / 2);
      ink.rotate(-Math.PI / 2);
      ink.textAlign = "center";
      ink.fillText(`${plainSymbol(other.symbol)} ${other.name.replaceAll("_", " ")}`, 0, 2);
      ink.restore();
    }
    this.mark(ink, entry, rule, w, h, palette);
  }

  private drawLimit(
    ink: CanvasRenderingContext2D,
    rule: Rule,
    w: number,
    h: number,
    palette: Palette,
    limit: number,
  ): void {
    const other = rule.hyperparameters.find(({ name }) => name === this.other);
    ink.save();
    ink.beginPath();
    ink.rect(LEFT, 0, w, h);
    ink.clip();
    ink.beginPath();
    for (let k = 0; k <= 40; k++)
      ink.lineTo(LEFT + spreadOf(rule.rate).way(limitAt(rule, other, limit, k / 40)) * w, (1 - k / 40) * h);
    ink.strokeStyle = palette.arrows.gradient;
    ink.setLineDash([5, 4]);
    ink.lineWidth = 1.5;
    ink.stroke();
    ink.restore();
  }

  /** Where the present setting lies, and the theory's limit. */
  private mark(ink: CanvasRenderingContext2D, entry: Entry, rule: Rule, w: number, h: number, palette: Palette): void {
    const [across, up] = this.here(entry, rule);
    const [x, y] = [LEFT + across * w, (1 - up) * h];
    if (this.limit !== null) this.drawLimit(ink, rule, w, h, palette, this.limit);
    ink.beginPath();
    ink.arc(clamp(x, LEFT, LEFT + w), clamp(y, 0, h), 6, 0, 7);
    ink.lineWidth = 4;
    ink.strokeStyle = palette.rim;
    ink.stroke();
    ink.lineWidth = 2;
    ink.strokeStyle = palette.ink;
    ink.stroke();
    this.told.textContent = this.limit === null ? "" : STRINGS.limit(this.rule?.name === "momentum", this.limit);
    this.canvas.setAttribute("aria-label", STRINGS.rateMapLabel(shown(Number(entry.rate))));
  }
}

/** The rates beyond which a rule leaves a minimum: 2 / λ for gradient descent, 2 (1 + γ) / λ with momentum γ. */
function limitAt(rule: Rule, other: Hyperparameter | undefined, limit: number, up: number): number {
  return rule.name === "momentum" && other?.name === "momentum" ? limit * (1 + spreadOf(other).value(up)) : limit;
}

function numeric(rule: Rule): Hyperparameter[] {
  return rule.hyperparameters.filter(({ default: usual, choices }) => typeof usual === "number" && !choices);
}

/** How far down each run came between the start and the lowest end, by powers of ten: 0 the lowest, 1 none of it. */
function shares(values: readonly number[], first: number, known: number): Float32Array {
  const finite = values.filter(Number.isFinite);
  const lowest = Math.min(known, ...finite);
  const all = Math.max(first - lowest, Number.MIN_VALUE);
  return Float32Array.from(values, (value) => {
    if (!Number.isFinite(value) || value > first + 1e-9 * Math.abs(first)) return Number.NaN;
    return clamp(1 + Math.log10((value - lowest) / all) / 8, 0, 1);
  });
}

function lowestAt(values: readonly number[]): number {
  let best = 0;
  for (const [cell, value] of values.entries()) if (value < values[best]! || Number.isNaN(values[best]!)) best = cell;
  return best;
}

function cellPicture({ columns, rows, left }: Cells, palette: Palette): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const ink = canvas.getContext("2d")!;
  const image = ink.createImageData(columns, rows);
  const colours = ramp(palette.dark ? ["#9fdcff", "#2d6da3", "#1a2836"] : ["#0b4a78", "#6f9dc2", "#eaf0f5"], 256);
  for (const [cell, share] of left.entries()) {
    const at = 3 * Math.round(255 * share);
    const colour = Number.isNaN(share) ? (palette.dark ? [58, 40, 36] : [243, 226, 220]) : colours.subarray(at, at + 3);
    image.data.set([colour[0]!, colour[1]!, colour[2]!, 255], 4 * cell);
  }
  ink.putImageData(image, 0, 0);
  return canvas;
}

/** 2 over the largest curvature at the known minimum nearest to a run's end; null for rules without such a theory. */
function limitOf(problem: Problem, rule: Rule, end: Float64Array): number | null {
  const known =
    rule.name === "gradient_descent" || (rule.name === "momentum" && /^(paper|keras|optax)$/.test(rule.convention));
  if (!known) return null;
  const away = (point: readonly number[]) => Math.hypot(...point.map((value, i) => value - end[i]!));
  const [minimum] = [...problem.minima].sort((a, b) => away(a) - away(b));
  return minimum ? 2 / largestCurvature(problem, minimum) : null;
}

/** By power iteration on differences of gradients. */
function largestCurvature({ compiled, dimension: n }: Problem, at: readonly number[]): number {
  let v = Float64Array.from({ length: n }, (_, i) => 1 / (i + 1));
  let size = 0;
  const [ahead, behind] = [new Float64Array(n), new Float64Array(n)];
  const h = 1e-5;
  for (let round = 0; round < 60; round++) {
    const length = Math.hypot(...v);
    v = v.map((value) => value / length);
    compiled.valueAndGradient(
      v.map((value, i) => at[i]! + h * value),
      ahead,
    );
    compiled.valueAndGradient(
      v.map((value, i) => at[i]! - h * value),
      behind,
    );
    v = v.map((_, i) => (ahead[i]! - behind[i]!) / (2 * h));
    size = Math.hypot(...v);
  }
  return size;
}
