"""`fallline check`: whether a gradient is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Annotated, Any

import numpy as np
import typer

from fallline.arrays import FloatArray
from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, objective_at, told_in_one_line
from fallline.errors import FalllineError, nearest
from fallline.gradients import with_gradient
from fallline.gradients.check import CheckedSlope, GradientCheck, check_gradient
from fallline.json_text import written
from fallline.objectives import Objective
from fallline.objectives.points import one_point


def check(
    objective: Annotated[
        str,
        typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP),
    ],
    at: Annotated[
        list[str],
        typer.Option("--at", metavar="POINT", help="Where: 10, or 0,-1 in order, or x=0,y=-1; may be repeated."),
    ],
    gradient: Annotated[
        str,
        typer.Option(
            metavar="KIND", help="The gradient to check: auto, symbolic, autodiff, perturbation:..., or FILE.py:NAME."
        ),
    ] = "auto",
    derivative: Annotated[
        list[str] | None,
        typer.Option(
            "--derivative", metavar="FORMULA", help="Your own derivative instead, one for each coordinate in order."
        ),
    ] = None,
    nearby: Annotated[
        int, options.count_option("--nearby", "Check at this many random points around each as well.")
    ] = 0,
    json: options.JsonOption = False,
) -> None:
    """Compare a gradient with finite differences of the values; of more than 50 coordinates, along random directions.

    The exit code is 0 when the gradient is right, 1 when a coordinate is wrong, 2 after a mistake in the command.
    """
    points = [options.parse_start(text, "--at") for text in at]
    if derivative and gradient != "auto":
        raise FalllineError(
            "--derivative", derivative[0], "give one of the two", problem=f"and --gradient {gradient!r}"
        )
    with told_in_one_line(gradient, "--gradient"), told_in_one_line(objective, "OBJECTIVE"):
        kind, checked = _checked(objective, points, gradient, derivative or [], nearby)
    if json:
        report.say(written([_data(slope) for slope in (*checked.slopes, *checked.directions)]))
    else:
        report.say(f"{objective}\ngradient: {kind}\n\n{checked}")
    if not checked:
        raise typer.Exit(1)


def _checked(
    text: str, points: Sequence[Any], gradient: str, derivatives: Sequence[str], nearby: int
) -> tuple[str | None, GradientCheck]:
    """How the gradient is computed, and the verdict on it at all points."""
    places = [point[0] if isinstance(point, list) and len(point) == 1 else point for point in points]
    function = objective_at(text, points[0])
    given = _from_formulas(function, derivatives) if derivatives else gradient_at(gradient)
    prepared = with_gradient(function, given, one_point(function, places[0], "x"))
    checks = [check_gradient(function, place, gradient=given, nearby=nearby) for place in places]
    slopes = tuple(slope for check in checks for slope in check.slopes)
    return prepared.gradient_kind, GradientCheck(slopes, tuple(slope for check in checks for slope in check.directions))


def _from_formulas(objective: Objective, texts: Sequence[str]) -> Callable[..., FloatArray]:
    """The gradient given by formulas, one for each coordinate."""
    if len(texts) != objective.dimension:
        raise FalllineError(
            "--derivative",
            problem=f"is given {len(texts)} time{'s' if len(texts) > 1 else ''}",
            allowed=f"{objective.title} needs {objective.dimension}, for {', '.join(objective.names)}",
        )
    parts = [_derivative(objective, text) for text in texts]

    def slopes(*point: float) -> FloatArray:
        return np.array([part(np.array([point])) for part in parts])

    return slopes


def _derivative(objective: Objective, text: str) -> Callable[[FloatArray], float]:
    from fallline.objectives.formula import FormulaObjective

    try:
        number = float(Fraction(text.replace(" ", "")))
    except (ValueError, ZeroDivisionError):
        pass
    else:
        return lambda x: number
    try:
        formula = FormulaObjective.from_text(text)
    except FalllineError as error:
        raise error.under("--derivative") from None
    for name in formula.names:
        if name not in objective.names:
            raise FalllineError(
                "--derivative", text, nearest(name, objective.names), problem=f"with the variable {name}"
            )
    columns = [objective.names.index(name) for name in formula.names]
    return lambda x: float(formula.value(x[:, columns])[0])


def _data(slope: CheckedSlope) -> dict[str, Any]:
    return {
        "at": slope.point,
        "coordinate": slope.name,
        "found": slope.found,
        "expected": slope.expected,
        "uncertainty": slope.uncertainty,
        "factor": slope.factor,
        "verdict": slope.verdict,
    }
