// The power and the error function, which JavaScript has not, or not accurately enough, everywhere.

const floats = new Float64Array(1);
const words = new Uint32Array(floats.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0]!;
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** 1/5, 1/7, ..., of the inverse hyperbolic tangent. */
const ODD = Array.from({ length: 12 }, (_, i) => 1 / (2 * i + 5));
/** 1/3!, 1/4!, ..., of the exponential. */
const FACTORIALS = Array.from({ length: 12 }, (_, i) => {
  let factorial = 2;
  for (let k = 3; k <= i + 3; k++) factorial *= k;
  return 1 / factorial;
});

function polynomial(x: number, coefficients: readonly number[]): number {
  let result = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) result = result * x + coefficients[i]!;
  return result;
}

/** The rounding error of a product. Dekker, A floating-point technique for extending the available precision (1971). */
function lost(a: number, b: number, product: number): number {
  const s = 134217729 * a;
  const aHigh = s - (s - a);
  const aLow = a - aHigh;
  const t = 134217729 * b;
  const bHigh = t - (t - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** 2 to a whole power of a normal float. */
function twoTo(n: number): number {
  floats[0] = 0;
  words[HIGH] = (1023 + n) << 20;
  return floats[0];
}

/**
 * base ** exponent, as C and NumPy have it: e to the power exponent · log(base), computed with ten bits more than a
 * float has, as `power` of fallline.machine_code.elementary does.
 */
export function power(base: number, exponent: number): number {
  if (exponent === 0 || base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return 1;
  if (base < 0 && Number.isInteger(exponent)) return exponent % 2 ? -power(-base, exponent) : power(-base, exponent);
  const isUsual = base >= 2.2250738585072014e-308 && base < Number.POSITIVE_INFINITY && Math.abs(exponent) < 1e15;
  if (!isUsual) return base ** exponent;
  // base is m · 2ᵏ, and log m is 2 artanh s.
  floats[0] = base;
  let k = (words[HIGH]! >>> 20) - 1023;
  words[HIGH] = (words[HIGH]! & 0xfffff) | 0x3ff00000;
  let m = floats[0];
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const lower = 1 + m;
  const lowerLow = 1 - lower + m;
  const s = (m - 1) / lower;
  const q = s * lower;
  const sLow = (m - 1 - q - lost(s, lower, q) - s * lowerLow) / lower;
  const z = s * s;
  const zLow = lost(s, s, z) + 2 * s * sLow;
  const tail = polynomial(z, ODD);
  const zTail = z * tail;
  const w = 1 / 3 + zTail;
  const wLow = 1 / 3 - w + zTail + lost(z, tail, zTail) + zLow * tail + 1.850371707708594e-17;
  const p = z * w;
  const pLow = lost(z, w, p) + z * wLow + zLow * w;
  const u = s * p;
  const uLow = lost(s, p, u) + s * pLow + sLow * p;
  const half = s + u;
  const logM = 2 * half;
  const logMLow = 2 * (s - half + u + sLow + uLow);
  const whole = k * LN2_HIGH;
  const total = whole + logM;
  const ofM = total - whole;
  const error = whole - (total - ofM) + (logM - ofM) + (logMLow + k * LN2_LOW);
  const log = total + error;
  const logLow = total - log + error;
  // exponent · log(base), in two parts, and how far it is from n log 2.
  const high = exponent * log;
  if (!(high < 709 && high > -708)) return base ** exponent;
  const low = lost(exponent, log, high) + exponent * logLow;
  const n = Math.round(high / Math.LN2);
  const highPart = high - n * LN2_HIGH;
  const beyond = low - n * LN2_LOW;
  const r = highPart + beyond;
  const rLow = highPart - r + beyond;
  const square = r * r;
  const series = square * r * polynomial(r, FACTORIALS);
  const linear = 1 + r;
  const quadratic = linear + 0.5 * square;
  const rests = 1 - linear + r + (linear - quadratic + 0.5 * square) + 0.5 * lost(r, r, square);
  const result = quadratic + (series + (rLow * r + rLow) + rests);
  return n > -1022 && n < 1023 ? result * twoTo(n) : result * 2 ** n;
}

/** The error function: Kummer's series near 0, and farther out its complement, as a continued fraction. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size > 0)) return x;
  if (size >= 6) return Math.sign(x);
  const square = x * x;
  const bell = Math.exp(-square) * (1 - lost(x, x, square));
  if (size < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= square / (n + 0.5);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * bell * sum;
  }
  let below = size;
  for (let n = 60; n > 0; n--) below = size + n / 2 / below;
  return Math.sign(x) * (1 - bell / below / Math.sqrt(Math.PI));
}
