// A hyperparameter along a side of the rate map.
import { clamp } from "./numbers.ts";
import { isScaled, scaledTo, scaleOf } from "./rate_kinds.ts";
import type { Hyperparameter, Rule } from "./rules.ts";
import { plainSymbol, spreadOf } from "./slider.ts";
import { type Entry, RATE } from "./state.ts";

export class MapAxis {
  readonly name: string;
  private readonly spread;

  constructor(readonly known: Hyperparameter) {
    this.name = known.name;
    this.spread = spreadOf(known);
  }

  get symbol(): string {
    return plainSymbol(this.known.symbol);
  }

  get words(): string {
    return this.name.replaceAll(/[_.]/g, " ");
  }

  /** The value at a part of the way, from 0 to 1. */
  value(way: number): number {
    return this.spread.value(clamp(way, 0, 1));
  }

  /** The values in the middles of so many cells. */
  values(count: number): number[] {
    return Array.from({ length: count }, (_, k) => this.value((k + 0.5) / count));
  }

  /** The part of the way at which a value stands. */
  wayTo(value: number): number {
    return this.spread.way(value);
  }

  /** The value that a rule has; NaN if it has none. */
  of({ rate, values }: Entry): number {
    if (this.name === RATE) return isScaled(rate) ? scaleOf(rate) : Number.NaN;
    return Number(values[this.name] ?? this.known.default);
  }

  /** The rule with another value. */
  with(entry: Entry, value: number): Entry {
    if (this.name !== RATE) return { ...entry, values: { ...entry.values, [this.name]: value } };
    return { ...entry, rate: isScaled(entry.rate) ? scaledTo(entry.rate, value) : value };
  }
}

/** The hyperparameters of a rule that can stand along a side, its rate first. */
export function mapAxes(rule: Rule): MapAxis[] {
  const others = rule.hyperparameters.filter(({ default: usual, choices }) => typeof usual === "number" && !choices);
  return [rule.rate, ...others].map((known) => new MapAxis(known));
}
