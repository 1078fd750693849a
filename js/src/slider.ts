// A hyperparameter as a slider and a field to type into.
import { element, options } from "./dom.ts";
import type { Hyperparameter } from "./generated.ts";
import { clamp, numberFrom, typed } from "./numbers.ts";
import { STRINGS } from "./strings.ts";

type Known = Pick<Hyperparameter, "name" | "symbol" | "default" | "low" | "high" | "log" | "whole">;

/** How a slider's way from 0 to 1 is spread over the values. */
export interface Spread {
  value(way: number): number;
  way(value: number): number;
}

export function spreadOf({ default: usual, low, high, log, whole }: Known): Spread {
  const middle = typeof usual === "number" && usual > 0 ? usual : 1e-2;
  if (log) {
    const least = Math.log10(Math.max(low > 0 ? low : 0, Math.min(1e-4, middle / 1e3)));
    const most = Math.log10(Math.min(high, Math.max(10, middle * 1e3)));
    return {
      value: (way) => Number((10 ** (least + way * (most - least))).toPrecision(3)),
      way: (value) => (Math.log10(value) - least) / (most - least),
    };
  }
  if (low === 0 && high === 1 && !whole && typeof usual === "number" && usual >= 0.5) {
    // A decay: what matters is how far it is from 1.
    return {
      value: (way) => Number((1 - 10 ** (-4 * way)).toFixed(way < 0.3 ? 2 : 5 - Math.round(2 - 2 * way))),
      way: (value) => -Math.log10(Math.max(1e-4, 1 - value)) / 4,
    };
  }
  const least = Number.isFinite(low) ? low : -4 * Math.max(1, Math.abs(Number(usual)));
  const most = Number.isFinite(high) ? high : Math.max(4 * Math.abs(Number(usual) || 0), whole ? 20 : 1);
  return {
    value: (way) => {
      const value = least + way * (most - least);
      return whole ? Math.round(value) : Number(value.toPrecision(3));
    },
    way: (value) => (value - least) / (most - least),
  };
}

/** Whether a value may be taken, and else what may. */
export function refusal({ low, high, log, whole }: Known, value: number): string | null {
  const positive = log && low <= 0;
  if (Number.isFinite(value) && (positive ? value > 0 : value >= low) && value <= high && !(whole && value % 1))
    return null;
  return STRINGS.allowed(positive ? 0 : low, high, positive, whole);
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
  known: Known,
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
