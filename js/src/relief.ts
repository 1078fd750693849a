// A landscape as pixels: bands of colour, lit from the upper left.
import type { Landscape } from "./landscape.ts";
import { type Palette, ramp } from "./palette.ts";

const SHADES = 1024;

/** Draw the landscape on a canvas of its own, at the canvas's size. */
export function paintRelief(canvas: HTMLCanvasElement, land: Landscape, palette: Palette): void {
  const { width, height } = canvas;
  const ink = canvas.getContext("2d")!;
  const image = ink.createImageData(width, height);
  const colours = banded(palette, land.bands);
  const light = lit(land);
  const { share, columns, rows } = land;
  const missing = palette.dark ? 0x1b2129 : 0xe3e5e8;
  const pixels = image.data;
  const place = new Int32Array(width);
  const part = new Float32Array(width);
  for (let i = 0; i < width; i++) {
    const x = ((i + 0.5) / width) * (columns - 1);
    place[i] = Math.min(columns - 2, Math.floor(x));
    part[i] = x - place[i]!;
  }
  for (let j = 0, p = 0; j < height; j++) {
    const y = ((j + 0.5) / height) * (rows - 1);
    const row = Math.min(rows - 2, Math.floor(y));
    const v = y - row;
    for (let i = 0; i < width; i++, p += 4) {
      const k = row * columns + place[i]!;
      const u = part[i]!;
      const upper = share[k]! + u * (share[k + 1]! - share[k]!);
      const lower = share[k + columns]! + u * (share[k + columns + 1]! - share[k + columns]!);
      const t = upper + v * (lower - upper);
      pixels[p + 3] = 255;
      if (Number.isNaN(t)) {
        pixels[p] = missing >> 16;
        pixels[p + 1] = (missing >> 8) & 255;
        pixels[p + 2] = missing & 255;
        continue;
      }
      const above = light[k]! + u * (light[k + 1]! - light[k]!);
      const below = light[k + columns]! + u * (light[k + columns + 1]! - light[k + columns]!);
      const shade = above + v * (below - above);
      const c = 3 * ((t * (SHADES - 1)) | 0);
      pixels[p] = colours[c]! * shade;
      pixels[p + 1] = colours[c + 1]! * shade;
      pixels[p + 2] = colours[c + 2]! * shade;
    }
  }
  ink.putImageData(image, 0, 0);
}

/** The colours of the shares: steps from band to band, with a little slope in each. */
function banded(palette: Palette, bands: number): Uint8Array {
  const smooth = ramp(palette.heights, SHADES);
  return Uint8Array.from({ length: 3 * SHADES }, (_, k) => {
    const share = Math.floor(k / 3) / (SHADES - 1);
    const band = (Math.min(bands - 1, Math.floor(share * bands)) + 0.5) / bands;
    const at = Math.round((0.3 * share + 0.7 * band) * (SHADES - 1));
    return smooth[3 * at + (k % 3)]!;
  });
}

/** How bright each grid point is. */
function lit({ share, columns, rows }: Landscape): Float32Array {
  const light = new Float32Array(share.length);
  for (let j = 0, k = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++, k++) {
      const across = (share[k + (i < columns - 1 ? 1 : 0)]! - share[k - (i ? 1 : 0)]!) * columns;
      const down = (share[k + (j < rows - 1 ? columns : 0)]! - share[k - (j ? columns : 0)]!) * rows;
      const slope = (across + down) / Math.hypot(4, across, down);
      light[k] = Number.isNaN(slope) ? 1 : 1 + 0.05 * slope;
    }
  }
  return light;
}
