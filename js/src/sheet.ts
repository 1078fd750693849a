// A picture with what it shows written under it: the formula, the step, and the rules in their colours.
import { DASHES } from "./palette.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import type { Scene } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** In pixels of the screen: the margin, the height of a line, the length of a rule's dash. */
const [MARGIN, LINE, DASH] = [12, 22, 28];
const FONT = "13px system-ui, -apple-system, 'Segoe UI', sans-serif";

/** A canvas with the picture and its caption.
 *
 * Arguments:
 *   last: the number of the last step.
 */
export function sheetOf(
  picture: HTMLCanvasElement,
  problem: Problem,
  state: State,
  scene: Scene,
  last: number,
): HTMLCanvasElement {
  const sheet = document.createElement("canvas");
  const ink = sheet.getContext("2d")!;
  const width = picture.width / devicePixelRatio;
  const height = picture.height / devicePixelRatio;
  ink.font = FONT;
  const legend = legendOf(ink, state, width);
  const rows = 1 + Math.max(0, ...legend.map(({ row }) => row + 1));
  // Films need even numbers.
  sheet.width = even(picture.width);
  sheet.height = even((height + 2 * MARGIN + rows * LINE) * devicePixelRatio);
  ink.fillStyle = scene.palette.ground;
  ink.fillRect(0, 0, sheet.width, sheet.height);
  ink.drawImage(picture, 0, 0);
  ink.scale(devicePixelRatio, devicePixelRatio);
  ink.font = FONT;
  ink.textBaseline = "middle";
  const middle = (row: number) => height + MARGIN + (row + 0.5) * LINE;
  const told = STRINGS.stepOf(scene.at ?? last, last);
  const room = width - 3 * MARGIN - ink.measureText(told).width;
  ink.fillStyle = scene.palette.faint;
  ink.fillText(cut(ink, problem.compiled.text, room), MARGIN, middle(0));
  ink.textAlign = "right";
  ink.fillText(told, width - MARGIN, middle(0));
  ink.textAlign = "left";
  for (const { title, look, x, row } of legend) {
    ink.strokeStyle = scene.palette.runs[look]!;
    ink.lineWidth = 3;
    ink.setLineDash([...DASHES[look]!]);
    ink.beginPath();
    ink.moveTo(x, middle(row + 1));
    ink.lineTo(x + DASH, middle(row + 1));
    ink.stroke();
    ink.fillStyle = scene.palette.ink;
    ink.fillText(title, x + DASH + 6, middle(row + 1));
  }
  return sheet;
}

/** The rules one after another, in as many rows as they need. */
function legendOf(ink: CanvasRenderingContext2D, { entries }: State, width: number) {
  let [x, row] = [MARGIN, 0];
  return entries
    .filter(({ hidden }) => !hidden)
    .map((entry) => {
      const title = titleOf(entry);
      const taken = DASH + 6 + ink.measureText(title).width;
      if (x > MARGIN && x + taken > width - MARGIN) [x, row] = [MARGIN, row + 1];
      const place = { title, look: entry.look, x, row };
      x += taken + 20;
      return place;
    });
}

/** As much of a text as there is room for. */
function cut(ink: CanvasRenderingContext2D, text: string, room: number): string {
  if (ink.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 0 && ink.measureText(`${text.slice(0, length)}…`).width > room) length--;
  return `${text.slice(0, length)}…`;
}

const even = (pixels: number): number => 2 * Math.round(pixels / 2);
