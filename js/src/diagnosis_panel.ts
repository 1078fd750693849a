// What Python finds wrong with the run looked at, and its remedies, each set with a press.
import { element } from "./dom.ts";
import { fragmentOf } from "./fragment.ts";
import type { Answer, Host } from "./host.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

interface Finding {
  readonly title: string;
  readonly evidence: string;
  readonly remark: boolean;
  /** The remedy in words, and as the rule that a link says, where it is one. */
  readonly remedy?: string;
  readonly rule?: string;
}

/** Milliseconds without a change. */
const REST = 500;

export class DiagnosisPanel {
  readonly element = element("section", {
    class: "diagnosis card",
    "aria-label": STRINGS.diagnosis,
    "aria-live": "polite",
  });
  private known = "";
  private waiting = 0;

  /** Arguments:
   *   apply: called with the rule to set, as a link says it.
   */
  constructor(
    private readonly host: Host,
    private readonly apply: (rule: string) => void,
  ) {
    this.element.hidden = true;
  }

  /** Bring the findings up to the state, once it has come to rest. */
  show(state: State): void {
    // Where one looks changes nothing.
    const link = fragmentOf({ ...state, at: null, view: "map", basins: false, panel: "histories" });
    if (link === this.known) return;
    this.known = link;
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.host.ask("diagnosis", { link }, (answer) => this.take(answer)), REST);
  }

  private take({ error, findings }: Answer): void {
    const found = error === undefined ? (findings as readonly Finding[]) : [];
    this.element.hidden = !found.length;
    this.element.replaceChildren(element("h2", {}, STRINGS.diagnosis), ...found.map((finding) => this.told(finding)));
  }

  private told({ title, evidence, remark, remedy, rule }: Finding): HTMLElement {
    const made = element("div", { class: remark ? "finding remark" : "finding" });
    made.append(element("strong", {}, title), element("p", {}, evidence));
    if (remedy !== undefined && rule !== undefined) {
      const press = element("button", { type: "button", class: "text-button" }, STRINGS.apply(remedy));
      press.addEventListener("click", () => this.apply(rule));
      made.append(press);
    }
    return made;
  }
}
