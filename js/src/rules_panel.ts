// The list of rules: which, by which convention, with which hyperparameters.
import { element, ICONS, icon, iconButton } from "./dom.ts";
import { rules } from "./generated.ts";
import { DASHES, type Palette } from "./palette.ts";
import { titleOf } from "./race.ts";
import type { Hyperparameter, Rule } from "./rules.ts";
import { type Slider, select, slider } from "./slider.ts";
import { type Entry, entryOf, freeLook, LIMITS, ruleOf, type State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** A short line in a run's colour and dashes. */
export function swatch(look: number, palette: Palette): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 30 10", class: "swatch", "aria-hidden": "true" })) {
    drawing.setAttribute(name, value);
  }
  const line = document.createElementNS(space, "path");
  const stroke = {
    d: "M1 5H29",
    stroke: palette.runs[look]!,
    "stroke-dasharray": DASHES[look]!.join(" "),
    "stroke-width": "3",
  };
  for (const [name, value] of Object.entries(stroke)) line.setAttribute(name, value);
  drawing.append(line);
  return drawing;
}

export interface RuleActions {
  change(entries: readonly Entry[], gesture: string | null): void;
  /** The slider was let go. */
  rest(): void;
  choose(entry: number): void;
  best(entry: number): void;
}

interface Card {
  element: HTMLElement;
  show(entry: Entry): void;
}

const names = [...new Map(rules.map(({ name, title }) => [name, title]))].sort((a, b) => a[1].localeCompare(b[1]));
const conventionsOf = (name: string) => rules.filter((rule) => rule.name === name).map(({ convention }) => convention);

export class RulesPanel {
  readonly element = element("section", { class: "rules", "aria-label": STRINGS.rules });
  private cards: Card[] = [];
  private known = "";
  private entries: readonly Entry[] = [];

  constructor(private readonly actions: RuleActions) {}

  show(state: State, palette: Palette): void {
    this.entries = state.entries;
    const structure = JSON.stringify([
      state.entries.map(({ rule, convention, look, hidden, rate }) => [rule, convention, look, hidden, typeof rate]),
      state.active,
      palette.dark,
    ]);
    if (structure !== this.known) this.build(state, palette);
    this.known = structure;
    for (const [index, card] of this.cards.entries()) card.show(state.entries[index]!);
  }

  private build(state: State, palette: Palette): void {
    const place = placeOfFocus(this.element);
    this.cards = state.entries.map((entry, index) => this.card(entry, index, index === state.active, palette));
    const add = element("button", { type: "button", class: "add" }, icon(ICONS.add), STRINGS.addRule);
    add.disabled = state.entries.length >= LIMITS.entries;
    add.addEventListener("click", () => this.add());
    this.element.replaceChildren(...this.cards.map((card) => card.element), add);
    focusAt(this.element, place);
  }

  private card(entry: Entry, index: number, active: boolean, palette: Palette): Card {
    const rule = ruleOf(entry.rule, entry.convention)!;
    const title = titleOf(entry);
    const name = select(STRINGS.rule, names, (chosen) => {
      const first = ruleOf(chosen, "paper") ?? ruleOf(chosen, conventionsOf(chosen)[0]!)!;
      this.replace(index, entryOf(first, entry.look));
      this.actions.best(index);
    });
    name.value = entry.rule;
    const conventions = conventionsOf(entry.rule);
    const convention = select(
      STRINGS.convention,
      conventions.map((one) => [one, one] as const),
      (chosen) => this.replace(index, { ...this.entries[index]!, convention: chosen }),
    );
    convention.value = entry.convention;
    convention.disabled = conventions.length < 2;
    convention.className = "convention";
    const choose = element("button", {
      type: "button",
      class: "plain",
      "aria-label": STRINGS.look(title),
      "aria-pressed": String(active),
    });
    choose.append(swatch(entry.look, palette));
    choose.addEventListener("click", () => this.actions.choose(index));
    const hide = iconButton(
      entry.hidden ? "hidden" : "eye",
      (entry.hidden ? STRINGS.unhide : STRINGS.hide)(title),
      () => this.replace(index, { ...this.entries[index]!, hidden: !entry.hidden }),
    );
    const remove = iconButton("remove", STRINGS.remove(title), () => this.remove(index));
    const head = element("div", { class: "head" }, choose, name, convention, hide, remove);
    const sliders = this.sliders(rule, entry, index, active);
    const made = element(
      "article",
      { class: `card${active ? " active" : ""}${entry.hidden ? " hidden-rule" : ""}`, "aria-label": title },
      head,
      ...sliders.map(([, { element }]) => element),
    );
    if (active) made.append(formulaOf(rule));
    made.addEventListener("pointerdown", (event) => {
      if (!active && !(event.target as Element).closest("button, select, input")) this.actions.choose(index);
    });
    return {
      element: made,
      show: (now) => {
        for (const [known, control] of sliders) {
          const value = known === rule.rate ? now.rate : (now.values[known.name] ?? known.default);
          if (typeof value === "number") control.show(value);
        }
      },
    };
  }

  /** The rate's slider, and for the rule looked at those of all its numbers. */
  private sliders(rule: Rule, entry: Entry, index: number, active: boolean): [Hyperparameter, Slider][] {
    const others = active ? rule.hyperparameters.filter(({ default: usual }) => typeof usual === "number") : [];
    return [...(typeof entry.rate === "number" ? [rule.rate] : []), ...others].map((known) => {
      const label = known.name.replaceAll("_", " ");
      const change = (value: number, settled: boolean) => {
        const now = this.entries[index]!;
        const next =
          known === rule.rate ? { ...now, rate: value } : { ...now, values: { ...now.values, [known.name]: value } };
        this.replace(index, next, `${index} ${known.name}`);
        if (settled) this.actions.rest();
      };
      const light = (touched: boolean) => {
        for (const symbol of this.element.querySelectorAll(`.active [data-hyperparameter="${known.name}"]`)) {
          symbol.classList.toggle("lit", touched);
        }
      };
      const made = slider(known, label, change, light);
      if (known === rule.rate) {
        made.element.children[1]!.after(iconButton("best", STRINGS.best, () => this.actions.best(index)));
      }
      return [known, made];
    });
  }

  private replace(index: number, entry: Entry, gesture: string | null = null): void {
    this.actions.change(
      this.entries.map((one, k) => (k === index ? entry : one)),
      gesture,
    );
  }

  private remove(index: number): void {
    this.actions.change(
      this.entries.filter((_, k) => k !== index),
      null,
    );
  }

  private add(): void {
    const taken = new Set(this.entries.map(({ rule }) => rule));
    const wished = ["nesterov", "adamw", "lion", "adagrad", "nadam", "rprop", "barzilai_borwein", "adam"];
    const name = wished.find((one) => !taken.has(one) && ruleOf(one, "paper")) ?? names[0]![0];
    const rule = ruleOf(name, "paper") ?? rules[0]!;
    const index = this.entries.length;
    this.actions.change([...this.entries, entryOf(rule, freeLook(this.entries))], null);
    this.actions.choose(index);
    this.actions.best(index);
  }
}

/** The rule's formula; its symbols are marked with their hyperparameters. */
function formulaOf(rule: Rule): HTMLElement {
  const made = element("div", { class: "formula-of", title: rule.paper });
  // Made by the library, without anything of the user's.
  made.innerHTML = rule.mathml;
  return element("div", { class: "about" }, made, element("p", { class: "paper" }, rule.paper));
}

/** Which of the controls has the keyboard, as its number. */
function placeOfFocus(host: HTMLElement): number {
  return [...host.querySelectorAll("button, select, input")].indexOf(document.activeElement as Element);
}

function focusAt(host: HTMLElement, place: number): void {
  if (place >= 0) host.querySelectorAll<HTMLElement>("button, select, input")[place]?.focus({ preventScroll: true });
}
