"""The explorer as one HTML file, which computes in the browser and asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from fallline.explorer.link import link_of
from fallline.explorer.own_rules import own_rules
from fallline.files import whole_file
from fallline.recipes.recipe import Recipe
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Trajectory
from fallline.slips import in_our_words
from fallline.tables import Printed, Summary, summary_of


@dataclass(frozen=True, repr=False)
class Explorer(Printed):
    """A page that runs update rules on a formula, in any browser, without Python and without a network.

    Attributes:
        title: the page's title.
        link: what it shows at first, as the fragment of its address says it.
        own: the code of rules that are not the library's.
    """

    title: str
    link: str
    own: str = field(default="", repr=False)

    @property
    def html(self) -> str:
        """The whole page: one HTML file with everything in it."""
        return _page(self.title, self.link, self.own)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to an HTML file.

        Raises:
            FalllineError: when the file cannot be written.

        >>> import fallline, pathlib, tempfile
        >>> path = tempfile.mkdtemp() + "/page.html"
        >>> fallline.explore("x**2 + 3*y**2").save(path)
        >>> pathlib.Path(path).read_text(encoding="utf-8")[:15]
        '<!doctype html>'
        """
        with whole_file(path) as draft:
            draft.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        """The page in a notebook, in a frame of its own."""
        return (
            '<iframe sandbox="allow-scripts allow-downloads" width="100%" height="760" style="border: 0" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )


@in_our_words
def explore(
    objective: Any = None,
    x0: Any = None,
    optimizers: Any = None,
    *,
    box: Sequence[tuple[float, float]] | Mapping[str, tuple[float, float]] | None = None,
    max_steps: int | None = None,
    target: float | None = None,
    gradient: Any = "auto",
) -> Explorer:
    """The page on which one changes start, rules and hyperparameters, and sees at once what they do.

    The page computes with the same rules, traced into JavaScript, also your own. It reads formulas; a Python function
    or a model with data it cannot compute. What is None is left to the page: a landscape, a start, four rules.

    Arguments:
        objective: a formula, the name of a landscape, a `Recipe`, or a run or comparison from `minimize` or `compare`,
            which says all that is not given here.
        x0: the start, or several as in `compare`; at most 8.
        optimizers: the rules, as in `compare`; at most 8.
        box: what is shown: the interval of each of the first two coordinates, in order or by name.
        max_steps: the number of steps, at most 10,000.
        target: the value at which a run ends.
        gradient: "auto" or "symbolic": exact, or a `Perturbation`.

    Returns:
        The page, which shows itself in a notebook and has `save`.

    Raises:
        FalllineError: when the page cannot show it, with the argument and what is allowed.

    >>> import fallline
    >>> page = fallline.explore("x**2 + 10*y**2", [4.0, 1.0], [fallline.Momentum(0.02), "adam"], max_steps=100)
    >>> page.link[:36]
    'f=x**2+%2B+10*y**2&start=4,1&rule=mo'
    """
    if isinstance(objective, Trajectory | Comparison):
        objective = Recipe.of(objective)
    given: dict[str, Any] = {}
    if isinstance(objective, Recipe):
        recipe = objective
        given = {"max_steps": recipe.max_steps, "gradient": recipe.gradient, "stop": recipe.stop}
        objective, x0 = recipe.objective, list(recipe.starts) if x0 is None else x0
        optimizers = recipe.optimizers if optimizers is None else optimizers
    settings = {"max_steps": max_steps, "target": target, "gradient": None if gradient == "auto" else gradient}
    given |= {name: value for name, value in settings.items() if value is not None}
    title, link, own = link_of(objective, x0, optimizers, box=box, **given)
    return Explorer(f"{title} – Fallline" if title else "Fallline", link, own_rules(own) if own else "")


def _page(title: str, link: str, own: str) -> str:
    """The page's HTML; `own` is the code of the user's own rules."""
    loader = _file("loader.js")
    # Only the loader runs, and what it unpacks, whatever else a page might be made to hold.
    allowed = base64.b64encode(hashlib.sha256(loader.encode()).digest()).decode("ascii")
    parts = {
        "title": html.escape(title),
        # Inside a script element only "<" has a meaning in HTML.
        "given": json.dumps({"fragment": link}).replace("<", "\\u003c"),
        "loader": loader,
        "hash": allowed,
        "code": _packed(own),
    }
    return re.sub("__([a-z]+)__", lambda place: parts[place[1]], _file("page.html"))


@lru_cache(maxsize=4)
def _packed(own: str) -> str:
    """The page's code, compressed to a third, as text."""
    before = f"globalThis.falllineRules={own};" if own else ""
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packing.compress((before + _file("bundle/explorer.js")).encode()) + packing.flush()
    return base64.b64encode(packed).decode("ascii")


@cache
def _file(name: str) -> str:
    return files("fallline.explorer").joinpath(name).read_text(encoding="utf-8")


@summary_of.register
def _of_explorer(page: Explorer) -> Summary:
    return Summary(f"Explorer: {page.title}", [("size", f"{len(page.html.encode()):,} bytes"), ("show", "save(path)")])
