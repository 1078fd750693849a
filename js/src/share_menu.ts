// The menu that keeps and shares what is shown.
import { element, ICONS, icon } from "./dom.ts";
import { STRINGS } from "./strings.ts";

export interface ShareActions {
  /** The texts to copy. */
  link(): string;
  python(): string;
  /** Files to keep. */
  png(): void;
  svg(): void;
  csv(): void;
}

export class ShareMenu {
  readonly element: HTMLDetailsElement;
  private readonly told = element("output", { class: "hint" });

  constructor(actions: ShareActions) {
    const summary = element("summary", { class: "icon-button", "aria-label": STRINGS.share, title: STRINGS.share });
    summary.append(icon(ICONS.share));
    const item = (label: string, press: () => void) => {
      const made = element("button", { type: "button", class: "item" }, label);
      made.addEventListener("click", press);
      return made;
    };
    const list = element(
      "div",
      { class: "menu" },
      item(STRINGS.copyLink, () => void this.copy(actions.link())),
      item(STRINGS.copyPython, () => void this.copy(actions.python())),
      item(STRINGS.png, () => actions.png()),
      item(STRINGS.svg, () => actions.svg()),
      item(STRINGS.csv, () => actions.csv()),
      this.told,
    );
    this.element = element("details", { class: "share" }, summary, list);
    this.element.addEventListener("toggle", () => {
      this.told.textContent = "";
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.element.open = false;
      summary.focus();
    });
    this.element.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.element.contains(relatedTarget)) this.element.open = false;
    });
  }

  private async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.told.textContent = STRINGS.copied;
    } catch {
      // Where the browser keeps the clipboard from pages, the text is shown instead.
      const field = element("textarea", { readonly: true, rows: 8, "aria-label": STRINGS.toCopy });
      field.value = text;
      this.told.replaceChildren(field);
      field.select();
    }
  }
}
