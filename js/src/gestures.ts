// Mouse and touch on a figure: drag to pan, wheel or two fingers to zoom, click.

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
