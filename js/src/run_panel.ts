// How all rules are run: steps, gradient, noise, target, stopping conditions.
import { element } from "./dom.ts";
import { numberFrom, typed } from "./numbers.ts";
import type { Hyperparameter } from "./rules.ts";
import { type Control, select, slider } from "./slider.ts";
import { LIMITS, type State } from "./state.ts";
import { StoppingPanel } from "./stopping_panel.ts";
import { STRINGS } from "./strings.ts";

function quantity(name: string, low: number, high: number, known: Partial<Hyperparameter>): Hyperparameter {
  const { least = low, most = high, whole = false, symbol = "" } = known;
  const range = { allowed: STRINGS.between(least, most), least, most, leastOpen: false, mostOpen: false, whole };
  const usual = { about: "", default: low, low, high, log: true, origin: 0, choices: null, size: 1, optional: false };
  return { name, symbol, ...usual, ...range };
}

const STEPS = quantity("steps", 1, LIMITS.steps, { whole: true });
const SHIFT = quantity("shift", 1e-12, 1, { symbol: "<mi>h</mi>" });
const NOISE = quantity("noise", 1e-3, 1e3, { symbol: "<mi>σ</mi>", least: 0, most: 1e6 });

export class RunPanel {
  readonly element: HTMLElement;
  private readonly steps: Control;
  private readonly shift: Control;
  private readonly noise: Control;
  private readonly target = element("input", {
    type: "text",
    inputmode: "decimal",
    class: "number",
    autocomplete: "off",
    "aria-label": STRINGS.target,
  });
  private readonly stopping: StoppingPanel;
  private readonly kind: HTMLSelectElement;
  private readonly slow = element("p", { class: "hint" });
  private now: State | null = null;

  constructor(change: (part: Partial<State>, gesture: string | null) => void) {
    this.steps = slider(STEPS, STRINGS.steps, (steps) => change({ steps, at: null }, "steps"));
    this.shift = slider(SHIFT, STRINGS.shift, (step) => {
      const { gradient } = this.now!;
      if (gradient.kind === "perturbation") change({ gradient: { ...gradient, step } }, "shift");
    });
    this.noise = slider(NOISE, STRINGS.noise, (noise) => change({ noise }, "noise"));
    this.kind = select(
      STRINGS.gradient,
      [["exact", STRINGS.exact], ...Object.entries(STRINGS.difference)],
      (scheme) => {
        const step = this.now?.gradient.kind === "perturbation" ? shiftOf(this.now.gradient) : 0.1;
        change({ gradient: scheme === "exact" ? { kind: "exact" } : { kind: "perturbation", scheme, step } }, null);
      },
    );
    this.target.addEventListener("change", () => {
      const target = this.target.value.trim() ? numberFrom(this.target.value) : null;
      this.target.setAttribute("aria-invalid", String(Number.isNaN(target)));
      if (!Number.isNaN(target)) change({ target }, null);
    });
    this.stopping = new StoppingPanel((stop, gesture) => change({ stop }, gesture));
    const line = (label: string, control: HTMLElement) =>
      element("div", { class: "slider" }, element("span", { class: "name long" }, label), control);
    this.target.placeholder = STRINGS.none;
    this.element = element(
      "section",
      { class: "card", "aria-label": STRINGS.settings },
      this.steps.element,
      this.slow,
      line(STRINGS.gradient, this.kind),
      this.shift.element,
      this.noise.element,
      line(STRINGS.target, this.target),
      this.stopping.element,
    );
  }

  /** Arguments:
   *   made: the most steps that a run made.
   */
  show(state: State, made: number): void {
    this.now = state;
    this.slow.textContent = made < state.steps ? STRINGS.slow(made) : "";
    const { gradient } = state;
    this.steps.show(state.steps);
    this.stopping.show(state);
    this.noise.show(state.noise);
    this.kind.value = gradient.kind === "exact" ? "exact" : gradient.scheme;
    this.shift.element.hidden = gradient.kind === "exact";
    if (gradient.kind === "perturbation") this.shift.show(shiftOf(gradient));
    if (document.activeElement !== this.target) this.target.value = state.target === null ? "" : typed(state.target);
  }
}

const shiftOf = (gradient: Extract<State["gradient"], { kind: "perturbation" }>): number => gradient.step ?? 1e-6;
