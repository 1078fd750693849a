// Makes runs as runs.ts does, in Firefox: node runs_in_firefox.mjs PROGRAM GIVEN FOUND.
import { readFileSync, writeFileSync } from "node:fs";
import { firefox } from "./firefox.mjs";

const [, , program, given, found] = process.argv;
const browser = await firefox();
try {
  const page = await browser.newPage();
  await page.addScriptTag({ path: program, type: "module" });
  await page.waitForFunction("Boolean(globalThis.outcomes)");
  const made = await page.evaluate((text) => JSON.stringify(outcomes(JSON.parse(text))), readFileSync(given, "utf8"));
  writeFileSync(found, made);
} finally {
  await browser.close();
}
