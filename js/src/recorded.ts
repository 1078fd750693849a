// Runs that Python has recorded, and the landscape or curve that they are on, as the page's data hold them.
import type { Landscape } from "./landscape.ts";
import type { Path } from "./scene.ts";
import type { Box } from "./view.ts";

/** Evenly spaced numbers, or little-endian arrays in base64. */
type Column =
  | { readonly from: number; readonly by: number; readonly count: number }
  | { readonly u2: string }
  | { readonly f4: string }
  | { readonly f8: string };

interface PathGiven {
  readonly label: string;
  /** How it ended. */
  readonly outcome: string;
  /** The number of its colour and marker. */
  readonly number: number;
  readonly times: Column;
  readonly x: Column;
  readonly y: Column;
  readonly value: Column;
  readonly gradient: Column;
  readonly rate: Column;
  readonly height?: Column;
}

/** What Python writes into the page. */
export interface Given {
  readonly title: string;
  /** The function's symbol, and the names of what is drawn across and upward. */
  readonly symbol: string;
  readonly names: readonly [string, string];
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly remarks: readonly string[];
  readonly unit: string;
  /** The share of the film that has passed at each time, and how long it plays at the usual speed. */
  readonly done: Column;
  readonly seconds: number;
  /** Whether it starts dark whatever the system is. */
  readonly dark: boolean;
  readonly paths: readonly PathGiven[];
  readonly curve?: { readonly x: Column; readonly y: Column };
  readonly grid?: {
    readonly columns: number;
    readonly rows: number;
    /** The ends of the bands of colour. */
    readonly bounds: readonly number[];
    /** The colours of the bands. */
    readonly bands: { readonly light: readonly string[]; readonly dark: readonly string[] };
    /** Rows from the bottom. */
    readonly codes: Column;
  };
  readonly solid?: {
    readonly name: string;
    readonly ticks: readonly (readonly [number, string])[];
    /** Azimuth and elevation. */
    readonly camera: readonly [number, number];
  };
}

/** A run: x holds its points in the plane, as they are drawn. */
export interface RecordedRun extends Path {
  readonly label: string;
  readonly outcome: string;
  readonly number: number;
  readonly times: Float64Array;
  readonly gradientNorm: Float64Array;
  readonly rate: Float64Array;
}

/** The code of a grid point without a value. */
const MISSING = 65535;

export function column(packed: Column): Float64Array {
  if ("by" in packed) return Float64Array.from({ length: packed.count }, (_, i) => packed.from + i * packed.by);
  const [kind, text] = Object.entries(packed)[0] as ["u2" | "f4" | "f8", string];
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Float64Array.from(new { u2: Uint16Array, f4: Float32Array, f8: Float64Array }[kind](bytes.buffer));
}

export function runsOf({ paths }: Given): RecordedRun[] {
  return paths.map(({ label, outcome, number, height, ...given }) => {
    const [across, up] = [column(given.x), column(given.y)];
    return {
      label,
      outcome,
      number,
      count: across.length - 1,
      dimension: 2,
      x: Float64Array.from({ length: 2 * across.length }, (_, k) => (k % 2 ? up : across)[k >> 1]!),
      value: column(given.value),
      gradientNorm: column(given.gradient),
      rate: column(given.rate),
      times: column(given.times),
      ...(height && { heights: column(height) }),
    };
  });
}

export const boxOf = ({ x, y }: Given): Box => [...x, ...y];

/** The landscape; null for a curve. */
export function landOf(given: Given): Landscape | null {
  const { grid, solid } = given;
  if (!grid) return null;
  const { columns, rows, bounds } = grid;
  const codes = column(grid.codes);
  const share = Float32Array.from(codes, (_, k) => {
    const code = codes[(rows - 1 - Math.floor(k / columns)) * columns + (k % columns)]!;
    return code === MISSING ? Number.NaN : code / (MISSING - 1);
  });
  const [low, high] = [bounds[0]!, bounds.at(-1)!];
  const land = { box: boxOf(given), columns, rows, share, low, high, bend: 1, bands: bounds.length - 1 };
  if (!solid) return land;
  const heights = share.map((level) => (valueAt(bounds, level) - low) / (high - low));
  return { ...land, upright: { name: solid.name, heights, ticks: solid.ticks } };
}

/** The value at a share of the bands. */
export function valueAt(bounds: readonly number[], share: number): number {
  const last = bounds.length - 1;
  const band = Math.min(Math.floor(share * last), last - 1);
  return bounds[band]! + (share * last - band) * (bounds[band + 1]! - bounds[band]!);
}

/** The share at a point, between those of the grid. */
export function shareAt({ box, columns, rows, share }: Landscape, x: number, y: number): number {
  const [left, right, bottom, top] = box;
  const u = Math.min(Math.max((x - left) / (right - left), 0), 1) * (columns - 1);
  const v = Math.min(Math.max((top - y) / (top - bottom), 0), 1) * (rows - 1);
  const [i, j] = [Math.min(Math.floor(u), columns - 2), Math.min(Math.floor(v), rows - 2)];
  const [s, t, k] = [u - i, v - j, j * columns + i];
  const above = share[k]! * (1 - s) + share[k + 1]! * s;
  const below = share[k + columns]! * (1 - s) + share[k + columns + 1]! * s;
  return above * (1 - t) + below * t;
}

/** The function of a curve, straight between its points; NaN beyond them. */
export function curveOf({ x, y }: NonNullable<Given["curve"]>): (x: number) => number {
  const [across, up] = [column(x), column(y)];
  const last = across.length - 1;
  const [left, right] = [across[0]!, across[last]!];
  return (at) => {
    const place = ((at - left) / (right - left)) * last;
    // A little beyond, for what rounding moves over the ends.
    if (!(place >= -1e-9 && place <= last + 1e-9)) return Number.NaN;
    const k = Math.min(Math.max(Math.floor(place), 0), last - 1);
    return up[k]! + (place - k) * (up[k + 1]! - up[k]!);
  };
}
