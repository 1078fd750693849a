"""A page on its way into the site: its own code makes its pictures, its links lead on, its notebook lies beside it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

import fallline
from fallline.examples import recipes
from website.code import filled, needs_libraries, run, runs, wrong_outputs
from website.notebook import notebook

_HEAD = re.compile(r"---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)(\{[^}]*\})?")
# Blocks and spans of code, in which nothing is a link.
_CODE = re.compile(r"(^ *```.*?^ *```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
# What is shown on a page, and made for light and for dark pages.
_SHOWN = (".png", ".svg", ".gif", ".webp")
DARK = Path(__file__).parent / "dark"


@dataclass(frozen=True)
class Page:
    """A page of the site.

    Attributes:
        path: where it stands in the site, such as "lessons/derivatives.md".
        text: its Markdown.
    """

    path: PurePosixPath
    text: str

    @cached_property
    def head(self) -> dict[str, Any]:
        """What its front matter says."""
        found = _HEAD.match(self.text)
        return yaml.safe_load(found[1]) if found else {}

    @cached_property
    def body(self) -> str:
        """Its text below the front matter."""
        return _HEAD.sub("", self.text, count=1)

    @cached_property
    def targets(self) -> list[str]:
        """The files that it shows or links to."""
        parts = _CODE.split(self.body)
        return [place[3] for part in parts[::2] for place in _LINK.finditer(part) if ":" not in place[3]]

    def made(self, known: Callable[[PurePosixPath], bool]) -> list[str]:
        """Those of them that its own code makes."""
        own = [target for target in self.targets if not known(resolved(self.path, target))]
        recipe = self.head.get("recipe", "")
        return [*own, recipe] if recipe.endswith(".toml") else own

    def write(self, site: Path, known: Callable[[PurePosixPath], bool]) -> None:
        """Write it into the folder of the site, with the files that its code makes.

        Raises:
            RuntimeError: when its code fails, or does not make what the page shows.
        """
        place = site / self.path
        place.parent.mkdir(parents=True, exist_ok=True)
        made = self.made(known)
        body = self.body
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            # Pages of the libraries that only `make parity` installs are run there.
            if made or (runs(self.text) and not needs_libraries(self.text)):
                body = filled(body, self._run(folder, pictured=any(target.endswith(_SHOWN) for target in made)))
            pairs = self._taken(made, folder, place.with_suffix(""))
            parts = _CODE.split(body)
            parts[::2] = [_LINK.sub(lambda link: self._link(link, made, pairs, folder), part) for part in parts[::2]]
            title, rest = _titled("".join(parts))
            text = "".join([title, self._ways(site, folder), rest])
        found = _HEAD.match(self.text)
        place.write_text((found[0] if found else "") + text, encoding="utf-8")

    def _run(self, folder: Path, pictured: bool) -> list[str]:
        """Run the code in a folder, and if it draws once more, dark, in the folder `dark` there; what it printed."""
        dark = folder / "dark"
        dark.mkdir()
        # Python finds there what makes it draw dark.
        path = os.pathsep.join([str(DARK), *filter(None, [os.environ.get("PYTHONPATH")])])
        with ThreadPoolExecutor() as threads:
            second = threads.submit(run, self.text, dark, os.environ | {"PYTHONPATH": path}) if pictured else None
            outputs = run(self.text, folder)
            if second:
                second.result()
        if wrong := wrong_outputs(self.text, outputs):
            raise RuntimeError("\n".join(wrong))
        return outputs

    def _taken(self, made: Sequence[str], folder: Path, beside: Path) -> set[str]:
        """Take what the code made; which files are others on a dark page."""
        dark = folder / "dark"
        pairs = set()
        for target in made:
            if not (folder / target).is_file():
                raise RuntimeError(f"it shows {target}, which its code does not make")
            beside.mkdir(exist_ok=True)
            shutil.copyfile(folder / target, beside / target)
            if target.endswith(_SHOWN) and (folder / target).read_bytes() != (dark / target).read_bytes():
                shutil.copyfile(dark / target, beside / _dark(target))
                pairs.add(target)
        return pairs

    def _link(self, link: re.Match[str], made: Collection[str], pairs: Collection[str], folder: Path) -> str:
        """A link or picture, as the site has it."""
        mark, text, target, anchor, style = link.groups(default="")
        if target.startswith("explore:"):
            return f"[{text}]({self._up}explorer.html#{explored(target.removeprefix('explore:'), folder)})"
        if target not in made:
            return link[0]
        if mark and target in pairs:
            files = {"light": target, "dark": _dark(target)}
            both = (_shown(text, f"{self.path.stem}/{files[one]}", f"{{ .{one} loading=lazy }}") for one in files)
            return "".join(both)
        target = f"{self.path.stem}/{target}"
        return _shown(text, target, style) if mark else f"[{text}]({target}{anchor}){style}"

    @property
    def _up(self) -> str:
        return "../" * (len(self.path.parts) - 1)

    def _ways(self, site: Path, folder: Path) -> str:
        """The ways to what the page tells, below its title: notebook, recipe, explorer."""
        ways = []
        if self.head.get("notebook"):
            (site / self.path.with_suffix(".ipynb")).write_text(notebook(self.body), encoding="utf-8")
            ways.append(f"[Notebook]({self.path.stem}.ipynb){{ .way .notebook }}")
        if recipe := self.head.get("recipe"):
            file = recipe_file(recipe, folder)
            (site / self.path.with_suffix("")).mkdir(exist_ok=True)
            shutil.copyfile(file, site / self.path.with_suffix("") / file.name)
            ways.append(f"[Recipe]({self.path.stem}/{file.name}){{ .way .recipe }}")
        if shown := self.head.get("explore"):
            ways.append(f"[In the explorer]({self._up}explorer.html#{explored(shown, folder)}){{ .way .explorer }}")
        return f"\n{' '.join(ways)}\n" if ways else ""


def resolved(page: PurePosixPath, target: str) -> PurePosixPath:
    """The place in the site to which a page's relative link leads."""
    return PurePosixPath(os.path.normpath(page.parent / target))


def recipe_file(name: str, folder: Path) -> Path:
    """The file of a recipe: one that a page's code made in a folder, or one that comes with Fallline, by its name."""
    return folder / name if name.endswith(".toml") else recipes()[name]


def explored(name: str, folder: Path) -> str:
    """The fragment of the explorer's address that shows a recipe."""
    link: str = fallline.explore(fallline.Recipe.load(recipe_file(name, folder))).link
    return link


def _dark(file: str) -> str:
    """The name of a picture's dark counterpart."""
    stem, dot, ending = file.rpartition(".")
    return f"{stem}-dark{dot}{ending}"


def _shown(text: str, target: str, style: str) -> str:
    """A picture, or a page in a frame."""
    if target.endswith(".html"):
        return f'<iframe class="player" src="{target}" title="{text}" loading="lazy"></iframe>'
    return f"![{text}]({target}){style}"


def _titled(text: str) -> tuple[str, str]:
    """A page's text up to its title, and what comes below."""
    before, title, after = re.split(r"^(# .*\n)", text, maxsplit=1, flags=re.MULTILINE)
    return before + title, after
