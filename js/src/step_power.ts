// Powers by the number of the step: rules need those of the same few numbers in each of their steps and runs.
import { power } from "./pow.ts";

// For how many numbers, and up to which step, powers are kept.
const KEPT = 8;
const LAST = 4096;

const bases = new Float64Array(KEPT).fill(Number.NaN);
// 0 where there is none yet.
const powers = Array.from({ length: KEPT }, () => new Float64Array(LAST + 1));
let oldest = 0;

/** base ** step, for a step that is a whole number at least 0. */
export function stepPower(base: number, step: number): number {
  if (step > LAST) return power(base, step);
  for (let k = 0; k < KEPT; k++) if (bases[k] === base) return powers[k]![step]! || kept(k, step);
  const place = oldest;
  oldest = (oldest + 1) % KEPT;
  bases[place] = base;
  powers[place]!.fill(0);
  return kept(place, step);
}

function kept(place: number, step: number): number {
  const found = power(bases[place]!, step);
  powers[place]![step] = found;
  return found;
}
