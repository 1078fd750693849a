// When runs end: the conditions, each with its number; added and removed.
import { chosenConditions, conditionOf, knownCondition, wordsOf } from "./conditions.ts";
import { element, iconButton, options } from "./dom.ts";
import { stoppingConditions } from "./generated.ts";
import type { Value } from "./rules.ts";
import type { StopSettings } from "./run.ts";
import { type Control, control } from "./slider.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

type Stop = State["stop"];

export class StoppingPanel {
  readonly element = element("div", { class: "stopping", role: "group", "aria-label": STRINGS.stop });
  private readonly rows = element("div");
  private readonly list = element("select", { "aria-label": STRINGS.addCondition });
  private controls: { readonly control: Control; of(stop: StopSettings): Value }[][] = [];
  private stop: Stop = [];
  private known: string | null = null;

  constructor(private readonly change: (stop: Stop, gesture: string | null) => void) {
    const always = stoppingConditions.find(({ name }) => name === "NotFinite")!;
    const label = element("span", { class: "name long", title: always.about }, STRINGS.stop);
    this.list.addEventListener("change", () => this.add(this.list.value));
    this.element.append(element("div", { class: "slider" }, label, this.list), this.rows);
  }

  show({ stop }: State): void {
    this.stop = stop;
    const names = stop.map(({ condition }) => condition).join();
    if (names !== this.known) this.build();
    this.known = names;
    for (const [index, controls] of this.controls.entries())
      for (const { control, of } of controls) control.show(of(stop[index]!));
  }

  private build(): void {
    const held = this.element.contains(document.activeElement);
    const left = chosenConditions.filter(({ name }) => !this.stop.some(({ condition }) => condition === name));
    const choices = left.map(({ name, about }) => [name, STRINGS.condition(wordsOf(name), about)] as const);
    this.list.replaceChildren(...options([["", STRINGS.addCondition], ...choices]));
    this.list.disabled = !left.length;
    this.controls = [];
    this.rows.replaceChildren(...this.stop.map((one, index) => this.row(one, index)));
    if (held) this.list.focus({ preventScroll: true });
  }

  private row(stop: StopSettings, index: number): HTMLElement {
    const { name, hyperparameters } = knownCondition(stop);
    const words = wordsOf(name);
    const made = hyperparameters.map((known) => ({
      control: control({ ...known, symbol: "", about: STRINGS.condition(words, known.about), name: words }, (value) =>
        this.set(index, known.name, value),
      ),
      of: ({ values }: StopSettings) => values[known.name] ?? known.default,
    }));
    this.controls.push(made);
    const remove = iconButton("remove", STRINGS.remove(words), () =>
      this.change(
        this.stop.filter((_, k) => k !== index),
        null,
      ),
    );
    return element("div", { class: "condition" }, ...made.map(({ control }) => control.element), remove);
  }

  private set(index: number, name: string, value: Value): void {
    const set = (one: StopSettings) => ({ ...one, values: { ...one.values, [name]: value } });
    this.change(
      this.stop.map((one, k) => (k === index ? set(one) : one)),
      `stop ${index} ${name}`,
    );
  }

  private add(name: string): void {
    const condition = chosenConditions.find((one) => one.name === name);
    if (condition) this.change([...this.stop, conditionOf(condition)], null);
  }
}
