"""Gradient checking: compare a gradient with numerical derivatives of the values.

Few coordinates are checked one by one. Of many, a few random directions are, and where these disagree, the worst
coordinates are looked for by halving.
"""

from __future__ import annotations

import dataclasses
import functools
import heapq
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients import with_gradient
from fallline.gradients.perturbation import COMPLEX_STEP, EPSILON, LARGEST_BLOCK
from fallline.gradients.trial import tried
from fallline.norms import norm
from fallline.objectives import FunctionObjective, as_objective
from fallline.objectives.base import Objective
from fallline.objectives.points import one_point
from fallline.slips import in_our_words
from fallline.tables import MOST_ROWS, Printed, Summary, names_text, summary_of, vector_text

# Ridders' method: steps that shrink by 1.4 from a tenth of the coordinate's size, extrapolated to zero.
SHRINKING = 1.4
LEVELS = 24
# A gradient within this of the slope, relative to the larger of 1 and the slope, is right; with values in float32 more.
CLOSE = 1e-6
# The most coordinates that are checked one by one; of more, so many random directions and worst coordinates.
EACH, DIRECTIONS, WORST = 50, 3, 5
# How many steps many coordinates are moved by, up to about the best one of a central difference: a longer one crosses
# kinks of a network.
ALONG_LEVELS = 6


@dataclass(frozen=True, repr=False)
class CheckedSlope:
    """One coordinate of a gradient at one point, or its part along a direction, compared with the slope of the values.

    Attributes:
        point: the coordinates of the point.
        name: the coordinate, or "direction 1" for a random direction.
        found: the gradient's coordinate, or its product with the direction.
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
        along = f"along {self.name}" if self.name.startswith("direction ") else f"d/d{self.name}"
        text = f"{along} at {place}: found {self.found:.10g}, expected {self.expected:.10g}"
        if self.verdict == "wrong":
            text += f", {self.factor:.6g} times what it should be" if self.expected else ""
        return f"{text}: {self.verdict}"


@dataclass(frozen=True, repr=False)
class GradientCheck(Printed):
    """The verdict on a gradient.

    Attributes:
        slopes: an entry for each point and coordinate; of many coordinates only the worst of the wrong ones.
        directions: for many coordinates, an entry for each point and random direction.
    """

    slopes: tuple[CheckedSlope, ...]
    directions: tuple[CheckedSlope, ...] = ()

    @property
    def wrong(self) -> tuple[CheckedSlope, ...]:
        """The entries in which the gradient is wrong."""
        return tuple(slope for slope in (*self.slopes, *self.directions) if slope.verdict == "wrong")

    def __bool__(self) -> bool:
        return not self.wrong


@summary_of.register
def _of_check(check: GradientCheck) -> Summary:
    """The entries as a table, wrong ones first."""
    wrong, all_of_them = check.wrong, (*check.slopes, *check.directions)
    ordered = [*wrong, *(slope for slope in all_of_them if slope.verdict != "wrong")]
    several = not check.directions or len({slope.point.tobytes() for slope in all_of_them}) > 1
    rows = [
        [
            *([vector_text(slope.point)] if several else []),
            slope.name,
            f"{slope.found:.10g}",
            f"{slope.expected:.10g}",
            f"{slope.factor:.6g}" if slope.verdict == "wrong" and slope.expected else "",
            slope.verdict,
        ]
        for slope in ordered[:MOST_ROWS]
    ]
    header = ["at", "coordinate", "found", "expected", "factor", "verdict"]
    if not check.directions:
        return Summary(f"Gradient check: {_verdict(check)}", (), header, rows, len(ordered) - len(rows))
    point = check.directions[0].point
    facts = [("coordinates", f"{len(point)}, checked along random directions")]
    if not several:
        header = header[1:]
        facts.append(("at", vector_text(point)))
    return Summary(f"Gradient check: {_verdict(check)}", facts, header, rows, len(ordered) - len(rows))


def _verdict(check: GradientCheck) -> str:
    """What a check comes to, in a few words."""
    if named := list(dict.fromkeys(slope.name for slope in check.slopes if slope.verdict == "wrong")):
        return f"the gradient is wrong in {names_text(named)}{', and maybe in others' if check.directions else ''}"
    if unsure := sorted({slope.verdict for slope in (*check.slopes, *check.directions)} - {"right"}):
        return f"nothing is wrong, but not everything can be told: {', '.join(unsure)}"
    return "the gradient is right"


@in_our_words
def check_gradient(objective: Any, x: Any, *, gradient: Any = "auto", nearby: int = 0) -> GradientCheck:
    """Compare the gradient with the slope of the values, extrapolated from difference quotients at shrinking steps.

    Up to 50 coordinates are checked one by one. Of more, the gradient is compared along three random directions, in
    each of which every coordinate takes part; where they disagree, blocks of coordinates are halved to find the worst
    five. This takes about 40 values of the objective, and some hundred where the gradient is wrong.

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
        gradients = prepared.gradient(points)
        checks = [*map(functools.partial(_Check, compared), points, gradients)]
        if values.dimension <= EACH:
            return GradientCheck(tuple(check.coordinate(i) for check in checks for i in range(values.dimension)))
        found = [check.along_directions() for check in checks]
    return GradientCheck(*(tuple(slope for pair in found for slope in pair[part]) for part in (0, 1)))


class _Check:
    """Checks a gradient at one point, along directions.

    Arguments:
        objective: whose values it is compared with.
        point: shape (n,).
        gradient: the one to check, shape (n,).
    """

    def __init__(self, objective: Objective, point: FloatArray, gradient: FloatArray) -> None:
        self.objective = objective
        self.point = point
        self.gradient = gradient
        # How far a coordinate moves, in units of a step.
        self.sizes = np.maximum(1.0, np.abs(point))
        rounding = objective.rounding
        # Steps that are no shorter than the best one of a central difference.
        levels = min(LEVELS, 1 + int(math.log(0.1 / rounding ** (1 / 3), SHRINKING)))
        self.steps = 0.1 / SHRINKING ** np.arange(levels)
        self.short_steps = rounding ** (1 / 3) / 3 * SHRINKING ** np.arange(ALONG_LEVELS)[::-1]
        self.close = max(CLOSE, 10 * rounding ** (2 / 3))

    def coordinate(self, i: int) -> CheckedSlope:
        """The verdict on one coordinate."""
        direction = np.zeros(len(self.point))
        direction[i] = 1.0
        steps = self.sizes[i] * self.steps
        return self._along(direction, steps, float(self.gradient[i]), self.objective.names[i], least=1.0)

    def along_directions(self) -> tuple[tuple[CheckedSlope, ...], tuple[CheckedSlope, ...]]:
        """The worst coordinates, and the verdicts along random directions.

        Where no coordinate is wrong by itself, a kink between the points may be what a direction shows.
        """
        directions = self.directions()
        if all(slope.verdict == "right" for slope in directions):
            return (), directions
        wrong = tuple(slope for slope in map(self.coordinate, self.worst()) if slope.verdict == "wrong")
        if wrong:
            return wrong, directions
        return (), tuple(
            dataclasses.replace(slope, verdict="unclear") if slope.verdict == "wrong" else slope for slope in directions
        )

    def directions(self) -> tuple[CheckedSlope, ...]:
        """The verdicts along random directions, in which every coordinate takes part alike."""
        count = len(self.point)
        # A gradient that is off by as much as one coordinate may be.
        finite = np.where(np.isfinite(self.gradient), self.gradient, 0.0)
        least = max(1.0, float(norm(finite * self.sizes))) / math.sqrt(count)
        found = []
        for number in range(DIRECTIONS):
            direction = self._signed(number) / math.sqrt(count)
            along = float(self.gradient @ direction)
            found.append(self._along(direction, self.short_steps, along, f"direction {number + 1}", least))
        return tuple(found)

    def worst(self) -> list[int]:
        """The coordinates in which the gradient is most wrong, by halving blocks of them.

        The errors of both halves add up to that of the whole, so one half of each block is measured.
        """
        lost = np.flatnonzero(~np.isfinite(self.gradient))
        if len(lost):
            return [int(i) for i in lost[:WORST]]
        signed = self._signed(0)
        count = len(self.point)
        waiting = [(-math.inf, 0, count, *self._error(signed, 0, count))]
        found: list[int] = []
        while waiting and len(found) < WORST:
            _, first, end, error, uncertainty = heapq.heappop(waiting)
            if abs(error) <= max(self.close, 10 * uncertainty):
                continue
            while end - first > 1:
                middle = (first + end) // 2
                left, of_left = self._error(signed, first, middle)
                halves = [(first, middle, left, of_left), (middle, end, error - left, uncertainty + of_left)]
                smaller, (first, end, error, uncertainty) = sorted(halves, key=lambda half: abs(half[2]))
                heapq.heappush(waiting, (-abs(smaller[2]), *smaller))
            found.append(first)
        return found

    def _signed(self, seed: int) -> FloatArray:
        """A random direction, with every coordinate about as much as its size.

        Not by as much: equal errors of two coordinates would cancel.
        """
        random = np.random.default_rng(seed)
        weights: FloatArray = random.choice([-1.0, 1.0], len(self.point)) * random.uniform(0.5, 1.5, len(self.point))
        return weights * self.sizes

    def _error(self, signed: FloatArray, first: int, end: int) -> tuple[float, float]:
        """How far the gradient is off along the direction, within a block of coordinates, and the uncertainty."""
        length = math.sqrt(end - first)
        direction = np.zeros(len(self.point))
        direction[first:end] = signed[first:end] / length
        steps = self.short_steps
        after, before = self._values(direction, steps), self._values(direction, -steps)
        expected, uncertainty = _extrapolated((after - before) / (2 * steps), order=2)
        error = float(self.gradient @ direction) - expected
        return (length * error, length * uncertainty) if math.isfinite(error) else (0.0, 0.0)

    def _along(self, direction: FloatArray, steps: FloatArray, found: float, name: str, least: float) -> CheckedSlope:
        """The verdict along a direction.

        Arguments:
            least: the size of a slope to which a smaller one is compared.
        """
        objective = self.objective
        after, before = self._values(direction, steps), self._values(direction, -steps)
        here = objective.value(self.point[None, :])[0]
        expected, uncertainty = _extrapolated((after - before) / (2 * steps), order=2)
        exact = self._complex_step(direction)
        if exact is not None and abs(exact - expected) <= max(self.close * max(least, abs(exact)), 10 * uncertainty):
            expected, uncertainty = exact, EPSILON * abs(exact)
        right, right_uncertainty = _extrapolated((after - here) / steps, order=1)
        left, left_uncertainty = _extrapolated((here - before) / steps, order=1)
        size = max(least, abs(expected))
        noise = objective.rounding * abs(here) / steps[-1]
        uncertainty = max(uncertainty, noise)
        one_sided = max(right_uncertainty, left_uncertainty, noise, self.close * size)
        if abs(right - left) > 10 * one_sided:
            verdict = "kink"
        elif not np.isfinite(expected) or uncertainty > 1e-3 * size:
            verdict = "unclear"
        else:
            verdict = "right" if abs(found - expected) <= max(self.close * size, 10 * uncertainty) else "wrong"
        return CheckedSlope(self.point, name, found, expected, uncertainty, verdict)

    def _values(self, direction: FloatArray, steps: FloatArray) -> FloatArray:
        """The values at steps along a direction."""
        rows = max(1, LARGEST_BLOCK // len(self.point))
        blocks = (steps[first : first + rows, None] for first in range(0, len(steps), rows))
        return np.concatenate([self.objective.value(self.point + block * direction) for block in blocks])

    def _complex_step(self, direction: FloatArray) -> float | None:
        """The slope by a complex step; None where the objective does not take complex numbers."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # NumPy only warns when the imaginary part is discarded, as by a function of Python's `math`.
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                value = self.objective.value((self.point + 1j * COMPLEX_STEP * direction)[None, :])[0]
        except Exception:
            # A function written for real numbers may raise any error on complex ones.
            return None
        return float(value.imag / COMPLEX_STEP) if np.iscomplexobj(value) else None


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
