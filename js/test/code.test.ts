import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../src/code.ts";
import { functions } from "../src/functions.ts";
import { FormulaError } from "../src/grammar.ts";

/** What `new Function` was given while something ran. */
function codeOf(run: () => void): string[] {
  const made: string[] = [];
  const original = globalThis.Function;
  globalThis.Function = new Proxy(original, {
    construct(target, parts) {
      made.push(...parts.map(String));
      return Reflect.construct(target, parts);
    },
  });
  try {
    run();
  } finally {
    globalThis.Function = original;
  }
  return made;
}

test("code holds only names that are made here, numbers, and names of functions", () => {
  const words = new Set([
    "use",
    "strict",
    "true",
    "return",
    "value",
    "valueAndGradient",
    "many",
    "const",
    ..."xgvjro",
    "runs",
    "count",
    "for",
    "let",
    ...functions.keys(),
  ]);
  const texts = [
    "alert + constructor**2 + __proto__",
    "u = window; v = document*u; f(window, document) = v/Function",
    "where(x > 0, sin(α), sum(eval_i**2, i=1..3)) + 1e300*x + 1e-300",
    "2sin²x + |y|^x + atan2(x, y) + min(x, y, 3)*mod_x",
  ];
  for (const text of texts) {
    const made = codeOf(() => compile(text));
    assert.ok(made.length > 0);
    for (const word of made.join("\n").match(/[\p{L}_$][\p{L}\p{N}_$]*/gu)!) {
      assert.ok(words.has(word) || /^(t[0-9]+|e)$/.test(word), `${word} in the code of ${text}`);
    }
    assert.doesNotMatch(made.join("\n"), /[^\x20-\x7e\n]|["'`\\](?!use strict"|;)/);
  }
});

test("a formula that cannot be read makes no code", () => {
  for (const text of ["alert(1)", "x;alert(1)", "</script>", "x['y']", "`x`", "x".repeat(10_001)]) {
    assert.deepEqual(
      codeOf(() => assert.throws(() => compile(text), FormulaError)),
      [],
    );
  }
});

test("a fault has its place, in the units of a text field", () => {
  const places: [string, string][] = [
    ["x + foo(y) + 1", "foo(y)"],
    ["😀 + foo(y)", "😀"],
    ["2 + y) + x", "2 + y)"],
    ["u = x; x**2", "u = x"],
    ["x/0 + y", "x/0"],
  ];
  for (const [text, part] of places) {
    assert.throws(
      () => compile(text),
      (error: unknown) => error instanceof FormulaError && text.slice(error.start, error.end) === part,
      text,
    );
  }
});

test("all faults are told, each with its place", () => {
  assert.throws(
    () => compile("foo(x) + bar(y)"),
    (error: unknown) => error instanceof FormulaError && error.faults.map(({ start }) => start).join() === "0,9",
  );
});
