// The field that a formula is typed into; what cannot be read is underlined, and told below.
import { FormulaError } from "./code.ts";
import { element } from "./dom.ts";
import { landscapes } from "./generated.ts";
import { select } from "./slider.ts";
import { STRINGS } from "./strings.ts";

const LONGEST = 10_000;

export class FormulaField {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly mirror = element("div", { class: "mirror", "aria-hidden": "true" });
  private readonly problem = element("p", { id: "formula-problem", class: "problem", role: "alert" });
  private readonly landscape: HTMLSelectElement;

  /** Arguments:
   *   read: called with the text while it is typed; throws a FormulaError.
   *   choose: called with the name of a landscape.
   */
  constructor(
    private readonly read: (text: string) => void,
    choose: (landscape: string) => void,
  ) {
    this.field = element("input", {
      type: "text",
      class: "formula",
      "aria-label": STRINGS.formulaLabel,
      "aria-describedby": "formula-problem",
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      maxlength: LONGEST,
      dir: "ltr",
    });
    this.field.addEventListener("input", () => this.take());
    this.field.addEventListener("scroll", () => {
      this.mirror.scrollLeft = this.field.scrollLeft;
    });
    this.landscape = select(
      STRINGS.landscape,
      [["", STRINGS.ownFormula], ...landscapes.map(({ name }) => [name, name.replaceAll("_", " ")] as const)],
      (name) => {
        if (name) choose(name);
      },
    );
    this.landscape.className = "landscape";
    const line = element("div", { class: "line" }, this.mirror, this.field);
    this.element = element("div", { class: "formula-field" }, line, this.landscape, this.problem);
  }

  show(formula: string): void {
    if (document.activeElement !== this.field || this.field.value.trim() !== formula) {
      this.field.value = formula;
      this.tell(null);
    }
    this.landscape.value = landscapes.find((one) => one.formula === formula)?.name ?? "";
  }

  /** Show a formula that cannot be read, and why. */
  refuse(formula: string, error: FormulaError): void {
    this.field.value = formula;
    this.tell(error);
  }

  private take(): void {
    try {
      this.read(this.field.value);
      this.tell(null);
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      this.tell(error);
    }
  }

  private tell(error: FormulaError | null): void {
    this.field.setAttribute("aria-invalid", String(error !== null));
    this.problem.textContent = error ? inShort(error.message) : "";
    const text = this.field.value;
    this.mirror.replaceChildren();
    if (!error) return;
    const end = Math.max(error.start + 1, error.end);
    this.mirror.append(text.slice(0, error.start), element("mark", {}, text.slice(error.start, end)), text.slice(end));
    this.mirror.scrollLeft = this.field.scrollLeft;
  }
}

/** A message without the formula, which stands above it. */
function inShort(message: string): string {
  const found = /^objective is .*?(?:which cannot be read at (.*?): |which |, an? )(.*)$/su.exec(message);
  return found ? (found[1] ? `${found[1]}: ${found[2]}` : found[2]!) : message;
}
