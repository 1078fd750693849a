"""Build the site into build/site: `python -m website`, or `make site`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath

import yaml

import fallline
from website.contents import nav, pages
from website.page import Page

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"


def write(page: Page, site: Path, known: frozenset[PurePosixPath]) -> str:
    """Write a page; what is wrong with it, or ""."""
    try:
        page.write(site, known.__contains__)
    except RuntimeError as error:
        return f"{page.path}: {error}"
    return ""


def main() -> int:
    """Write the pages into build/pages, and from these the site."""
    folder = BUILD / "pages"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "website" / "assets", folder / "assets")
    shutil.copytree(ROOT / "docs" / "images", folder / "images")
    fallline.explore().save(folder / "explorer.html")
    all_pages = pages(ROOT)
    files = {PurePosixPath(file.relative_to(folder).as_posix()) for file in folder.rglob("*")}
    known = frozenset(files | {page.path for page in all_pages})
    with ProcessPoolExecutor() as processes:
        faults = list(filter(None, processes.map(partial(write, site=folder, known=known), all_pages)))
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return 1
    settings = {"INHERIT": "../website/mkdocs.yml", "docs_dir": "pages", "site_dir": "site", "nav": nav(all_pages)}
    (BUILD / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return generate()


def generate() -> int:
    """The site from build/pages and build/mkdocs.yml: the one place that knows the generator."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", "mkdocs.yml"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        command, cwd=BUILD, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    # What is wrong with a docstring is only told, so that it is looked for here.
    if done.returncode or "griffe:" in done.stdout:
        print(done.stdout, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
