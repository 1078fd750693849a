// Ticks and names of axes, inside a figure's edges.
import { shown, ticks } from "./numbers.ts";
import type { Palette } from "./palette.ts";
import type { View } from "./view.ts";

export const FONT = "12px system-ui, sans-serif";
const NAME_FONT = `italic 15px ui-serif, "Times New Roman", serif`;

export function drawAxes(
  ink: CanvasRenderingContext2D,
  view: View,
  palette: Palette,
  [first, second]: readonly [string, string],
): void {
  const { width, height } = view;
  const [left, right, bottom, top] = view.box;
  ink.font = NAME_FONT;
  const named = ink.measureText(first).width;
  ink.font = FONT;
  ink.strokeStyle = palette.ink;
  ink.lineWidth = 1;
  ink.globalAlpha = 0.55;
  ink.beginPath();
  const across = ticks(left, right, width / 90).map((value) => ({ value, at: view.across(value) }));
  const up = ticks(bottom, top, height / 70).map((value) => ({ value, at: view.down(value) }));
  for (const { at } of across) ink.rect(Math.round(at), height - 5, 0.5, 5);
  for (const { at } of up) ink.rect(0, Math.round(at), 5, 0.5);
  ink.stroke();
  ink.globalAlpha = 1;
  ink.textAlign = "center";
  ink.textBaseline = "alphabetic";
  for (const { value, at } of across)
    if (at > 34 && at < width - named - 32) label(ink, shown(value), at, height - 9, palette);
  ink.textAlign = "left";
  ink.textBaseline = "middle";
  for (const { value, at } of up) if (at > 30 && at < height - 28) label(ink, shown(value), 9, at, palette);
  ink.font = NAME_FONT;
  ink.textAlign = "right";
  ink.textBaseline = "alphabetic";
  label(ink, first, width - 10, height - 9, palette);
  ink.textAlign = "left";
  ink.textBaseline = "top";
  label(ink, second, 9, 8, palette);
}

/** Text with a rim in the ground's colour, so that it can be read on anything. */
export function label(ink: CanvasRenderingContext2D, text: string, x: number, y: number, palette: Palette): void {
  ink.lineJoin = "round";
  ink.lineWidth = 3;
  ink.strokeStyle = palette.rim;
  ink.globalAlpha = 0.75;
  ink.strokeText(text, x, y);
  ink.globalAlpha = 1;
  ink.fillStyle = palette.ink;
  ink.fillText(text, x, y);
}
