import assert from "node:assert/strict";
import { test } from "node:test";
import { eigen } from "../src/flatness.ts";
import { remainder } from "../src/functions.ts";
import { rules } from "../src/generated.ts";
import { interpolated } from "../src/line_search.ts";
import { mathml } from "../src/mathml.ts";
import { power } from "../src/pow.ts";
import { SettingError, settingsArray } from "../src/rules.ts";
import { stepPower } from "../src/step_power.ts";

const named = (name: string, convention = "paper") =>
  rules.find((rule) => rule.name === name && rule.convention === convention)!;

test("settings are refused outside of what the library allows", () => {
  const { hyperparameters } = named("adam");
  const refused = [
    [{ beta1: 1 }, "it must be a number at least 0 and below 1"],
    [{ beta1: Number.NaN }, "it must be a number at least 0 and below 1"],
    [{ beta2: "high" }, "it must be one of "],
    [{ epsilon: -1 }, "it must be a number at least 0"],
    [{ beta1: [0.9] }, "it must be a number at least 0 and below 1"],
  ] as const;
  for (const [values, allowed] of refused) {
    assert.throws(
      () => settingsArray(hyperparameters, values),
      (error) => error instanceof SettingError && error.allowed.startsWith(allowed),
    );
  }
  assert.deepEqual(settingsArray(hyperparameters, { beta1: 0.5 }), Float64Array.of(0.5, 0.999, 1e-8));
});

test("a memory for which there is no code is refused", () => {
  const rule = named("lbfgs");
  assert.throws(() => rule.step(settingsArray(rule.hyperparameters, { memory: 7 })), SettingError);
  assert.equal(rule.step(settingsArray(rule.hyperparameters, { memory: 3 })).parts.length, 9);
  const { step, hyperparameters } = named("lbfgs", "torch");
  assert.equal(step(settingsArray(hyperparameters, {})).parts.length, 203);
});

test("runs of a rule whose coordinates are independent are the same side by side", () => {
  for (const rule of rules.filter(({ elementwise }) => elementwise)) {
    const h = settingsArray(rule.hyperparameters, {});
    const step = rule.step(h);
    const make = (x: Float64Array, slopes: readonly Float64Array[]) => {
      const state = new Float64Array(step.stateSize(x.length));
      const change = new Float64Array(x.length);
      step.init(x, state, h, 0.1);
      return slopes.map((slope, k) => {
        step.update(slope, state, 0.1, k + 1, h, change);
        for (let i = 0; i < x.length; i++) x[i]! -= change[i]!;
        return change.slice();
      });
    };
    const slopes = [1, -2, 3].map((scale) => Float64Array.of(1, -0.5, 2, 0.25).map((part) => part * scale));
    const together = make(Float64Array.of(1, 2, -3, 0), slopes);
    [1, 2, -3, 0].forEach((start, i) => {
      const alone = make(
        Float64Array.of(start),
        slopes.map((slope) => slope.slice(i, i + 1)),
      );
      assert.deepEqual(
        together.map((change) => change[i]),
        alone.map((change) => change[0]),
        `${rule.name}@${rule.convention}`,
      );
    });
  }
});

test("powers by the step are powers, however many numbers they are of", () => {
  for (let step = 0; step < 5000; step += 7) {
    for (let k = 0; k < 11; k++) {
      const base = 0.9 + k / 100;
      assert.equal(stepPower(base, step), power(base, step));
    }
  }
  assert.ok(Number.isNaN(stepPower(Number.NaN, 3)));
  assert.equal(stepPower(0, 0), 1);
});

test("remainders have the divisor's sign", () => {
  assert.deepEqual(
    [7, -7, 7, -7, 6].map((x, k) => remainder(x, [3, 3, -3, -3, 3][k]!)),
    [1, 2, -2, -1, 0],
  );
  // Also where it is 0, and where a product would be too small for a float.
  assert.ok(Object.is(remainder(-1.2, 0.6), 0) && Object.is(remainder(1.2, -0.6), -0));
  assert.equal(remainder(1e-200, -3e-200), -2e-200);
});

test("the cubic through two places is lowest between them", () => {
  assert.equal(interpolated({ rate: 0, value: 0, slope: -1 }, { rate: 1, value: 0, slope: 1 }), 0.5);
  // x³ - x has its minimum at 1/√3.
  const [low, high] = [0, 1].map((rate) => ({ rate, value: rate ** 3 - rate, slope: 3 * rate * rate - 1 }));
  assert.ok(Math.abs(interpolated(low!, high!) - 1 / Math.sqrt(3)) < 1e-12);
});

test("a symmetric matrix is what its eigenvalues and eigenvectors make of it", () => {
  const matrix = [
    [4, 1, -2, 0.5],
    [1, 2, 0, 1e-9],
    [-2, 0, 3, 1],
    [0.5, 1e-9, 1, -5],
  ].map((row) => Float64Array.from(row));
  const { values, vectors } = eigen(matrix);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      let entry = 0;
      for (let k = 0; k < 4; k++) entry += vectors[i]![k]! * values[k]! * vectors[j]![k]!;
      assert.ok(Math.abs(entry - matrix[i]![j]!) < 1e-14 * 10);
    }
  }
});

test("formulas are spelt out as MathML", () => {
  assert.equal(
    mathml("r[b[i:beta1[β]n[1]].l[m]]"),
    '<mrow><msub><mi data-setting="beta1">β</mi><mn>1</mn></msub><mo>\u2062</mo>' +
      "<msub><mi>m</mi><mrow><mi>t</mi><mo>-</mo><mn>1</mn></mrow></msub></mrow>",
  );
});
