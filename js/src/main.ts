// Where the bundle runs: as a page of its own, its link in the address; or as one of the page's workers.
import { Page } from "./page.ts";
import { serve } from "./workers.ts";

/** Milliseconds of rest before the address is written: browsers refuse it more often than that. */
const REST = 300;

/** Where this code is, for workers: the script that is running. */
const here = typeof document === "undefined" ? null : document.currentScript;
const codeAddress = () => (here instanceof HTMLScriptElement ? here.src : "");

function open(root: HTMLElement): Page {
  const given = document.getElementById("fallline-given")?.textContent ?? "{}";
  const usual: unknown = (JSON.parse(given) as { fragment?: unknown }).fragment;
  let writing = 0;
  const write = () => {
    // A frame in a notebook has no address of its own.
    if (location.protocol === "about:") return;
    clearTimeout(writing);
    writing = window.setTimeout(() => {
      if (page.fragment !== location.hash.slice(1)) history.replaceState(null, "", `#${page.fragment}`);
    }, REST);
  };
  const fragment = location.hash.slice(1) || (typeof usual === "string" ? usual : "");
  const page: Page = new Page(root, fragment, codeAddress(), () => write());
  addEventListener("hashchange", () => page.open(location.hash.slice(1)));
  return page;
}

if (typeof document === "undefined") serve(self);
else {
  const root = document.getElementById("fallline");
  if (root) Object.assign(window, { fallline: open(root) });
}
