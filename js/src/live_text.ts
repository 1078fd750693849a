// Says what happened, for readers of the screen, once it has come to rest.
import { element } from "./dom.ts";
import { placed } from "./numbers.ts";
import type { Problem } from "./problem.ts";
import { titleOf } from "./race.ts";
import type { ShownRun } from "./scene.ts";
import type { State } from "./state.ts";
import { STRINGS } from "./strings.ts";

/** Milliseconds without a change. */
const REST = 600;

export class LiveText {
  readonly element = element("p", { class: "live", role: "status", "aria-live": "polite" });
  private waiting = 0;

  tell(problem: Problem, state: State, runs: readonly ShownRun[]): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => {
      const text = told(problem, state, runs);
      if (text !== this.element.textContent) this.element.textContent = text;
    }, REST);
  }
}

function told({ names }: Problem, state: State, runs: readonly ShownRun[]): string {
  const start = state.starts[state.activeStart]!;
  const place = placed(names, start);
  if (state.at !== null) return STRINGS.told(place, STRINGS.atStep(state.at));
  const end = ({ run }: ShownRun) => run.value[run.count]!;
  const [best] = runs
    .filter((one) => one.start === state.activeStart && Number.isFinite(end(one)))
    .sort((a, b) => end(a) - end(b));
  return STRINGS.told(
    place,
    best ? STRINGS.lowest(titleOf(state.entries[best.entry]!), end(best), best.run.count) : "",
  );
}
