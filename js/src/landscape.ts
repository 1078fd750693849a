// A function over a box, sampled for drawing: as shares of the height that is shown.
import type { Box } from "./view.ts";

/** How many bands a sampled landscape has. */
const BANDS = 20;

/** How a landscape stands as a surface. */
export interface Upright {
  /** What the heights are. */
  readonly name: string;
  /** The height of each grid point, from 0 to 1; NaN where there is none. */
  readonly heights: Float32Array;
  /** Heights with their values as text. */
  readonly ticks: readonly (readonly [number, string])[];
}

export interface Landscape {
  readonly box: Box;
  readonly columns: number;
  readonly rows: number;
  /** Rows from the top: 0 at the lowest value, 1 at the highest shown or above, NaN where there is none. */
  readonly share: Float32Array;
  readonly low: number;
  readonly high: number;
  /** Values rise as this power of the share, so that flat valleys show their shape as well as steep walls. */
  readonly bend: number;
  /** How many bands of colour there are, evenly over the shares. */
  readonly bands: number;
  /** Absent: its heights are the shares. */
  readonly upright?: Upright;
}

/** The share of the height at a value. */
export function shareOf({ low, high, bend }: Pick<Landscape, "low" | "high" | "bend">, value: number): number {
  if (Number.isNaN(value)) return value;
  return Math.min(1, Math.max(0, (value - low) / (high - low))) ** (1 / bend);
}

export function sample(f: (x: number, y: number) => number, box: Box, columns: number, rows: number): Landscape {
  const [left, right, bottom, top] = box;
  const values = new Float64Array(columns * rows);
  for (let j = 0, k = 0; j < rows; j++) {
    const y = top - ((top - bottom) * j) / (rows - 1);
    for (let i = 0; i < columns; i++, k++) values[k] = f(left + ((right - left) * i) / (columns - 1), y);
  }
  const sorted = values.filter(Number.isFinite).sort();
  const [low, high] = range(sorted);
  const middle = (sorted[sorted.length >> 1]! - low) / (high - low);
  const bend = Math.log(Math.min(1 / 2, Math.max(1 / 16, middle || 1 / 2))) / Math.log(1 / 2);
  const scale = { low, high, bend };
  const share = Float32Array.from(values, (value) => shareOf(scale, value));
  return { box, columns, rows, share, bands: BANDS, ...scale };
}

/** The lowest and highest value to show: the ends, unless poles or steep edges dwarf the rest. */
function range(sorted: Float64Array): [number, number] {
  if (!sorted.length) return [0, 1];
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const [low, high, lowest, highest] = [at(0.02), at(0.98), at(0), at(1)];
  const room = 3 * (high - low);
  const ends = room
    ? [lowest >= low - room ? lowest : low, highest <= high + room ? highest : high]
    : [lowest, highest];
  return ends[0]! < ends[1]! ? [ends[0]!, ends[1]!] : [ends[0]! - 0.5, ends[0]! + 0.5];
}
