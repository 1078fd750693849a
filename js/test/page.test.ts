import assert from "node:assert/strict";
import { test } from "node:test";

test("the bundle builds", async () => {
  assert.ok(await import("../src/page.ts"));
});
