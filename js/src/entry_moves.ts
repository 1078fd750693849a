// The rules of the race: their settings changed from elsewhere than their own sliders.
import { readFragment } from "./fragment.ts";
import type { Problem } from "./problem.ts";
import { bestRate, RATES } from "./race.ts";
import type { Entry, State } from "./state.ts";

export class EntryMoves {
  /** Arguments:
   *   now: what is shown.
   *   change: changes the state.
   */
  constructor(
    private readonly now: () => { problem: Problem; state: State },
    private readonly change: (part: Partial<State>, gesture: string | null) => void,
  ) {}

  /** Give a rule the constant rate with which it ends lowest. */
  setBest(index: number): void {
    const { problem, state } = this.now();
    const set = (rate: number) => this.replace(index, { rate });
    if (problem.elsewhere) problem.elsewhere.best(state, index, RATES, set);
    else set(bestRate(problem, state, state.entries[index]!));
  }

  /** Give the rule looked at other settings. */
  setActive(entry: Entry): void {
    this.replace(this.now().state.active, entry, "rate map");
  }

  /** Set the rule looked at as a link says it; returns what of it was not taken. */
  setRule(rule: string): readonly string[] {
    const { state } = this.now();
    const said = new URLSearchParams({ f: state.formula, rule });
    const { state: read, refused } = readFragment(said.toString(), state);
    const [entry] = read.entries;
    const { active, entries } = state;
    if (entry && !refused.length) this.replace(active, { ...entry, look: entries[active]!.look });
    return refused;
  }

  private replace(index: number, part: Partial<Entry>, gesture: string | null = null): void {
    const { entries } = this.now().state;
    this.change({ entries: entries.map((entry, k) => (k === index ? { ...entry, ...part } : entry)) }, gesture);
  }
}
