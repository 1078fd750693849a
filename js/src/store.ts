// The state, its changes, undo and redo.
import type { State } from "./state.ts";

/** Undo goes back so many changes. */
const DEPTH = 200;
/** What undo leaves alone: where one looks, not what is run. */
const LOOKS = ["at", "active", "activeStart", "view", "basins", "panel"] as const satisfies readonly (keyof State)[];

export class Store {
  private past: State[] = [];
  private future: State[] = [];
  private gesture: string | null = null;

  constructor(
    private state: State,
    private readonly changed: (now: State, before: State) => void,
  ) {}

  get now(): State {
    return this.state;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Change part of the state. Changes of one gesture, such as a drag, are undone together. */
  change(part: Partial<State>, gesture: string | null = null): void {
    const before = this.state;
    const kept = Object.keys(part).some((key) => !(LOOKS as readonly string[]).includes(key));
    if (kept) {
      if (gesture === null || gesture !== this.gesture) this.past.push(before);
      if (this.past.length > DEPTH) this.past.shift();
      this.future = [];
      this.gesture = gesture;
    }
    this.set({ ...before, ...part });
  }

  /** Change part of the state as if it had been so before. */
  amend(part: Partial<State>): void {
    this.set({ ...this.state, ...part });
  }

  /** The next change begins a gesture of its own. */
  rest(): void {
    this.gesture = null;
  }

  undo(): void {
    this.travel(this.past, this.future);
  }

  redo(): void {
    this.travel(this.future, this.past);
  }

  private travel(from: State[], to: State[]): void {
    const target = from.pop();
    if (!target) return;
    to.push(this.state);
    this.gesture = null;
    this.set(target);
  }

  private set(state: State): void {
    const before = this.state;
    this.state = state;
    this.changed(state, before);
  }
}
