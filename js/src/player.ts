// The page that plays recorded runs: what Python has recorded and drawn, in the explorer's figures.
import { Chart } from "./chart.ts";
import { element, iconButton } from "./dom.ts";
import { shown } from "./numbers.ts";
import { DARK, LIGHT, type Palette } from "./palette.ts";
import own from "./player.css";
import { column, type Given, type RecordedRun, runsOf } from "./recorded.ts";
import { RecordedFigure } from "./recorded_figure.ts";
import { RecordedLegend } from "./recorded_legend.ts";
import { rowAt, type Scene, timeOf, upTo } from "./scene.ts";
import { STRINGS } from "./strings.ts";
import css from "./style.css";
import { type Pace, Transport } from "./transport.ts";

/** Parts and multiples of the usual speed. */
const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4].map((factor) => [factor, STRINGS.times(factor)] as const);

class Player {
  readonly runs: readonly RecordedRun[];
  readonly figure: RecordedFigure;
  /** The times of all points. */
  private readonly times: Float64Array;
  private readonly hidden = new Set<number>();
  private readonly now = element("p", { id: "now", class: "now", role: "status" });
  private readonly transport: Transport;
  private readonly legend: RecordedLegend;
  private readonly charts: readonly [Chart, Chart];
  private readonly theme = iconButton("theme", "", () => this.turn(!this.dark));
  private dark: boolean;
  /** Which of the times is shown. */
  private at: number;

  constructor(
    private readonly root: HTMLElement,
    private readonly given: Given,
  ) {
    this.runs = runsOf(given);
    this.times = Float64Array.from(new Set(this.runs.flatMap(({ times }) => [...times]))).sort();
    this.at = this.times.length - 1;
    this.figure = new RecordedFigure(given, () => this.drawAll());
    this.transport = new Transport((at) => this.show(at ?? this.times.length - 1), this.pace());
    const flat = given.solid && !this.figure.surface ? [STRINGS.noSurface] : [];
    this.legend = new RecordedLegend(this.runs, given.symbol, [...given.remarks, ...flat], (index) => this.hide(index));
    const scrub = (time: number) => {
      this.transport.pause();
      this.show(Math.max(0, upTo(this.times, time) - 1));
    };
    this.charts = [new Chart(scrub), new Chart(scrub)];
    this.build();
    const system = matchMedia("(prefers-color-scheme: dark)");
    this.dark = given.dark || system.matches;
    system.addEventListener("change", () => {
      if (!this.isInside) this.turn(given.dark || system.matches);
    });
    addEventListener("message", (event) => this.meet(event));
    document.addEventListener("keydown", (event) => this.key(event));
    this.turn(this.dark);
  }

  /** Whether a notebook is around the page. */
  private isInside = false;

  /** Show one of the times. */
  show(at: number): void {
    this.at = Math.min(Math.max(at, 0), this.times.length - 1);
    this.draw();
  }

  /** By a film's clock, whose share of the whole rises from 0 to 1. */
  private pace(): Pace {
    const done = column(this.given.done);
    return {
      speeds: SPEEDS,
      usual: 1,
      after: (from, passed) => upTo(done, done[from]! + passed / this.given.seconds) - 1,
      told: (step) => STRINGS.moment(this.given.unit, this.times[step]!),
    };
  }

  private build(): void {
    const keys = this.figure.surface ? `${STRINGS.playerKeys} ${STRINGS.turnKeys}` : STRINGS.playerKeys;
    this.root.classList.add("player");
    this.root.append(
      element("style", {}, css, own),
      element("header", {}, element("h1", {}, this.given.title), this.theme),
      element(
        "main",
        {},
        element(
          "section",
          { class: "stage" },
          this.now,
          element("div", { class: "stage-figure" }, this.figure.element),
          this.transport.element,
        ),
        element(
          "section",
          { class: "side", "aria-label": STRINGS.legend },
          this.legend.element,
          element("div", { class: "charts" }, ...this.charts.map((chart) => chart.element)),
          element("p", { class: "hint keys" }, keys),
        ),
      ),
    );
  }

  private get palette(): Palette {
    const own = this.dark ? DARK : LIGHT;
    const bands = this.given.grid?.bands[this.dark ? "dark" : "light"];
    return bands ? { ...own, heights: bands } : own;
  }

  private get scene(): Scene<RecordedRun> {
    const { palette } = this;
    const isLast = this.at === this.times.length - 1;
    return {
      palette,
      names: this.given.names,
      axes: [0, 1],
      runs: this.runs
        .map((run, entry) => ({ run, entry, start: 0, look: run.number % palette.runs.length }))
        .filter(({ entry }) => !this.hidden.has(entry)),
      at: isLast ? null : this.times[this.at]!,
      active: -1,
      activeStart: 0,
      minima: [],
      arrows: [],
      graded: this.runs.length === 1,
    };
  }

  private drawAll(): void {
    for (const chart of this.charts) chart.resize();
    this.figure.drawGround(this.scene);
    this.draw();
  }

  private draw(): void {
    const { scene, given, runs } = this;
    this.transport.show(this.at, this.times.length - 1);
    this.figure.draw(scene);
    this.legend.show(this.hidden, scene.at, scene.palette);
    const [values, slopes] = this.charts;
    values.draw(given.symbol, scene, ({ run }, row) => run.value[row]!);
    slopes.draw(STRINGS.gradientNorm, scene, ({ run }, row) => run.gradientNorm[row]!);
    const [run] = runs;
    const row = rowAt(run!, scene.at);
    const told =
      runs.length > 1
        ? STRINGS.moment(given.unit, this.times[this.at]!)
        : `${run!.label} — ${STRINGS.moment(given.unit, timeOf(run!, row))}: ${given.symbol} = ${shown(run!.value[row]!, 5)}`;
    // Playing is too fast for readers of the screen.
    this.now.setAttribute("aria-live", this.transport.isPlaying ? "off" : "polite");
    this.now.textContent = told;
  }

  private hide(index: number): void {
    if (!this.hidden.delete(index)) this.hidden.add(index);
    this.draw();
  }

  /** Turn it dark or light. */
  private turn(dark: boolean): void {
    this.dark = dark;
    this.root.style.colorScheme = dark ? "dark" : "light";
    document.body.style.background = this.palette.ground;
    const label = STRINGS.changeColours(!dark);
    this.theme.setAttribute("aria-label", label);
    this.theme.title = label;
    this.drawAll();
  }

  private key(event: KeyboardEvent): void {
    const act = {
      " ": () => this.transport.toggle(),
      ArrowLeft: () => this.transport.step(-1),
      ArrowRight: () => this.transport.step(1),
      Home: () => this.transport.step(Number.NEGATIVE_INFINITY),
      End: () => this.transport.step(Number.POSITIVE_INFINITY),
    }[event.key];
    const target = event.target as Element;
    // Keys keep their meaning for what has the focus: space presses a button, arrows move through a list.
    const own = target.matches("select") || (event.key === " " && target.matches("button"));
    // A surface that has the focus has turned.
    if (!act || own || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  }

  /** In a notebook: dark if the text around is light, and as high as the content. */
  private meet({ source, data, ports: [notebook] }: MessageEvent): void {
    if (source !== parent || !notebook || typeof data !== "string") return;
    const [red, green, blue] = (data.match(/[\d.]+/g) ?? []).map(Number);
    this.isInside = true;
    this.root.classList.add("inside");
    this.turn(this.given.dark || red! + green! + blue! > 3 * 128);
    // A hidden frame may have no width yet, which makes the content too high; the observer calls when it has one.
    const tell = () => notebook.postMessage(innerWidth && this.root.offsetHeight);
    tell();
    new ResizeObserver(tell).observe(this.root);
  }
}

const given = JSON.parse(document.getElementById("data")!.textContent!) as Given;
Object.assign(window, { fallline: new Player(document.getElementById("fallline")!, given) });
