// Reads links as the page does, and tells of each how long that took and what went wrong.
import { readFileSync, writeFileSync } from "node:fs";
import { fragmentOf, readFragment } from "../src/fragment.ts";
import { firstState, type State } from "../src/state.ts";

interface Given {
  readonly links: readonly string[];
  /** A link that says everything otherwise than the page at first. */
  readonly full: string;
}

/** What of the state each part of a link says. */
const SAID: Record<string, readonly (keyof State)[]> = {
  f: ["formula"],
  box: ["box"],
  start: ["starts"],
  rule: ["entries"],
  steps: ["steps"],
  axes: ["axes"],
  gradient: ["gradient"],
  noise: ["noise", "seed"],
  target: ["target"],
  active: ["active", "activeStart"],
};
/** The parts whose text is what it says. */
const LITERAL = ["view", "panel", "at"] as const;

const first = firstState();
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function outcome(link: string, other: State) {
  const begun = process.cpuUsage();
  const { state, refused } = readFragment(link, first);
  const { user, system } = process.cpuUsage(begun);
  return { milliseconds: (user + system) / 1000, refused, faults: faults(link, state, refused, other) };
}

function faults(link: string, state: State, refused: readonly string[], other: State): string[] {
  const found: string[] = [];
  const again = readFragment(fragmentOf(state), first);
  if (!same(again.state, state)) found.push("its state is not restored by its own link");
  if (again.refused.length) found.push(`its own link is refused: ${again.refused}`);
  if (refused.length) return found;
  // What was not complained of was taken: then it counts, whatever was shown before.
  const elsewhere = readFragment(link, other).state;
  const said = new URLSearchParams(link);
  for (const key of said.keys()) {
    // A schedule without steps of its own has those of the run.
    if (key === "rule" && !said.has("steps")) continue;
    for (const field of SAID[key] ?? []) if (!same(state[field], elsewhere[field])) found.push(`${key} says nothing`);
  }
  for (const key of LITERAL) {
    const text = said.get(key);
    if (text !== null && String(state[key]) !== String(key === "at" ? Number(text) : text))
      found.push(`${key} says nothing`);
  }
  return found;
}

const [, , given, found] = process.argv;
const { links, full }: Given = JSON.parse(readFileSync(given!, "utf8"));
const { state: other, refused } = readFragment(full, first);
if (refused.length) throw new Error(`the full link is refused: ${refused}`);
writeFileSync(found!, JSON.stringify(links.map((link) => outcome(link, other))));
