// The field that a formula is typed into; what cannot be read is underlined, and told below.
import { element } from "./dom.ts";
import { landscapes } from "./generated.ts";
import { FormulaError } from "./grammar.ts";
import { select } from "./slider.ts";
import { STRINGS } from "./strings.ts";

const LONGEST = 10_000;

export class FormulaField {
  readonly element: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly mirror = element("div", { class: "mirror", "aria-hidden": "true" });
  private readonly problem = element("p", { id: "formula-problem", class: "problem", role: "alert" });
  private readonly reading = element("p", { class: "reading" });
  private readonly landscape: HTMLSelectElement;
  /** The formula that is shown: the last that could be read. */
  private known = "";

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
    this.element = element("div", { class: "formula-field" }, line, this.landscape, this.reading, this.problem);
  }

  /** Show a formula, and how it was understood where that is not as it is written. */
  show(formula: string, reading: string | null): void {
    this.reading.textContent = reading === null ? "" : STRINGS.reading(reading);
    // What is being typed is left alone, until something else is shown.
    if (formula !== this.known) {
      this.known = this.field.value = formula;
      this.tell(null);
    }
    this.landscape.value = landscapes.find((one) => one.formula === formula)?.name ?? "";
  }

  private take(): void {
    try {
      this.read(this.field.value);
      this.known = this.field.value;
      this.tell(null);
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      this.tell(error);
    }
  }

  private tell(error: FormulaError | null): void {
    this.field.setAttribute("aria-invalid", String(error !== null));
    this.mirror.replaceChildren();
    this.problem.replaceChildren();
    if (!error) return;
    const text = this.field.value;
    let from = 0;
    for (const { start, end } of [...error.faults].sort((a, b) => a.start - b.start)) {
      if (start < from) continue;
      const to = Math.max(start + 1, end);
      this.mirror.append(text.slice(from, start));
      this.mirror.append(element("mark", {}, text.slice(start, to) || " "));
      from = to;
    }
    this.mirror.append(text.slice(from));
    this.mirror.scrollLeft = this.field.scrollLeft;
    for (const { start, end, problem } of error.faults) {
      const part = text.slice(start, end);
      const where = part && part.length < text.length ? [element("code", {}, part), ": "] : [];
      this.problem.append(element("span", {}, ...where, problem));
    }
  }
}
