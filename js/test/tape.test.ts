import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../src/code.ts";

test("where a content policy forbids to make code, a tape computes the same", () => {
  const original = globalThis.Function;
  globalThis.Function = class {
    constructor() {
      throw new EvalError("forbidden");
    }
  } as unknown as FunctionConstructor;
  try {
    const bowl = compile("x**2 + 3*y**2");
    const slopes = new Float64Array(2);
    assert.equal(bowl.valueAndGradient(Float64Array.of(1, 2), slopes), 13);
    assert.deepEqual([...slopes], [2, 12]);
    assert.equal(bowl.value(Float64Array.of(0, 1)), 3);
  } finally {
    globalThis.Function = original;
  }
});

test("formulas of thousands of parts have their value and gradient", () => {
  const long = compile("sum(x[i]**2, i=1..4000)");
  const slopes = new Float64Array(4000);
  assert.equal(long.valueAndGradient(new Float64Array(4000).fill(0.5), slopes), 1000);
  assert.ok(slopes.every((slope) => slope === 1));
});
