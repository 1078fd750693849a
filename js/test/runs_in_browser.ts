// Gives a page the function that makes runs.
import { outcomes } from "./outcomes.ts";

Object.assign(globalThis, { outcomes });
