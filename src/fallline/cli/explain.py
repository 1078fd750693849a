"""`fallline explain`: a step of a saved run by the rule's own formula, with the numbers of the step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.diagnosis.explanation import explain as explained
from fallline.errors import FalllineError
from fallline.fitting.result import Fit
from fallline.json_text import written
from fallline.results.archive import loaded
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Trajectory
from fallline.tables import MOST_COORDINATES


def explain(
    file: Annotated[
        Path,
        typer.Argument(parser=options.path, metavar="FILE", help="What --save wrote: .npz of a run or of several."),
    ],
    *,
    step: Annotated[int, options.count_option("--step", "The step, counted from 1.")],
    run: Annotated[
        str | None, typer.Option("--run", metavar="LABEL", help="Which run of several. [default: the first]")
    ] = None,
    most: Annotated[
        int, options.count_option("--most", "How many coordinates to show; of more, those that move farthest.")
    ] = MOST_COORDINATES,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX instead.")] = False,
    mathml: Annotated[bool, typer.Option("--mathml", help="Print MathML instead.")] = False,
    json: options.JsonOption = False,
) -> None:
    """Explain a step of a saved run: the rule's formula, the same with the step's numbers, and the results.

    In the formula, g is the gradient, t the step counted from 1, rate the learning rate, and _old marks the value of a
    quantity before the step; the other names are those of the rule's source code. What the file does not hold is
    computed again by repeating the run.
    """
    if latex + mathml + json > 1:
        raise FalllineError(problem="--latex, --mathml and --json exclude each other", allowed="give one of them")
    try:
        result = loaded(file, (Trajectory, Comparison, Fit))
    except FalllineError as error:
        raise error.under("FILE") from None
    if isinstance(result, Comparison):
        try:
            result = result[0 if run is None else run]
        except FalllineError as error:
            raise error.under("--run") from None
    elif run is not None:
        raise FalllineError("--run", run, "the file holds one run only")
    shown = explained(result.trajectory if isinstance(result, Fit) else result, step, most=most)
    if json:
        report.say(written(shown.contents()))
    else:
        report.say(shown.latex if latex else shown.mathml if mathml else shown.text)
