// Mouse, touch and keys on a figure: drag or arrows to pan, wheel, two fingers or + and − to zoom, click or Enter.

export interface Gestures {
  /** The figure was dragged from (x, y) by so many pixels since the last call; `begun` at the first. */
  pan(across: number, down: number, begun: boolean): void;
  /** It was zoomed by a factor about a pixel. */
  zoom(factor: number, x: number, y: number): void;
  /** It was clicked at a pixel. */
  tap(x: number, y: number): void;
  /** The pointer is over a pixel, or has left. */
  hover(x: number, y: number): void;
  leave(): void;
}

/** A move of fewer pixels is a click. */
const CLICK = 5;

export function watchGestures(target: HTMLElement, on: Gestures): void {
  const down = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  let begun = false;
  const place = (event: MouseEvent) => {
    const frame = target.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    target.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    if (down.size === 1) travelled = 0;
    begun = false;
  });
  target.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    const now = place(event);
    if (!before) {
      on.hover(now.x, now.y);
      return;
    }
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled < CLICK) return;
    down.set(event.pointerId, now);
    if (other) {
      const apart = Math.hypot(now.x - other.x, now.y - other.y);
      if (apart > 8) {
        const factor = Math.hypot(before.x - other.x, before.y - other.y) / apart;
        on.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
        on.pan((now.x - before.x) / 2, (now.y - before.y) / 2, !begun);
      }
    } else on.pan(now.x - before.x, now.y - before.y, !begun);
    begun = true;
  });
  const up = (event: PointerEvent) => {
    if (!down.delete(event.pointerId)) return;
    const { x, y } = place(event);
    if (event.type === "pointerup" && travelled < CLICK && !down.size) on.tap(x, y);
  };
  target.addEventListener("pointerup", up);
  target.addEventListener("pointercancel", up);
  target.addEventListener("pointerleave", () => on.leave());
  target.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { x, y } = place(event);
      const lines = event.deltaMode ? 30 : 1;
      on.zoom(Math.exp(Math.max(-200, Math.min(200, event.deltaY * lines)) * 0.002), x, y);
    },
    { passive: false },
  );
}

export interface Keys {
  /** An arrow key: 1 or -1 across or down. */
  move(across: number, down: number): void;
  /** + or −: the factor of a zoom about the middle. */
  zoom(factor: number): void;
  /** Enter. */
  enter?(): void;
}

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const ZOOMS: Record<string, number> = { "+": 0.8, "=": 0.8, "-": 1.25 };

/** The way of an arrow key, 1 or -1 across and down; undefined for any other, or with Ctrl, Alt or the like. */
export function arrowOf({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): readonly [number, number] | undefined {
  return ctrlKey || metaKey || altKey ? undefined : ARROWS[key];
}

export function watchKeys(target: HTMLElement, on: Keys): void {
  target.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [way, factor] = [arrowOf(event), ZOOMS[event.key]];
    if (way) on.move(...way);
    else if (factor !== undefined) on.zoom(factor);
    else if (event.key === "Enter" && on.enter) on.enter();
    else return;
    event.preventDefault();
  });
}
