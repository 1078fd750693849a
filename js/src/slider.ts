// A hyperparameter as a slider and a field to type into.
import { element, options } from "./dom.ts";
import { clamp, numberFrom, typed } from "./numbers.ts";
import type { Hyperparameter } from "./rules.ts";
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
  const away = Number((value - origin).toPrecision(3));
  return Number((origin + away).toPrecision(12));
}

/** What may be taken, if a value may not. */
export function refusal(known: Hyperparameter, value: number): string | null {
  const { least, most, leastOpen, mostOpen, whole, allowed } = known;
  const inside = (leastOpen ? value > least : value >= least) && (mostOpen ? value < most : value <= most);
  return Number.isFinite(value) && inside && !(whole && value % 1) ? null : allowed;
}

export interface Slider {
  readonly element: HTMLElement;
  show(value: number): void;
}

/** Arguments:
 *   known: the hyperparameter.
 *   change: called with each value; `settled` when the slider is let go or a number was typed.
 *   touch: called when it is touched and left, so that its symbol can be lit.
 */
export function slider(
  known: Hyperparameter,
  label: string,
  change: (value: number, settled: boolean) => void,
  touch: (touched: boolean) => void = () => {},
): Slider {
  const spread = spreadOf(known);
  const range = element("input", { type: "range", min: 0, max: 1, step: 0.002, "aria-label": label });
  const field = element("input", {
    type: "text",
    inputmode: "decimal",
    class: "number",
    "aria-label": STRINGS.typed(label),
    autocomplete: "off",
  });
  const problem = element("span", { class: "problem", role: "alert" });
  const name = element("span", { class: "name", title: label });
  name.append(symbolText(known.symbol), element("span", { class: "long" }, label));
  const row = element("div", { class: "slider", "data-name": known.name }, name, range, field, problem);
  let value = Number(known.default);
  const show = (next: number) => {
    value = next;
    range.value = String(clamp(spread.way(next), 0, 1));
    range.setAttribute("aria-valuetext", typed(next));
    if (document.activeElement !== field) field.value = typed(next);
    problem.textContent = "";
    field.removeAttribute("aria-invalid");
  };
  const take = (settled: boolean) => {
    const next = spread.value(Number(range.value));
    if (next !== value && refusal(known, next) === null) {
      show(next);
      change(next, settled);
    } else if (settled) change(value, true);
  };
  range.addEventListener("input", () => take(false));
  range.addEventListener("change", () => take(true));
  field.addEventListener("change", () => {
    const next = numberFrom(field.value);
    const wrong = refusal(known, next);
    if (wrong !== null) {
      problem.textContent = wrong;
      field.setAttribute("aria-invalid", "true");
      return;
    }
    show(next);
    change(next, true);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const next = spread.value(clamp(spread.way(value) + (event.key === "ArrowUp" ? 0.01 : -0.01), 0, 1));
    if (refusal(known, next) !== null) return;
    show(next);
    field.value = typed(next);
    change(next, false);
  });
  for (const part of [row]) {
    part.addEventListener("pointerenter", () => touch(true));
    part.addEventListener("pointerleave", () => touch(row.contains(document.activeElement)));
    part.addEventListener("focusin", () => touch(true));
    part.addEventListener("focusout", () => touch(false));
  }
  return { element: row, show };
}

/** A symbol in italics, its index set lower: β_1. */
export function symbolText(symbol: string): HTMLElement {
  const [letter, index] = symbol.split("_", 2);
  const made = element("i", { class: "symbol", "aria-hidden": "true" }, letter ?? "");
  if (index) made.append(element("sub", {}, index.replace(/[{}]/g, "")));
  return made;
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
