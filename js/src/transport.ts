// Play, pause, step, scrub.
import { element, iconButton, relabel } from "./dom.ts";
import { select } from "./slider.ts";
import { STRINGS } from "./strings.ts";

/** How fast it plays. */
export interface Pace {
  /** The speeds with their texts, and the one at first. */
  readonly speeds: readonly (readonly [number, string])[];
  readonly usual: number;
  /** The step to show when so many seconds, times the speed, have passed since another was shown. */
  after(from: number, passed: number): number;
  /** How a step is told. */
  told(step: number, last: number): string;
}

/** So many steps a second. */
const STEPWISE: Pace = {
  speeds: [2, 5, 10, 30, 60, 120, 300].map((steps) => [steps, STRINGS.perSecond(steps)]),
  usual: 30,
  after: (from, passed) => from + Math.floor(passed),
  told: STRINGS.stepOf,
};

export class Transport {
  readonly element: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly range = element("input", { type: "range", min: 0, max: 1, step: 1, "aria-label": STRINGS.scrub });
  private readonly told = element("output", { class: "step", "aria-live": "off" });
  /** Steps a second. */
  speed: number;
  private last = 1;
  private at: number | null = null;
  private playing = 0;

  /** Arguments:
   *   seek: called with the step to show; null is the last.
   */
  constructor(
    private readonly seek: (at: number | null) => void,
    private readonly pace = STEPWISE,
  ) {
    this.button = iconButton("play", STRINGS.play, () => this.toggle());
    this.button.classList.add("primary");
    this.range.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.range.value));
    });
    const speed = select(
      STRINGS.speed,
      pace.speeds.map(([factor, text]) => [String(factor), text] as const),
      (value) => {
        this.speed = Number(value);
      },
    );
    this.speed = pace.usual;
    speed.value = String(pace.usual);
    const first = iconButton("first", STRINGS.first, () => this.step(Number.NEGATIVE_INFINITY));
    const last = iconButton("last", STRINGS.last, () => this.step(Number.POSITIVE_INFINITY));
    for (const button of [first, last]) button.classList.add("edge");
    this.element = element(
      "div",
      { class: "transport", role: "group", "aria-label": STRINGS.playback },
      this.button,
      first,
      iconButton("back", STRINGS.back, () => this.step(-1)),
      iconButton("forward", STRINGS.forward, () => this.step(1)),
      last,
      this.range,
      this.told,
      speed,
    );
  }

  show(at: number | null, last: number): void {
    this.last = last;
    this.at = at === null ? null : Math.min(at, last);
    const step = this.at ?? last;
    this.range.max = String(last);
    this.range.value = String(step);
    const told = this.pace.told(step, last);
    this.told.textContent = told;
    this.range.setAttribute("aria-valuetext", told);
  }

  get isPlaying(): boolean {
    return this.playing !== 0;
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  step(by: number): void {
    this.pause();
    this.go((this.at ?? this.last) + by);
  }

  pause(): void {
    cancelAnimationFrame(this.playing);
    this.playing = 0;
    relabel(this.button, "play", STRINGS.play);
  }

  private play(): void {
    relabel(this.button, "pause", STRINGS.pause);
    const from = this.at === null || this.at >= this.last ? 0 : this.at;
    let before: number | null = null;
    let passed = 0;
    let reached = -1;
    const frame = (time: number) => {
      passed += ((time - (before ?? time)) / 1000) * this.speed;
      before = time;
      const step = this.pace.after(from, passed);
      this.playing = requestAnimationFrame(frame);
      if (step === reached) return;
      reached = step;
      this.go(step);
      if (step >= this.last) this.pause();
    };
    this.playing = requestAnimationFrame(frame);
  }

  private go(step: number): void {
    const at = Math.max(0, step);
    this.seek(at >= this.last ? null : at);
  }
}
