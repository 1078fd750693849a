// A setting as a control: a number as a slider with a field to type into, the rest as a choice or a box to tick.
import { element, iconButton, options } from "./dom.ts";
import { clamp, numberFrom, typed } from "./numbers.ts";
import type { Hyperparameter, Value } from "./rules.ts";
import { STRINGS } from "./strings.ts";

/** How a slider's way from 0 to 1 is spread over the values. */
export interface Spread {
  value(way: number): number;
  way(value: number): number;
}

export function spreadOf({ low, high, log, whole, origin }: Hyperparameter): Spread {
  // On a logarithmic scale, that of the distance from the origin: of a momentum what counts is how far it is from 1.
  const to = (value: number) => (log ? Math.log10(Math.max(Math.abs(value - origin), Number.MIN_VALUE)) : value);
  const from = (place: number) => (log ? origin + (origin ? -1 : 1) * 10 ** place : place);
  const [least, most] = [to(low), to(high)];
  return {
    value: (way) => rounded(from(least + way * (most - least)), log ? origin : 0, whole),
    way: (value) => (to(value) - least) / (most - least),
  };
}

/** A value to so many digits of its distance from the origin as a slider can tell apart. */
function rounded(value: number, origin: number, whole: boolean): number {
  if (whole) return Math.round(value);
  return Number((origin + Number((value - origin).toPrecision(3))).toPrecision(12));
}

/** What may be taken, if a value may not. */
export function refusal(known: Hyperparameter, value: number): string | null {
  const { least, most, leastOpen, mostOpen, whole, allowed } = known;
  const inside = (leastOpen ? value > least : value >= least) && (mostOpen ? value < most : value <= most);
  return Number.isFinite(value) && inside && !(whole && value % 1) ? null : allowed;
}

/** The control of a setting. */
export interface Control {
  readonly element: HTMLElement;
  show(value: Value): void;
}

type Change = (value: Value, settled: boolean) => void;

/** Arguments:
 *   change: called with each value; `settled` when a slider is let go, or a value was typed or chosen.
 *   touch: called when it is touched and left, so that its symbol can be lit.
 */
export function control(known: Hyperparameter, change: Change, touch: (touched: boolean) => void = () => {}): Control {
  const label = known.name.replaceAll(/[_.]/g, " ");
  const made = known.choices
    ? choice(known, label, change)
    : known.size > 1
      ? listField(known, label, change)
      : known.optional
        ? optionalField(known, label, change)
        : slider(known, label, change);
  const row = made.element;
  row.addEventListener("pointerenter", () => touch(true));
  row.addEventListener("pointerleave", () => touch(row.contains(document.activeElement)));
  row.addEventListener("focusin", () => touch(true));
  row.addEventListener("focusout", () => touch(false));
  return made;
}

export function slider(
  known: Hyperparameter,
  label: string,
  change: (value: number, settled: boolean) => void,
): Control {
  const spread = spreadOf(known);
  const range = element("input", { type: "range", min: 0, max: 1, step: 0.002, "aria-label": label });
  const field = numberField(label);
  const problem = element("span", { class: "problem", role: "alert" });
  let value = Number(known.default);
  const show = (next: Value) => {
    value = Number(next);
    range.value = String(clamp(spread.way(value), 0, 1));
    range.setAttribute("aria-valuetext", typed(value));
    if (document.activeElement !== field) field.value = typed(value);
    problem.textContent = "";
    field.removeAttribute("aria-invalid");
  };
  const take = (next: number, settled: boolean) => {
    if (refusal(known, next) !== null) return;
    if (next === value && !settled) return;
    show(next);
    change(next, settled);
  };
  range.addEventListener("input", () => take(spread.value(Number(range.value)), false));
  range.addEventListener("change", () => take(spread.value(Number(range.value)), true));
  field.addEventListener("change", () => {
    const next = numberFrom(field.value);
    const wrong = refusal(known, next);
    problem.textContent = wrong ?? "";
    field.setAttribute("aria-invalid", String(wrong !== null));
    if (wrong === null) take(next, true);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    take(spread.value(clamp(spread.way(value) + (event.key === "ArrowUp" ? 0.01 : -0.01), 0, 1)), false);
    field.value = typed(value);
  });
  const sweep = iconButton("play", STRINGS.sweep(label), () =>
    sweeping(sweep, spread.way(value), (way) => take(spread.value(way), false)),
  );
  sweep.classList.add("sweep");
  return { element: row(known, label, range, sweep, field, problem), show };
}

/** Seconds in which a slider goes to its end and back. */
const SWEEP = 8;

/** Move a slider to and fro from where it is, until its button is pressed again or is gone. */
function sweeping(button: HTMLButtonElement, from: number, move: (way: number) => void): void {
  const running = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!running));
  if (running) return;
  let begun: number | null = null;
  const frame = (time: number) => {
    if (button.getAttribute("aria-pressed") !== "true" || !button.isConnected) return;
    begun ??= time;
    const phase = (from / 2 + (time - begun) / 1000 / SWEEP) % 1;
    move(1 - Math.abs(1 - 2 * phase));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function choice(known: Hyperparameter, label: string, change: Change): Control {
  if (typeof known.default === "boolean") {
    const box = element("input", { type: "checkbox", "aria-label": label });
    box.addEventListener("change", () => change(box.checked, true));
    return {
      element: row(known, label, box),
      show: (value) => {
        box.checked = value === true;
      },
    };
  }
  const list = select(
    label,
    known.choices!.map((one) => [String(one), String(one).replaceAll("_", " ")] as const),
    (text) => change(known.choices!.find((one) => String(one) === text)!, true),
  );
  return {
    element: row(known, label, list),
    show: (value) => {
      list.value = String(value);
    },
  };
}

/** A field for a list of numbers. */
function listField(known: Hyperparameter, label: string, change: Change): Control {
  const field = element("input", { type: "text", class: "number wide", autocomplete: "off", "aria-label": label });
  const problem = element("span", { class: "problem", role: "alert" });
  field.addEventListener("change", () => {
    const numbers = field.value
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map(numberFrom);
    const right =
      numbers.length > 0 && numbers.length <= known.size && numbers.every((one) => refusal(known, one) === null);
    problem.textContent = right ? "" : known.allowed;
    if (right) change(numbers, true);
  });
  return {
    element: row(known, label, field, problem),
    show: (value) => {
      if (document.activeElement !== field && Array.isArray(value))
        field.value = value.map((one) => typed(one)).join(", ");
    },
  };
}

/** A field for a number that may be left out. */
function optionalField(known: Hyperparameter, label: string, change: Change): Control {
  const field = numberField(label);
  field.placeholder = STRINGS.automatic;
  const problem = element("span", { class: "problem", role: "alert" });
  const tell = (wrong: string | null) => {
    problem.textContent = wrong ?? "";
    field.setAttribute("aria-invalid", String(wrong !== null));
  };
  field.addEventListener("change", () => {
    const value = field.value.trim() ? numberFrom(field.value) : null;
    const wrong = value === null ? null : refusal(known, value);
    tell(wrong);
    if (wrong === null) change(value, true);
  });
  return {
    element: row(known, label, field, problem),
    show: (value) => {
      if (document.activeElement === field) return;
      field.value = typeof value === "number" ? typed(value) : "";
      tell(null);
    },
  };
}

function numberField(label: string): HTMLInputElement {
  return element("input", {
    type: "text",
    inputmode: "decimal",
    class: "number",
    autocomplete: "off",
    "aria-label": STRINGS.typed(label),
  });
}

function row({ name, symbol, about }: Hyperparameter, label: string, ...parts: HTMLElement[]): HTMLElement {
  const named = element(
    "span",
    { class: "name", title: about },
    symbolOf(symbol),
    element("span", { class: "long" }, label),
  );
  return element("div", { class: "slider", "data-name": name }, named, ...parts);
}

/** A symbol, drawn by the browser from MathML that the library made. */
function symbolOf(symbol: string): HTMLElement {
  const made = element("span", { class: "symbol", "aria-hidden": "true" });
  if (symbol) made.innerHTML = `<math>${symbol}</math>`;
  return made;
}

/** The symbol as plain text. */
export function plainSymbol(symbol: string): string {
  return symbol.replace(/<[^>]*>/g, "");
}

/** A selection with a label for readers of the screen. */
export function select(
  label: string,
  pairs: Iterable<readonly [string, string]>,
  change: (value: string) => void,
): HTMLSelectElement {
  const made = element("select", { "aria-label": label, title: label }, ...options(pairs));
  made.addEventListener("change", () => change(made.value));
  return made;
}
