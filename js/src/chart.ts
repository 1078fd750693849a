// A history of the runs: one number a row, on a linear or a logarithmic axis.
import { FONT } from "./axes.ts";
import { element } from "./dom.ts";
import { clamp, shown, ticks } from "./numbers.ts";
import { DASHES, type Palette } from "./palette.ts";
import type { Run } from "./run.ts";
import { type Path, rowAt, type Scene, type ShownRun, timeOf } from "./scene.ts";

/** Room for the ticks' numbers. */
const LEFT = 50;
const BOTTOM = 20;
const TOP = 8;
const RIGHT = 14;
/** Smaller numbers are drawn at the lower end of a logarithmic axis. */
const SMALLEST = 1e-16;

export type Quantity<R extends Path = Run> = (shown: ShownRun<R>, row: number) => number;

interface Scale {
  low: number;
  high: number;
  /** What is taken from the values before they are written. */
  base: number;
  log: boolean;
  last: number;
}

export class Chart {
  readonly element: HTMLElement;
  private readonly canvas = element("canvas", { class: "chart", role: "img" });
  private readonly caption = element("figcaption");
  private size: [number, number] = [0, 0];

  /** Arguments:
   *   scrub: called with the time that was clicked, a step or a part of one.
   */
  constructor(private readonly scrub: (time: number) => void) {
    this.element = element("figure", { class: "history" }, this.caption, this.canvas);
    let last = 0;
    const seek = (event: PointerEvent) => {
      const frame = this.canvas.getBoundingClientRect();
      const share = (event.clientX - frame.left - LEFT) / (frame.width - LEFT - RIGHT);
      this.scrub(clamp(share, 0, 1) * last);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      last = this.last;
      this.canvas.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) seek(event);
    });
  }

  private last = 1;

  /** Its size is measured when it is drawn next: by then the page stands as it will be seen. */
  resize(): void {
    this.size = [0, 0];
  }

  draw<R extends Path>(title: string, scene: Scene<R>, quantity: Quantity<R>): void {
    if (!this.size[0]) this.size = [this.canvas.clientWidth, this.canvas.clientHeight];
    const [width, height] = this.size;
    const density = devicePixelRatio;
    if (!width || !height) return;
    if (this.canvas.width !== Math.round(width * density) || this.canvas.height !== Math.round(height * density)) {
      this.canvas.width = Math.round(width * density);
      this.canvas.height = Math.round(height * density);
    }
    const ink = this.canvas.getContext("2d")!;
    ink.setTransform(density, 0, 0, density, 0, 0);
    ink.clearRect(0, 0, width, height);
    const rows = scene.runs.filter(({ start }) => start === scene.activeStart);
    const scale = scaleOf(rows, quantity);
    this.last = scale.last;
    const told = scale.base ? `${title} − ${shown(scale.base, 12)}` : title;
    if (this.caption.textContent !== told) {
      this.caption.textContent = told;
      this.canvas.setAttribute("aria-label", told);
    }
    drawFrame(ink, width, height, scale, scene.palette);
    const x = (step: number) => LEFT + (step / scale.last) * (width - LEFT - RIGHT);
    const y = upward(scale, height);
    ink.save();
    ink.beginPath();
    ink.rect(LEFT, 0, width - LEFT, height - BOTTOM + 4);
    ink.clip();
    if (scene.at !== null) {
      ink.fillStyle = scene.palette.faint;
      ink.fillRect(x(scene.at) - 0.5, TOP, 1, height - TOP - BOTTOM);
    }
    for (const shown of rows) drawRun(ink, shown, quantity, scene, x, y);
    ink.restore();
  }
}

function scaleOf<R extends Path>(rows: readonly ShownRun<R>[], quantity: Quantity<R>): Scale {
  let [low, high, least, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1];
  for (const shown of rows) {
    last = Math.max(last, timeOf(shown.run, shown.run.count));
    // What a run that diverges reaches would dwarf all others.
    const most = 1e3 * Math.max(1, Math.abs(quantity(shown, 0)));
    for (let row = 0; row <= shown.run.count; row++) {
      const value = quantity(shown, row);
      if (!(Math.abs(value) <= most)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
      if (value > 0 && value < least) least = value;
    }
  }
  if (low > high) return { low: 0, high: 1, base: 0, log: false, last };
  if (low >= 0 && high / Math.max(least, SMALLEST) > 50) {
    return { low: Math.max(least, SMALLEST), high: high * 1.5, base: 0, log: true, last };
  }
  const room = (high - low) * 0.06 || 1;
  return { low: low - room, high: high + room, base: baseOf(low - room, high + room), log: false, last };
}

/** A round number that is taken from values which differ by too little for a few digits; 0 from others. */
function baseOf(low: number, high: number): number {
  if (Math.max(Math.abs(low), Math.abs(high)) < 1000 * (high - low)) return 0;
  const unit = 10 ** (Math.ceil(Math.log10(high - low)) + 1);
  return Number((Math.round(low / unit) * unit).toPrecision(12));
}

function upward({ low, high, log }: Scale, height: number): (value: number) => number {
  const way = height - TOP - BOTTOM;
  if (!log) return (value) => TOP + ((high - value) / (high - low)) * way;
  const [bottom, top] = [Math.log(low), Math.log(high)];
  return (value) => TOP + ((top - Math.log(Math.max(value, low))) / (top - bottom)) * way;
}

function drawFrame(ink: CanvasRenderingContext2D, width: number, height: number, scale: Scale, palette: Palette): void {
  const y = upward(scale, height);
  ink.font = FONT;
  ink.fillStyle = palette.faint;
  ink.strokeStyle = palette.dark ? "#2a323c" : "#e4e8ec";
  ink.lineWidth = 1;
  ink.textAlign = "right";
  ink.textBaseline = "middle";
  const { low, high, base, log } = scale;
  for (const value of log ? decades(scale) : ticks(low - base, high - base, height / 45)) {
    const at = Math.round(y(base + value)) + 0.5;
    if (at > height - BOTTOM || at < TOP) continue;
    ink.beginPath();
    ink.moveTo(LEFT, at);
    ink.lineTo(width - RIGHT, at);
    ink.stroke();
    ink.fillText(log ? power(value) : shown(value), LEFT - 6, at);
  }
  ink.textAlign = "center";
  ink.textBaseline = "alphabetic";
  for (const step of ticks(0, scale.last, width / 80)) {
    if (step % 1) continue;
    ink.fillText(String(step), LEFT + (step / scale.last) * (width - LEFT - RIGHT), height - 5);
  }
}

function decades({ low, high }: Scale): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const every = Math.max(1, Math.ceil((last - first) / 5));
  return Array.from(
    { length: Math.max(0, Math.floor((last - first) / every) + 1) },
    (_, k) => 10 ** (first + k * every),
  );
}

function power(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -2 && exponent <= 3) return shown(value);
  const raised = [...String(Math.abs(exponent))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${raised}`;
}

function drawRun<R extends Path>(
  ink: CanvasRenderingContext2D,
  shown: ShownRun<R>,
  quantity: Quantity<R>,
  scene: Scene<R>,
  x: (step: number) => number,
  y: (value: number) => number,
): void {
  const path = new Path2D();
  for (let row = 0; row <= shown.run.count; row++) {
    const height = y(quantity(shown, row));
    if (!Number.isNaN(height)) path.lineTo(x(timeOf(shown.run, row)), clamp(height, -1e4, 1e4));
  }
  ink.strokeStyle = ink.fillStyle = scene.palette.runs[shown.look]!;
  ink.lineWidth = shown.entry === scene.active ? 2.2 : 1.6;
  ink.setLineDash(DASHES[shown.look] as number[]);
  ink.stroke(path);
  ink.setLineDash([]);
  const row = rowAt(shown.run, scene.at);
  ink.beginPath();
  ink.arc(x(timeOf(shown.run, row)), y(quantity(shown, row)), 3.5, 0, 7);
  ink.fill();
}
