// Where two conventions of one rule part.
import { titleOf } from "./race.ts";
import type { ShownRun } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** Points this far apart, beside their size or 1, are no longer the same but for rounding. */
const ROUNDING = 1e-12;

/** In words, for the first two rules shown that differ in their convention alone; empty if there are none. */
export function partingOf(runs: readonly ShownRun[], { entries, activeStart }: State): string {
  const shown = runs.filter(({ start }) => start === activeStart);
  for (const [k, one] of shown.entries()) {
    const alike = ({ entry }: ShownRun) => entries[entry]!.rule === entries[one.entry]!.rule;
    const other = shown
      .slice(k + 1)
      .find((run) => alike(run) && entries[run.entry]!.convention !== entries[one.entry]!.convention);
    if (!other) continue;
    const { step, most } = apart(one.run.x, other.run.x, one.run.dimension);
    const names = [one, other].map(({ entry }) => titleOf(entries[entry]!)) as [string, string];
    return step === null ? STRINGS.together(...names) : STRINGS.parting(...names, step, most);
  }
  return "";
}

/** The first step after which two paths are apart, and how far at most. */
function apart(one: Float64Array, other: Float64Array, dimension: number): { step: number | null; most: number } {
  let step: number | null = null;
  let most = 0;
  for (let k = 0; k < Math.min(one.length, other.length); k++) {
    const distance = Math.abs(one[k]! - other[k]!);
    most = Math.max(most, distance);
    if (step === null && distance > ROUNDING * Math.max(1, Math.abs(one[k]!))) step = Math.floor(k / dimension);
  }
  return { step, most };
}
