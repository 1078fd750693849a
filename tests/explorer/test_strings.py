"""A translator finds the words of the page in js/src/strings.ts; names and their meanings are the library's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.environments import without_coverage
from tests.explorer.node import JS
from tests.explorer.opened import Opened

import fallline

# As a translation would: each text between brackets, whatever is put into it.
MARKED = """
const marked = (text: any): any =>
  typeof text === "string" ? `⟦${text}⟧`
  : typeof text === "function" ? (...given: unknown[]) => marked(text(...given))
  : Array.isArray(text) ? text.map(marked)
  : Object.fromEntries(Object.entries(text).map(([name, part]) => [name, marked(part)]));
export const STRINGS: typeof ENGLISH = marked(ENGLISH);
"""
# What a person reads or hears, and the page's own words for it.
SAID = """() => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: parent, data } = walker.currentNode;
    if (!parent.closest("script, style, math")) texts.push(data);
  }
  for (const element of document.body.querySelectorAll("*"))
    for (const name of ["aria-label", "title", "placeholder", "alt", "aria-description", "aria-valuetext"])
      texts.push(element.getAttribute(name) ?? "");
  return texts;
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page in a language of brackets."""
    folder = tmp_path_factory.mktemp("translated")
    shutil.copytree(JS / "src", folder / "js/src")
    shutil.copytree(Path(fallline.__file__).parent, folder / "src/fallline")
    strings = folder / "js/src/strings.ts"
    strings.write_text(strings.read_text(encoding="utf-8").replace("const STRINGS =", "const ENGLISH =") + MARKED)
    shutil.copy(JS / "build.mjs", folder / "js")
    (folder / "js/test").mkdir()
    (folder / "js/node_modules").symlink_to(JS / "node_modules")
    subprocess.run(["node", "build.mjs"], cwd=folder / "js", check=True)
    code = "import fallline; fallline.explore().save('page.html')"
    environment = {**without_coverage(), "PYTHONPATH": str(folder / "src")}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
    return folder / "page.html"


def untranslated(said: list[str]) -> set[str]:
    """Texts with a word in them that is neither between brackets nor generated from the library."""
    # Columns of numbers have the names that the CSV file gives them.
    sources = ["generated.ts", "language.ts", "files.ts"]
    library = "".join((JS / "src" / name).read_text(encoding="utf-8") for name in sources).lower().replace("_", " ")
    own = [re.sub(r"⟦.*⟧", "", text, flags=re.DOTALL).strip() for text in said]
    # A name may be followed by its convention.
    return {text for text in own if re.search(r"[A-Za-z]{3}", text) and text.split(" (")[0].lower() not in library}


@pytest.mark.long
@pytest.mark.parametrize(
    "link",
    [
        "",
        "f=x**2+foo(y)&stop=Nothing",
        "panel=rates",
        "panel=numbers&at=3&active=0,0",
        "f=x**2%2By**2%2Bz**2&plane=principal",
    ],
)
def test_the_page_says_nothing_of_its_own_that_is_not_translated(browser: Any, page: Path, link: str) -> None:
    with Opened(browser, page, link) as opened:
        opened.settled()
        opened.page.click("[aria-label*='Save and share']")
        said = opened.page.evaluate(SAID)
    assert sum("⟦" in text for text in said) > 50
    assert untranslated(said) == set()
