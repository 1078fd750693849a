// The list of rules: which, by which convention, with which hyperparameters.
import { element, ICONS, icon, iconButton } from "./dom.ts";
import { knownRules } from "./known_rules.ts";
import { DASHES, type Palette } from "./palette.ts";
import { ruleTitle, titleOf } from "./race.ts";
import {
  isScaled,
  kindOf,
  rateAs,
  rateKinds,
  scaledTo,
  scaleOf,
  settingsOfRate,
  withRateSetting,
} from "./rate_kinds.ts";
import type { Hyperparameter, Rule, Value } from "./rules.ts";
import { type Control, control, select } from "./slider.ts";
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
  show(entry: Entry, problem: string): void;
}

/** A control, and what of an entry it shows. */
interface Shown {
  readonly control: Control;
  of(entry: Entry): Value;
}

const names = [...new Map(knownRules.map((rule) => [rule.name, ruleTitle(rule)]))].sort((a, b) =>
  a[1].localeCompare(b[1]),
);
const conventionsOf = (name: string) =>
  knownRules.filter((rule) => rule.name === name).map(({ convention }) => convention);

export class RulesPanel {
  readonly element = element("section", { class: "rules", "aria-label": STRINGS.rules });
  private cards: Card[] = [];
  private known = "";
  private entries: readonly Entry[] = [];
  private steps = 1;

  constructor(private readonly actions: RuleActions) {}

  /** Arguments:
   *   problems: why a rule cannot be run, by its number.
   */
  show(state: State, palette: Palette, problems: ReadonlyMap<number, string>): void {
    this.entries = state.entries;
    this.steps = state.steps;
    const structure = JSON.stringify([
      state.entries.map(({ rule, convention, look, hidden, rate }) => [rule, convention, look, hidden, kindOf(rate)]),
      state.active,
      palette.dark,
    ]);
    if (structure !== this.known) this.build(state, palette);
    this.known = structure;
    for (const [index, card] of this.cards.entries()) card.show(state.entries[index]!, problems.get(index) ?? "");
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
    const controls = this.controls(rule, entry, index, active);
    const problem = element("p", { class: "problem", role: "alert" });
    const made = element(
      "article",
      { class: `card${active ? " active" : ""}${entry.hidden ? " hidden-rule" : ""}`, "aria-label": title },
      head,
      ...controls.map(({ control }) => control.element),
      problem,
    );
    if (active) made.append(this.rateChoice(entry, index), formulaOf(rule));
    made.addEventListener("pointerdown", (event) => {
      if (!active && !(event.target as Element).closest("button, select, input")) this.actions.choose(index);
    });
    return {
      element: made,
      show: (now, wrong) => {
        for (const { control, of } of controls) control.show(of(now));
        problem.textContent = wrong;
      },
    };
  }

  /** The rate's controls, and for the rule looked at those of all its settings. */
  private controls(rule: Rule, entry: Entry, index: number, active: boolean): Shown[] {
    const made: Shown[] = [];
    const add = (known: Hyperparameter, of: Shown["of"], next: (now: Entry, value: Value) => Entry) => {
      const change = (value: Value, settled: boolean) => {
        this.replace(index, next(this.entries[index]!, value), `${index} ${known.name}`);
        if (settled) this.actions.rest();
      };
      const one = control(known, change, (touched) => this.light(known.name, touched));
      made.push({ control: one, of });
      return one.element;
    };
    if (isScaled(entry.rate)) {
      const scaled = add(
        rule.rate,
        ({ rate }) => scaleOf(rate),
        (now, value) => ({ ...now, rate: scaledTo(now.rate, Number(value)) }),
      );
      if (typeof entry.rate === "number") {
        scaled.children[2]!.after(iconButton("best", STRINGS.best, () => this.actions.best(index)));
      }
    }
    if (!active) return made;
    for (const known of settingsOfRate(entry.rate)) {
      add(
        known,
        ({ rate }) => (typeof rate === "number" ? null : (rate.values[known.name] ?? known.default)),
        (now, value) => ({
          ...now,
          rate: withRateSetting(now.rate, { [known.name]: value }),
        }),
      );
    }
    for (const known of rule.hyperparameters) {
      add(
        known,
        ({ values }) => values[known.name] ?? known.default,
        (now, value) => ({
          ...now,
          values: { ...now.values, [known.name]: value },
        }),
      );
    }
    return made;
  }

  /** How the rate is given: a number, a schedule or a line search. */
  private rateChoice(entry: Entry, index: number): HTMLElement {
    const kinds = select(STRINGS.rateKind, rateKinds(), (kind) => {
      const now = this.entries[index]!;
      this.replace(index, { ...now, rate: rateAs(kind, now.rate, this.steps) ?? now.rate });
    });
    kinds.value = kindOf(entry.rate);
    return element("div", { class: "slider" }, element("span", { class: "name long" }, STRINGS.rateKind), kinds);
  }

  /** Light the symbols of a setting in the formula. */
  private light(name: string, touched: boolean): void {
    for (const symbol of this.element.querySelectorAll(`.about [data-setting="${name}"]`))
      symbol.classList.toggle("lit", touched);
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
    const rule = ruleOf(name, "paper") ?? knownRules[0]!;
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
