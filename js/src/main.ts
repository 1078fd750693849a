// Where the bundle runs: as a page of its own, its link in the address; in a notebook; or as one of the page's workers.
import type { GivenObjective } from "./elsewhere.ts";
import { Host } from "./host.ts";
import { Page } from "./page.ts";
import { serve } from "./workers.ts";

/** What Python writes into the page: a link to what it shows, whether a notebook is around it, and its own function. */
interface Given {
  readonly fragment?: string;
  readonly notebook?: boolean;
  readonly objective?: GivenObjective;
}

/** Milliseconds of rest before the address is written: browsers refuse it more often than that. */
const REST = 300;

/** Where this code is, for workers: the script that is running. */
const here = typeof document === "undefined" ? null : document.currentScript;
const codeAddress = () => (here instanceof HTMLScriptElement ? here.src : "");

/** Call something once nothing has changed for a while. */
function rested(write: () => void): () => void {
  let writing = 0;
  return () => {
    clearTimeout(writing);
    writing = window.setTimeout(write, REST);
  };
}

function open(root: HTMLElement, { fragment: usual = "" }: Given, address: string): Page {
  const write = rested(() => {
    // A page that a notebook holds as a text has no address.
    if (location.protocol === "about:") return;
    if (page.fragment !== location.hash.slice(1)) history.replaceState(null, "", `#${page.fragment}`);
  });
  const page: Page = new Page(root, location.hash.slice(1) || usual, address, () => write());
  addEventListener("hashchange", () => page.open(location.hash.slice(1)));
  return page;
}

/** Open the page in a notebook, once that has said what it shows. */
function openInNotebook(root: HTMLElement, { objective }: Given, address: string): void {
  let page: Page | null = null;
  let told = "";
  const write = rested(() => {
    if (!page?.isKnown) return;
    const [link, picture] = [page.fragment, page.picture()];
    // To make the picture draws the page, which ends here again.
    if (told === link + picture) return;
    told = link + picture;
    host.tell("shown", { link, picture });
  });
  const host: Host = new Host((link) => {
    if (page) page.open(link);
    else {
      page = new Page(root, link, address, () => write(), { host, objective: objective ?? null });
      Object.assign(window, { fallline: page });
    }
  });
  host.tell("ready", {});
}

if (typeof document === "undefined") serve(self);
else {
  const root = document.getElementById("fallline");
  const given = JSON.parse(document.getElementById("fallline-given")?.textContent ?? "{}") as Given;
  if (root && given.notebook) openInNotebook(root, given, codeAddress());
  else if (root) Object.assign(window, { fallline: open(root, given, codeAddress()) });
}
