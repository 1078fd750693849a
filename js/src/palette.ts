// Colours of the figures, light and dark; runs also differ by their dashes.
import type { outcomes } from "./generated.ts";

export interface Palette {
  readonly dark: boolean;
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
  readonly rim: string;
  readonly line: string;
  readonly runs: readonly string[];
  readonly arrows: { readonly gradient: string; readonly step: string; readonly memory: string };
  /** The colours of a landscape from the lowest value to the highest. */
  readonly heights: readonly string[];
  /** The colours of minima, of which a basin map is made. */
  readonly basins: readonly string[];
  /** The colours of starts that do not arrive at a minimum, and that diverge. */
  readonly outside: readonly string[];
  /** The colours of how runs end, as in the library's heat maps; of those that are shaded, from the least to the most. */
  readonly outcomes: Readonly<Record<keyof typeof outcomes, readonly string[]>>;
}

const OUTCOMES = {
  converged: ["#b7d4ea", "#6aaed6", "#2e7ebc", "#08306b"],
  stuck: ["#cc79a7"],
  slow: ["#fffbd0", "#f0e442", "#c2b13c"],
  oscillating: ["#d55e00"],
  diverged: ["#666666"],
};

// The runs' colours are those of the library's own pictures: Okabe and Ito (2008), and colours visible on the ground.
export const LIGHT: Palette = {
  dark: false,
  ground: "#ffffff",
  ink: "#16202a",
  faint: "#5b6875",
  rim: "#ffffff",
  line: "#1d3b5628",
  runs: ["#000000", "#d55e00", "#0072b2", "#009e73", "#882255", "#332288", "#225522", "#222255"],
  arrows: { gradient: "#d55e00", step: "#000000", memory: "#882255" },
  heights: ["#6f9dc2", "#9dbdd8", "#c5d8e8", "#e1eaf2", "#f4f7fa"],
  basins: ["#8fb8de", "#f2c48d", "#a8d5ba", "#d8b4d8", "#f3e6a0", "#b8c4d0", "#e8a79b", "#b5d8d8"],
  outside: ["#e6e6e6", "#b9b9b9"],
  outcomes: OUTCOMES,
};

export const DARK: Palette = {
  dark: true,
  ground: "#12161c",
  ink: "#f2f2f2",
  faint: "#9aa7b4",
  rim: "#0d1218",
  line: "#9cc9f022",
  runs: ["#ffffff", "#ffa64d", "#7cc4ff", "#4fd1a5", "#ffff00", "#8cff9f", "#77c8d9", "#ffaa00"],
  arrows: { gradient: "#ffa64d", step: "#ffffff", memory: "#ff9edb" },
  heights: ["#2d6da3", "#235680", "#1b405f", "#162d42", "#131f2c"],
  basins: ["#2d6da3", "#8a5a1f", "#2c6b4c", "#6b3f73", "#7a6d24", "#4a5663", "#8a3f35", "#2f6f73"],
  outside: ["#3a3e44", "#14161a"],
  outcomes: OUTCOMES,
};

export const DASHES: readonly (readonly number[])[] = [
  [], [9, 4], [9, 3, 2, 3], [2, 3], [12, 3, 3, 3, 3, 3], [14, 5], [4, 2], [8, 2, 2, 2, 2, 2, 2, 2],
]; // biome-ignore format: a table

/** The three numbers of a colour such as #d55e00. */
export function numbersOf(colour: string): [number, number, number] {
  const whole = Number.parseInt(colour.slice(1, 7), 16);
  return [whole >> 16, (whole >> 8) & 255, whole & 255];
}

/** `count` colours between some, evenly, as numbers in rows of three. */
export function ramp(stops: readonly string[], count: number): Uint8Array {
  const ends = stops.map(numbersOf);
  return Uint8Array.from({ length: 3 * count }, (_, k) => {
    const place = (Math.floor(k / 3) / (count - 1)) * (ends.length - 1);
    const first = Math.min(ends.length - 2, Math.floor(place));
    const [a, b] = [ends[first]![k % 3]!, ends[first + 1]![k % 3]!];
    return Math.round(a + (b - a) * (place - first));
  });
}
