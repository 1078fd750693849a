// Numbers as text, and text as numbers.

/** A number for reading: so many digits, a true minus sign. */
export function shown(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return typed(value, digits).replace(/-/g, "−");
}

/** A point in words; names of any script keep their own direction. */
export function placed(names: readonly string[], point: readonly number[], digits = 3, between = ", "): string {
  return names.map((name, k) => `${isolated(name)} ${shown(point[k]!, digits)}`).join(between);
}

/** A name that cannot turn what stands beside it around: isolated where it may be written from right to left. */
const isolated = (name: string): string => (/[\u0590-\u08ff]/.test(name) ? `\u2068${name}\u2069` : name);

/** A number as it is typed: so many digits, without trailing zeros. */
export function typed(value: number, digits = 6): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e6) return String(Number(value.toPrecision(digits)));
  return Number(value.toPrecision(digits)).toExponential().replace("e+", "e");
}

/** The number that a text says; NaN for anything else. */
export function numberFrom(text: string): number {
  const plain = text.trim().replace(/−/g, "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}

/** Round numbers between two ends, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  if (!(last - first < 1000)) return [];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
