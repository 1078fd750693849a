// The starts on a figure: buttons that are dragged, or moved by the arrow keys.
import { element } from "./dom.ts";
import { arrowOf } from "./gestures.ts";
import { STRINGS } from "./strings.ts";

export interface Handle {
  /** Where on the figure, in pixels. */
  x: number;
  y: number;
  /** What it is, for readers of the screen. */
  label: string;
  active: boolean;
}

export interface HandleActions {
  /** The handle was dragged to a pixel; `begun` with the first move of a drag. */
  move(index: number, x: number, y: number, begun: boolean): void;
  /** It was moved by so many pixels with a key. */
  nudge(index: number, across: number, down: number, begun: boolean): void;
  choose(index: number): void;
  remove(index: number): void;
}

export class Handles {
  readonly element = element("div", { class: "handles" });
  private readonly buttons: HTMLButtonElement[] = [];
  private shown: readonly Handle[] = [];

  constructor(private readonly actions: HandleActions) {}

  show(handles: readonly Handle[]): void {
    this.shown = handles;
    while (this.buttons.length < handles.length) this.add(this.buttons.length);
    for (const button of this.buttons.splice(handles.length)) button.remove();
    handles.forEach(({ x, y, label, active }, index) => {
      const button = this.buttons[index]!;
      button.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      button.classList.toggle("active", active);
      button.hidden = !Number.isFinite(x + y);
      if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
    });
  }

  /** Give the keyboard to a start. */
  focus(index: number): void {
    this.buttons[index]?.focus({ preventScroll: true });
  }

  private add(index: number): void {
    const button = element("button", { type: "button", class: "start", "aria-roledescription": STRINGS.startRole });
    this.buttons.push(button);
    this.element.append(button);
    let grip: [number, number] | null = null;
    let begun = false;
    button.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      button.setPointerCapture(event.pointerId);
      const { x, y } = this.shown[index]!;
      grip = [event.clientX - x, event.clientY - y];
      begun = true;
      this.actions.choose(index);
    });
    button.addEventListener("pointermove", (event) => {
      if (!grip) return;
      this.actions.move(index, event.clientX - grip[0], event.clientY - grip[1], begun);
      begun = false;
    });
    const release = () => {
      grip = null;
    };
    button.addEventListener("pointerup", release);
    button.addEventListener("pointercancel", release);
    button.addEventListener("focus", () => this.actions.choose(index));
    button.addEventListener("dblclick", () => this.actions.remove(index));
    button.addEventListener("keydown", (event) => {
      const direction = arrowOf(event);
      if (direction) {
        event.preventDefault();
        const pixels = event.shiftKey ? 20 : 2;
        this.actions.nudge(index, pixels * direction[0], pixels * direction[1], !event.repeat);
      } else if (event.key === "Delete" || event.key === "Backspace") {
        event.preventDefault();
        this.actions.remove(index);
      }
    });
  }
}
