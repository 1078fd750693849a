// Light, dark, or as the system has it; kept by the browser where it lets the page.
import { iconButton, relabel } from "./dom.ts";
import { DARK, LIGHT, type Palette } from "./palette.ts";
import { STRINGS } from "./strings.ts";

const CHOICES = ["system", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

const KEY = "fallline-theme";
const ICONS = { system: "theme", light: "light", dark: "dark" } as const;

export class Theme {
  readonly button: HTMLButtonElement;
  private choice: Choice = kept();

  /** Arguments:
   *   root: the element that is light or dark.
   *   changed: called when it becomes the other.
   */
  constructor(
    private readonly root: HTMLElement,
    changed: () => void,
  ) {
    this.button = iconButton("theme", "", () => {
      this.choice = CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length]!;
      keep(this.choice);
      this.show();
      changed();
    });
    this.show();
    for (const query of ["(prefers-color-scheme: dark)", "print"])
      matchMedia(query).addEventListener("change", changed);
  }

  get palette(): Palette {
    if (matchMedia("print").matches) return LIGHT;
    const dark = this.choice === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : this.choice === "dark";
    return dark ? DARK : LIGHT;
  }

  private show(): void {
    relabel(this.button, ICONS[this.choice], STRINGS.theme[this.choice]);
    this.root.dataset.theme = this.choice;
    // What of the window the page does not fill.
    document.documentElement.style.colorScheme = this.choice === "system" ? "" : this.choice;
  }
}

// A page in a frame, or from a file, may be refused the storage; then the choice lasts as long as the page.

function kept(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return CHOICES.find((one) => one === value) ?? "system";
  } catch {
    return "system";
  }
}

function keep(choice: Choice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // It is not kept.
  }
}
