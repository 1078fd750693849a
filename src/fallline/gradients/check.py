"""Gradient checking: compare a gradient with numerical derivatives of the values, coordinate by coordinate."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients import with_gradient
from fallline.gradients.perturbation import EPSILON, Perturbation, PerturbedObjective
from fallline.gradients.trial import tried
from fallline.objectives import FunctionObjective, as_objective
from fallline.objectives.base import Objective
from fallline.objectives.points import one_point
from fallline.tables import MOST_ROWS, Printed, Summary, names_text, summary_of, vector_text

# Ridders' method: steps that shrink by 1.4 from a tenth of the coordinate's size, extrapolated to zero.
SHRINKING = 1.4
LEVELS = 24
# A gradient within this of the slope, relative to the larger of 1 and the slope, is right; with values in float32 more.
CLOSE = 1e-6


@dataclass(frozen=True, repr=False)
class CheckedSlope:
    """One coordinate of a gradient at one point, compared with the slope of the values.

    Attributes:
        point: the coordinates of the point.
        name: the coordinate.
        found: the gradient's coordinate.
        expected: the slope of the values.
        uncertainty: the estimated error of `expected`.
        verdict: "right", "wrong", "kink" (the one-sided slopes differ), or "unclear" (the values are too rough or
            not finite here, so that no slope can be estimated).
    """

    point: FloatArray
    name: str
    found: float
    expected: float
    uncertainty: float
    verdict: str

    @property
    def factor(self) -> float:
        """The ratio of the slope found to the expected one."""
        return self.found / self.expected if self.expected else float("inf")

    def __repr__(self) -> str:
        place = vector_text(self.point)
        text = f"d/d{self.name} at {place}: found {self.found:.10g}, expected {self.expected:.10g}"
        if self.verdict == "wrong":
            text += f", {self.factor:.6g} times what it should be" if self.expected else ""
        return f"{text}: {self.verdict}"


@dataclass(frozen=True, repr=False)
class GradientCheck(Printed):
    """The verdict on a gradient: one entry for each point and coordinate."""

    slopes: tuple[CheckedSlope, ...]

    @property
    def wrong(self) -> tuple[CheckedSlope, ...]:
        """The entries in which the gradient is wrong."""
        return tuple(slope for slope in self.slopes if slope.verdict == "wrong")

    def __bool__(self) -> bool:
        return not self.wrong


@summary_of.register
def _of_check(check: GradientCheck) -> Summary:
    """The entries as a table, wrong ones first."""
    wrong = check.wrong
    ordered = [*wrong, *(slope for slope in check.slopes if slope.verdict != "wrong")]
    rows = [
        [
            vector_text(slope.point),
            slope.name,
            f"{slope.found:.10g}",
            f"{slope.expected:.10g}",
            f"{slope.factor:.6g}" if slope.verdict == "wrong" and slope.expected else "",
            slope.verdict,
        ]
        for slope in ordered[:MOST_ROWS]
    ]
    if wrong:
        verdict = f"the gradient is wrong in {names_text(list(dict.fromkeys(slope.name for slope in wrong)))}"
    elif unsure := sorted({slope.verdict for slope in check.slopes} - {"right"}):
        verdict = f"nothing is wrong, but not everything can be told: {', '.join(unsure)}"
    else:
        verdict = "the gradient is right"
    header = ["at", "coordinate", "found", "expected", "factor", "verdict"]
    return Summary(f"Gradient check: {verdict}", (), header, rows, len(ordered) - len(rows))


def check_gradient(objective: Any, x: Any, *, gradient: Any = "auto", nearby: int = 0) -> GradientCheck:
    """Compare the gradient with the slope of the values, extrapolated from difference quotients at shrinking steps.

    Ridders (1982), Accurate computation of F'(x) and F'(x) F''(x). Where the objective takes complex numbers and the
    complex step agrees with that slope, the complex step is used instead: it has no cancellation error (Squire and
    Trapp, 1998).

    Arguments:
        objective: what `minimize` takes.
        x: one point, or several, shape (k, n).
        gradient: the gradient to check, as `minimize` takes it.
        nearby: how many random points near each point, within a tenth of its size, to check too; the same every time.

    Returns:
        The verdicts; as a boolean, True when no coordinate is wrong.

    Raises:
        FalllineError: when the points do not fit the objective, or its values there differ from call to call, are
            complex, or all are whole numbers.

    >>> bool(check_gradient("x**2", 3.0))
    True
    >>> check_gradient("3*(2*x**2 - x - 2) + 1", 2.0, gradient=lambda x: 6*x - 3)
    Gradient check: the gradient is wrong in x
    <BLANKLINE>
     at  coordinate  found  expected    factor  verdict
    [2]           x      9        21  0.428571    wrong
    """
    several = isinstance(x, Sequence | np.ndarray) and len(x) > 0 and np.ndim(x[0]) > 0
    given = list(x) if several else [x]
    dimension = None if np.ndim(given[0]) == 0 else len(given[0])
    values = as_objective(objective, dimension)
    points = np.array([one_point(values, point, "x") for point in given])
    if not (isinstance(nearby, int) and nearby >= 0):
        raise FalllineError("nearby", nearby, "it must be a whole number at least 0")
    if isinstance(values, FunctionObjective):
        with np.errstate(all="ignore"):
            values.check_real(points)
    moved = np.random.default_rng(0).uniform(-0.1, 0.1, (len(points), nearby, values.dimension))
    around = points[:, None] + moved * np.maximum(1, np.abs(points[:, None]))
    points = np.concatenate([points[:, None], around], axis=1).reshape(-1, values.dimension)
    if isinstance(values, FunctionObjective):
        # Also if the gradient is given: nothing can be compared with values that differ from call to call.
        tried(values, points[0])
    prepared = with_gradient(values, gradient, points[0])
    # A function written in JAX is compared with its values in float64.
    compared = values if prepared.precision == values.precision else prepared
    with np.errstate(all="ignore"):
        found = prepared.gradient(points)
        return GradientCheck(
            tuple(
                _checked(compared, point, i, slopes[i])
                for point, slopes in zip(points, found, strict=True)
                for i in range(values.dimension)
            )
        )


def _checked(objective: Objective, point: FloatArray, i: int, found: float) -> CheckedSlope:
    rounding, reach = objective.rounding, 0.1 * max(1.0, abs(point[i]))
    # Steps that are no shorter than the best one of a central difference.
    levels = min(LEVELS, 1 + int(math.log(0.1 / rounding ** (1 / 3), SHRINKING)))
    steps = reach / SHRINKING ** np.arange(levels)
    moves = np.zeros((levels, len(point)))
    moves[:, i] = steps
    after, before = objective.value(point + moves), objective.value(point - moves)
    here = objective.value(point[None, :])[0]
    expected, uncertainty = _extrapolated((after - before) / (2 * steps), order=2)
    exact = _complex_step(objective, point, i)
    close = max(CLOSE, 10 * rounding ** (2 / 3))
    if exact is not None and abs(exact - expected) <= max(close * max(1.0, abs(exact)), 10 * uncertainty):
        expected, uncertainty = exact, EPSILON * abs(exact)
    right, right_uncertainty = _extrapolated((after - here) / steps, order=1)
    left, left_uncertainty = _extrapolated((here - before) / steps, order=1)
    size = max(1.0, abs(expected))
    noise = rounding * abs(here) / steps[-1]
    uncertainty = max(uncertainty, noise)
    one_sided = max(right_uncertainty, left_uncertainty, noise, close * size)
    if abs(right - left) > 10 * one_sided:
        verdict = "kink"
    elif not np.isfinite(expected) or uncertainty > 1e-3 * size:
        verdict = "unclear"
    else:
        verdict = "right" if abs(found - expected) <= max(close * size, 10 * uncertainty) else "wrong"
    return CheckedSlope(point, objective.names[i], float(found), expected, uncertainty, verdict)


def _complex_step(objective: Objective, point: FloatArray, i: int) -> float | None:
    """The slope by a complex step; None where the objective does not take complex numbers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(PerturbedObjective(objective, Perturbation(scheme="complex")).gradient(point)[i])
    except Exception:
        # A function written for real numbers may raise any error on complex ones.
        return None


def _extrapolated(slopes: FloatArray, order: int) -> tuple[float, float]:
    """The limit of slopes at shrinking steps, and its uncertainty (Neville's scheme).

    Arguments:
        slopes: difference quotients at steps that shrink by SHRINKING.
        order: the leading power of the step in their error: 1 for one-sided quotients, 2 for central ones.
    """
    best, uncertainty = float(slopes[-1]), float("inf")
    row = slopes[:1]
    for level in range(1, len(slopes)):
        new = [slopes[level]]
        for k in range(1, level + 1):
            weight = SHRINKING ** (order * k)
            new.append((new[-1] * weight - row[k - 1]) / (weight - 1))
            error = max(abs(new[-1] - new[-2]), abs(new[-1] - row[k - 1]))
            if error < uncertainty:
                best, uncertainty = float(new[-1]), float(error)
        row = np.array(new)
    return best, uncertainty
