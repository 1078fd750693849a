// A choice of what stands in one place.
import { element } from "./dom.ts";

export class Tabs<Name extends string> {
  readonly element: HTMLElement;
  private readonly buttons = new Map<Name, HTMLButtonElement>();

  constructor(label: string, names: Readonly<Record<Name, string>>, choose: (name: Name) => void) {
    this.element = element("div", { class: "choices tabs", role: "group", "aria-label": label });
    for (const [name, text] of Object.entries(names) as [Name, string][]) {
      const button = element("button", { type: "button", "aria-pressed": "false" }, text);
      button.addEventListener("click", () => choose(name));
      this.buttons.set(name, button);
      this.element.append(button);
    }
  }

  show(chosen: Name): void {
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(name === chosen));
  }
}
