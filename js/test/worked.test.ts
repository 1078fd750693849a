// Every rule's formula, worked out with the numbers of a step, comes to the step that the rule made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explained } from "../src/explain.ts";
import { quantityOf } from "../src/formula_tree.ts";
import { rules } from "../src/generated.ts";
import { problemOf } from "../src/problem.ts";
import { entryOf, firstState, type State } from "../src/state.ts";
import { workedMathml, workedOut } from "../src/worked.ts";

const problem = problemOf("x**2 + 3*y**2 + sin(x*y)");

function stateOf(rule: (typeof rules)[number]): State {
  const entries = [entryOf(rule, 0, rule.search ? undefined : 0.01)];
  return { ...firstState(), formula: problem.formula, starts: [[1.5, -0.7]], entries, active: 0, steps: 40 };
}

for (const rule of rules.filter(({ lines }) => lines.length)) {
  test(`${rule.name}@${rule.convention}`, () => {
    for (const row of [0, 1, 6]) {
      const step = explained(problem, stateOf(rule), row)!;
      const { lines, numbers } = workedOut(rule.lines, step);
      const shortened = step.parts.some(({ name }) => name.includes("."));
      const known = lines.filter(({ line: [left] }) => ["c[x]", "c[velocity]", "c[m]", "c[v]"].includes(left));
      assert.ok(known.length >= 1);
      for (const { line, value, right } of known) {
        const [left] = line;
        const found = shortened ? value : quantityOf(right[0]!, numbers);
        assert.notEqual(found, undefined, `${left} = ${line[1]}`);
        for (const [k, wanted] of [...(value as Float64Array)].entries()) {
          const made = typeof found === "number" ? found : found![k]!;
          const near = Math.abs(made - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted));
          assert.ok(near, `${left} in step ${row + 1}: ${made} is not ${wanted}`);
        }
      }
      const written = workedMathml(rule.lines, step, [0, 1], ["x", "y"]);
      assert.ok(!/undefined|NaN/.test(written), written);
    }
  });
}
