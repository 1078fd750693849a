// Play, pause, step, scrub.
import { element, iconButton, relabel } from "./dom.ts";
import { select } from "./slider.ts";
import { STRINGS } from "./strings.ts";

const SPEEDS = [2, 5, 10, 30, 60, 120, 300];

export class Transport {
  readonly element: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly range = element("input", { type: "range", min: 0, max: 1, step: 1, "aria-label": STRINGS.scrub });
  private readonly told = element("output", { class: "step" });
  /** Steps a second. */
  speed = 30;
  private last = 1;
  private at: number | null = null;
  private playing = 0;

  /** Arguments:
   *   seek: called with the step to show; null is the last.
   */
  constructor(private readonly seek: (at: number | null) => void) {
    this.button = iconButton("play", STRINGS.play, () => this.toggle());
    this.button.classList.add("primary");
    this.range.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.range.value));
    });
    const speed = select(
      STRINGS.speed,
      SPEEDS.map((steps) => [String(steps), STRINGS.perSecond(steps)] as const),
      (value) => {
        this.speed = Number(value);
      },
    );
    speed.value = String(this.speed);
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
    this.told.textContent = STRINGS.stepOf(step, last);
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
    let begun: number | null = null;
    let reached = -1;
    const frame = (time: number) => {
      begun ??= time;
      const step = from + Math.floor(((time - begun) / 1000) * this.speed);
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
