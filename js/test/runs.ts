// Reads runs from a file, and writes how each went.
import { readFileSync, writeFileSync } from "node:fs";
import { outcomes } from "./outcomes.ts";

const [, , given, found] = process.argv;
writeFileSync(found!, JSON.stringify(outcomes(JSON.parse(readFileSync(given!, "utf8")))));
