// The menu that keeps and shares what is shown.
import { copy } from "./copying.ts";
import { element, ICONS, icon } from "./dom.ts";
import { filmType } from "./film.ts";
import { STRINGS } from "./strings.ts";

export interface ShareActions {
  /** The texts to copy. */
  link(): string;
  python(): string;
  /** Files to keep. */
  png(): void;
  svg(): void;
  csv(): void;
  /** Why it cannot be; null if it is offered. */
  recipe(): string | null;
  /** Records a film and offers it; `told` is called with the share that is done. */
  film(told: (share: number) => void, cancelled: () => boolean): Promise<void>;
}

export class ShareMenu {
  readonly element: HTMLDetailsElement;
  private filming = false;
  private readonly told = element("output", { class: "hint" });

  constructor(actions: ShareActions) {
    const summary = element("summary", { class: "icon-button", "aria-label": STRINGS.share, title: STRINGS.share });
    summary.append(icon(ICONS.share));
    const item = (label: string, press: () => void) => {
      const made = element("button", { type: "button", class: "item" }, label);
      made.addEventListener("click", press);
      return made;
    };
    const film: HTMLButtonElement = item(STRINGS.film, () => void this.film(actions, film));
    const list = element(
      "div",
      { class: "menu" },
      item(STRINGS.copyLink, () => void copy(actions.link(), this.told)),
      item(STRINGS.copyPython, () => void copy(actions.python(), this.told)),
      item(STRINGS.png, () => actions.png()),
      item(STRINGS.svg, () => actions.svg()),
      item(STRINGS.csv, () => actions.csv()),
      item(STRINGS.recipe, () => {
        this.told.textContent = actions.recipe() ?? "";
      }),
      ...(filmType() ? [film] : []),
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

  /** Record a film; what was pressed says how far it is, and pressed again calls it off. */
  private async film(actions: ShareActions, item: HTMLButtonElement): Promise<void> {
    if (this.filming) {
      this.filming = false;
      return;
    }
    this.filming = true;
    const told = (share: number) => {
      item.textContent = STRINGS.filming(share);
    };
    try {
      await actions.film(told, () => !this.filming);
      this.told.textContent = this.filming ? "" : STRINGS.cancelled;
    } catch (error) {
      this.told.textContent = STRINGS.noFilm(String(error));
    }
    this.filming = false;
    item.textContent = STRINGS.film;
  }
}
