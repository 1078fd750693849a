"""`fallline explore`: the page that runs rules on a formula in any browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fallline.cli import options, report
from fallline.cli.function import told_in_one_line
from fallline.cli.rules import rules_from
from fallline.cli.run import recipe_at
from fallline.errors import FalllineError
from fallline.results.archive import loaded
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Trajectory


def explore(
    objective: Annotated[
        str | None,
        typer.Argument(
            metavar="OBJECTIVE|RECIPE|FILE",
            help="A formula, a landscape, a recipe, or the .npz that --save wrote of a run or of several.",
        ),
    ] = None,
    *,
    start: Annotated[
        list[str] | None,
        typer.Option(metavar="START", help="Where to start: -1.5,2 in order, or x=-1.5,y=2; may be repeated."),
    ] = None,
    optimizers: Annotated[
        str | None, typer.Option(metavar="RULE,RULE,...", help="The update rules, as for fallline compare.")
    ] = None,
    max_steps: Annotated[
        int | None, options.count_option("--max-steps", "The number of steps at first. [default: the page's]")
    ] = None,
    out: Annotated[Path, options.file_option("--out", "The page to write.")] = Path("explorer.html"),
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write a page on which to type a formula, drag the start, and watch what the update rules do.

    It is one HTML file, which needs neither Python nor a network, and works in any browser.
    """
    from fallline.explorer.page import check_page_path
    from fallline.explorer.page import explore as explored

    check_page_path(out, "--out")
    points = [options.parse_start(text) for text in start or []]
    rules = None if optimizers is None else rules_from(optimizers, "--optimizers", None, None, [])
    with told_in_one_line(objective or "", "OBJECTIVE"):
        page = explored(
            _given(objective),
            (points[0] if len(points) == 1 else points) if points else None,
            rules,
            max_steps=max_steps,
        )
    page.save(out)
    report.say_written(page=out)
    if open_:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())


def _given(text: str | None) -> Any:
    if text is None:
        return None
    if text.endswith(".npz"):
        try:
            return loaded(text, (Trajectory, Comparison))
        except FalllineError as error:
            raise error.under("FILE") from None
    path = recipe_at(text)
    if path is None:
        return text
    from fallline.recipes.recipe import Recipe

    return Recipe.load(path)
