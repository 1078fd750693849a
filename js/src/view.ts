// What part of a plane a figure shows, and where its points fall on the figure.

/** The left, right, bottom and top end. */
export type Box = readonly [number, number, number, number];

/** A box drawn on so many pixels. */
export class View {
  constructor(
    readonly box: Box,
    readonly width: number,
    readonly height: number,
  ) {}

  across(x: number): number {
    const [left, right] = this.box;
    return ((x - left) / (right - left)) * this.width;
  }

  down(y: number): number {
    const [, , bottom, top] = this.box;
    return ((top - y) / (top - bottom)) * this.height;
  }

  /** The point of the plane at a pixel. */
  point(across: number, down: number): [number, number] {
    const [left, right, bottom, top] = this.box;
    return [left + (across / this.width) * (right - left), top - (down / this.height) * (top - bottom)];
  }

  /** What so many pixels are in the plane. */
  way(across: number, down: number): [number, number] {
    const [left, right, bottom, top] = this.box;
    return [(across / this.width) * (right - left), (-down / this.height) * (top - bottom)];
  }

  /** The box after a drag by so many pixels. */
  panned(across: number, down: number): Box {
    const [left, right, bottom, top] = this.box;
    const [dx, dy] = this.way(across, down);
    return [left - dx, right - dx, bottom - dy, top - dy];
  }

  /** The box enlarged by a factor about a pixel, which stays where it is. */
  zoomed(factor: number, across: number, down: number): Box {
    const [x, y] = this.point(across, down);
    const [left, right, bottom, top] = this.box;
    return [x + (left - x) * factor, x + (right - x) * factor, y + (bottom - y) * factor, y + (top - y) * factor];
  }
}

/** Whether numbers can be computed and told apart all over the box. */
export function usable([left, right, bottom, top]: Box): boolean {
  return wide(left, right) && wide(bottom, top);
}

function wide(low: number, high: number): boolean {
  const size = Math.max(Math.abs(low), Math.abs(high));
  return high - low > 1e-9 * size && high - low > 1e-12 && size < 1e12;
}
