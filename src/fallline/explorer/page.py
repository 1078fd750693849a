"""The explorer: one HTML file, which computes in the browser and asks for nothing, or a notebook's widget."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fallline.errors import FalllineError, Verbatim
from fallline.explorer.link import link_of, own_objective
from fallline.explorer.own_rules import own_rules
from fallline.files import whole_file
from fallline.gradients import Perturbation
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.recipes.recipe import Recipe
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Trajectory
from fallline.slips import in_our_words
from fallline.stopping import StoppingCondition
from fallline.tables import Printed, Summary, summary_of


def check_page_path(path: str | os.PathLike[str], parameter: str = "path") -> None:
    """Check the name of a page's file.

    Raises:
        FalllineError: when it does not end in .html; it names `parameter`.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise FalllineError(parameter, str(path), "its name must end in .html")


class Explorer(Printed):
    """A page that runs update rules on a formula, in any browser, without Python and without a network.

    In a notebook it shows itself as a widget, if anywidget is installed: then `link` follows what is shown, and setting
    it shows something else. There Python computes what is no formula, such as a function or a model with data.

    Attributes:
        title: the page's title.
        objective: what only Python can compute; None for a formula.
    """

    def __init__(
        self,
        title: str,
        link: str,
        rules: Sequence[Optimizer[Any]] = (),
        objective: Objective | None = None,
        gradient: Any = "auto",
    ) -> None:
        self.title = title
        self.objective = objective
        self._link = link
        self._rules = rules
        self._code = own_rules(rules) if rules else ""
        self._gradient = gradient

    @property
    def link(self) -> str:
        """What is shown, as the fragment of the page's address says it."""
        return str(self.widget.link) if "widget" in self.__dict__ else self._link

    @link.setter
    def link(self, link: str) -> None:
        self._link = link
        if "widget" in self.__dict__:
            self.widget.link = link

    @property
    def html(self) -> str:
        """The whole page: one HTML file with everything in it.

        Raises:
            FalllineError: when only Python can compute the objective.
        """
        if self.objective is not None:
            allowed = "a page by itself computes formulas only: write it as one, or show the page in a notebook"
            raise FalllineError("objective", Verbatim(self.objective.title), allowed)
        return _page(self.title, {"fragment": self.link}, self._code)

    @cached_property
    def widget(self) -> Any:
        """The page as a widget of a notebook (`ipywidgets`), with the trait `link`.

        Raises:
            FalllineError: when anywidget is not installed.
        """
        if not _has_widgets():
            raise FalllineError("anywidget", problem="is not installed", allowed='pip install "fallline[notebook]"')
        from fallline.explorer.answers import Answers
        from fallline.explorer.widget import ExplorerWidget

        own = self.objective
        given = {} if own is None else {"objective": {"title": own.title, "names": own.names}}
        page = _page(self.title, {"notebook": True, **given}, self._code)
        return ExplorerWidget(self.title, page, self._link, Answers(own, self._gradient, self._rules))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to an HTML file.

        Raises:
            FalllineError: when its name does not end in .html, or the file cannot be written.

        >>> import fallline, pathlib, tempfile
        >>> path = tempfile.mkdtemp() + "/page.html"
        >>> fallline.explore("x**2 + 3*y**2").save(path)
        >>> pathlib.Path(path).read_text(encoding="utf-8")[:15]
        '<!doctype html>'
        """
        check_page_path(path)
        with whole_file(path) as draft:
            draft.write_text(self.html, encoding="utf-8")

    def _ipython_display_(self) -> None:
        """The widget in a notebook of Jupyter, and what was last seen as a picture, for when no widget can run."""
        if not _has_widgets():
            raise NotImplementedError("it shows itself as HTML")
        from IPython.display import HTML, display

        widget = self.widget
        display(widget)
        still = display(HTML(""), display_id=True)

        def show(change: Any) -> None:
            still.update(HTML(_still(widget.mark, self.title, change.new)))

        widget.observe(show, "picture")

    def _mime_(self) -> tuple[str, str]:
        """The widget in a notebook of marimo."""
        if not _has_widgets():
            return "text/html", self._repr_html_()
        import marimo

        kind, text = marimo.as_html(self.widget)._mime_()
        return str(kind), str(text)

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
    coordinates: Sequence[str] | None = None,
    max_steps: int | None = None,
    target: float | None = None,
    stop: StoppingCondition | None = None,
    gradient: Any = "auto",
) -> Explorer:
    """The page on which one changes start, rules and hyperparameters, and sees at once what they do.

    The page computes with the same rules, traced into JavaScript, also your own. It reads formulas; a function or a
    model with data is computed by Python, in a notebook with the extra `notebook`, where Python also says what ails a
    run and which rule mends it. What is None is left to the page: a landscape, a start, four rules.

    Arguments:
        objective: a formula, the name of a landscape, a function or loss, a `Recipe`, or a run or comparison from
            `minimize` or `compare`, which says all that is not given here.
        x0: the start, or several as in `compare`; at most 8.
        optimizers: the rules, as in `compare`; at most 8.
        box: what is shown: the interval of each of the coordinates drawn, in order or by name.
        coordinates: the names of the two that are drawn; None: the first two.
        max_steps: the number of steps, at most 10,000.
        target: the value at which a run ends.
        stop: what else ends it, as in `minimize`.
        gradient: "auto" or "symbolic": exact, or a `Perturbation`; of what Python computes, as in `minimize`.

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
        if recipe.fit:
            problem, allowed = "is a recipe that fits a model to a file", "the page reads formulas"
            raise FalllineError("objective", problem=problem, allowed=allowed)
        given = {"max_steps": recipe.max_steps, "gradient": recipe.gradient, "stop": recipe.stop, **_view(recipe)}
        objective, x0 = recipe.objective, list(recipe.starts) if x0 is None else x0
        optimizers = recipe.optimizers if optimizers is None else optimizers
    own = None if objective is None else own_objective(objective, x0)
    if own is not None:
        objective = own
        if not _has_widgets():
            allowed = 'a formula; or pip install "fallline[notebook]", and Python computes it in a notebook'
            raise FalllineError("objective", Verbatim(own.title), allowed)
    # Any other gradient of what Python computes is Python's.
    told = gradient != "auto" and (own is None or isinstance(gradient, Perturbation))
    settings = {"box": box, "coordinates": coordinates, "max_steps": max_steps, "target": target, "stop": stop}
    settings["gradient"] = gradient if told else None
    given |= {name: value for name, value in settings.items() if value is not None}
    title, link, rules = link_of(objective, x0, optimizers, **given)
    return Explorer(f"{title} – Fallline" if title else "Fallline", link, rules, own, gradient)


def _view(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe's first picture the page shows too: the box and its coordinates, and whether it is solid."""
    view = recipe.views[0] if recipe.views else {"kind": None}
    box, coordinates = view.get("bounds"), view.get("coordinates")
    principal = coordinates == "pca"
    # Without a box, the page shows all of what lies in two of the coordinates.
    if view["kind"] not in ("curve", "contour", "contour_3d", "surface") or (principal and box is None):
        return {}
    one = view["kind"] == "curve" and box is not None
    shown = {"box": [box] if one else box, "solid": view["kind"] == "surface", "principal": principal}
    return shown if principal else shown | {"coordinates": coordinates}


def _still(mark: str, title: str, address: str) -> str:
    """A picture that stands in for a widget, and for what JupyterLab says where that is missing."""
    missing = f".jp-OutputArea-child:has(+ .jp-OutputArea-child .{mark}) .jupyter-widgets:not(:has(*))"
    return (
        f"<style>{missing} {{ display: none }}</style>"
        f'<img class="{mark}" alt="{html.escape(title)}" style="max-width: 100%" src="{address}">'
    )


def _has_widgets() -> bool:
    return find_spec("anywidget") is not None


def _page(title: str, given: Mapping[str, Any], own: str) -> str:
    """The page's HTML, given what it starts from; `own` is the code of the user's own rules."""
    loader = _file("loader.js")
    # Only the loader runs, and what it unpacks, whatever else a page might be made to hold.
    allowed = base64.b64encode(hashlib.sha256(loader.encode()).digest()).decode("ascii")
    parts = {
        "title": html.escape(title),
        # Inside a script element only "<" has a meaning in HTML.
        "given": json.dumps(given).replace("<", "\\u003c"),
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
    if page.objective is not None:
        return Summary(f"Explorer: {page.title}", [("computed by", "Python"), ("show", "as the last line of a cell")])
    return Summary(f"Explorer: {page.title}", [("size", f"{len(page.html.encode()):,} bytes"), ("show", "save(path)")])
