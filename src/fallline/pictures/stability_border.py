"""Where on the picture of a sweep a rule becomes unstable, by theory: the border of its learning rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients.spectrum import extreme_eigenvalues
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import with_settings
from fallline.optimizers.stability import stability_limit
from fallline.pictures import words
from fallline.pictures.factor_axis import FactorAxis, ordered
from fallline.results.sweep import Sweep
from fallline.tables import Printed

# The points of a border that is a curve; and the most corrections of a rate, of which all rules but those with a decay
# of their own need one.
POINTS, CORRECTIONS = 17, 12
CLOSE, SAME = 1e-9, 1e-6
RATE = "learning_rate"


@dataclass(frozen=True, eq=False, repr=False)
class Border(Printed):
    """The learning rates above which a rule is unstable on the quadratic at the lowest end of the sweep's runs.

    Attributes:
        curvature: the largest eigenvalue of the Hessian there.
        line: its vertices on the picture, shape (k, 2), with rows of NaN between its parts.
        rates: the learning rates of these.
    """

    curvature: float
    line: FloatArray
    rates: FloatArray

    @property
    def text(self) -> str:
        """What the border is, for a legend, with spaces that are not broken in the equations."""
        known = f"λ\u00a0=\u00a0{words.number(self.curvature)} at the lowest end"
        lowest, highest = float(np.nanmin(self.rates)), float(np.nanmax(self.rates))
        if highest > lowest * (1 + SAME):
            return f"limit of stability by theory, {known}"
        twice = "2/λ\u00a0=\u00a0" if abs(lowest * self.curvature / 2 - 1) < SAME else ""
        return f"limit of stability by theory: {twice}{words.number(lowest)}, {known}"


def border_of(runs: Sweep, x: FactorAxis, y: FactorAxis, held: Mapping[str, Any]) -> Border | None:
    """The border on a picture of a sweep; None where no axis is the learning rate, or no rule has a border.

    It is found for rules that have a limit whatever their state: an adaptive rule has none.

    Arguments:
        x, y: the axes of the picture.
        held: the values of the other factors.
    """
    rates, other = (x, y) if x.name == RATE else (y, x)
    if rates.name != RATE or ordered(rates.values) is None or runs.objective is None or not runs.rules:
        return None
    curvature = _largest_curvature(runs)
    if not (math.isfinite(curvature) and curvature > 0):
        return None
    rules = dict(zip(runs.factors["optimizer"], runs.rules, strict=True))

    def rate_at(value: Any) -> float:
        settings = {**held, other.name: value} if other.name else dict(held)
        rule = rules[settings.pop("optimizer")] if "optimizer" in settings else runs.rules[0]
        return _critical(lambda rate: with_settings(rule, {**settings, RATE: rate}), curvature)

    found, across = _line(rate_at, other)
    line = np.stack([[rates.place(rate) for rate in found], across], axis=1)
    if np.isnan(line).any(axis=1).all():
        return None
    return Border(curvature, line if rates is x else line[:, ::-1], found)


def _line(rate_at: Callable[[Any], float], other: FactorAxis) -> tuple[FloatArray, FloatArray]:
    """The rates of the border along the other axis: a curve over numbers, a piece across the cell of anything else."""
    numbers = ordered(other.values)
    if numbers is None or len(numbers) == 1:
        found = np.array([rate_at(value) for value in other.values])
        across = np.array([[*other.span(index), np.nan] for index in range(len(found))])
        return found.repeat(3), across.ravel()
    low, high = numbers.min(), numbers.max()
    values = np.geomspace(low, high, POINTS) if other.spacing == "log" else np.linspace(low, high, POINTS)
    return np.array([rate_at(float(value)) for value in values]), np.array([other.place(value) for value in values])


def _largest_curvature(runs: Sweep) -> float:
    """The largest eigenvalue of the Hessian at the lowest end of all runs."""
    ends = np.where(np.isfinite(runs.value), runs.value, np.inf)
    place = np.unravel_index(int(ends.argmin()), ends.shape)
    if runs.objective is None or not np.isfinite(ends[place]):
        return math.nan
    return extreme_eigenvalues(runs.objective, runs.x[place]).highest


def _critical(rule_at: Callable[[float], Optimizer[Any]], curvature: float) -> float:
    """The learning rate at which a rule has a limit of this curvature; NaN where it has none."""
    rate = 1 / curvature
    for _ in range(CORRECTIONS):
        try:
            rule = rule_at(rate)
        except FalllineError:
            # Between two values of a setting there may be some that it does not take.
            return math.nan
        limit = stability_limit(rule, rate=rate)
        bearable = float(limit.curvature.min())
        if limit.reason is not None or limit.adapts or not bearable > 0:
            return math.nan
        before, rate = rate, rate * bearable / curvature
        if abs(rate - before) <= CLOSE * rate:
            return rate
    return math.nan
