"""The noise in a function's values, and the difference steps that suit it.

The noise is estimated by ECnoise (Moré and Wild, 2011, Estimating computational noise): high differences of a smooth
function vanish, so that what is left of them is noise. The step balances it against the second derivative (Moré and
Wild, 2012, Estimating derivatives of noisy simulations).
"""

from __future__ import annotations

import math

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.objectives.base import Objective

# The values in a line from which noise is estimated, and their distances, in the size of the point: noise from random
# numbers shows at any distance, that of a solver's tolerance or of rounding only where the function is nearly straight.
VALUES, DISTANCES = 9, (1e-2, 1e-4, 1e-6, 1e-8)
# Three estimates in a row that agree within this factor are of noise.
AGREEING = 4
# A second difference this many times the noise shows curvature; one of more than this part of the value is too long.
ABOVE_NOISE, OF_VALUE = 100, 0.1


def noise_of(values: FloatArray) -> float | None:
    """The standard deviation of the noise in values at equal distances along a line; None where none is seen.

    >>> rng = np.random.default_rng(0)
    >>> 0.5e-3 < noise_of(np.linspace(0, 0.01, 9)**2 + rng.normal(0, 1e-3, 9)) < 2e-3
    True
    >>> noise_of(np.exp(np.linspace(0, 1, 9))) is None
    True
    """
    levels, signs = [], []
    differences = values
    for k in range(1, len(values)):
        differences = np.diff(differences)
        # Independent values of variance 1 give differences of variance (2k)! / (k!)².
        levels.append(math.sqrt(np.mean(differences**2) / math.comb(2 * k, k)))
        signs.append(differences.min() < 0 < differences.max())
    for k in range(len(levels) - 2):
        near = levels[k : k + 3]
        if signs[k] and max(near) <= AGREEING * min(near):
            return levels[k]
    return None


def fitted_steps(objective: Objective, at: FloatArray) -> tuple[float, FloatArray]:
    """The noise in the values around a point, and the step of a difference in each coordinate.

    Arguments:
        objective: the function; it is called 9 to 36 times, and 3 to 6 times for each coordinate.
        at: the point, shape (n,).

    Raises:
        FalllineError: when a value there is not finite.
    """
    size = np.maximum(1, np.abs(at))
    direction = np.random.default_rng(0).uniform(0.5, 1, at.shape) * size
    noise = None
    for distance in DISTANCES:
        line = np.arange(VALUES) - VALUES // 2
        values = objective.value(at + distance * line[:, None] * direction)
        if not np.isfinite(values).all():
            raise FalllineError(
                "x0", at.tolist(), problem=f"but {objective.title} is not finite around it, so its noise is not known"
            )
        noise = noise_of(values)
        if noise is not None:
            break
    # Without other noise there is that of rounding.
    level = max(noise or 0.0, objective.rounding * max(float(np.abs(values).max()), np.finfo(float).tiny))
    steps = [_step(objective, at, i, level, float(size[i])) for i in range(len(at))]
    return level, np.array(steps)


def _step(objective: Objective, at: FloatArray, i: int, noise: float, size: float) -> float:
    """The forward step in one coordinate: 8^(1/4) (noise / |f''|)^(1/2), of the least expected square of the error."""

    def curvature(step: float) -> tuple[float, bool]:
        moves = np.outer([-step, 0, step], np.eye(len(at))[i])
        values = objective.value(at + moves)
        before, here, after = values
        second = abs(after - 2 * here + before)
        rise = np.abs(values - here).max()
        sure = second >= ABOVE_NOISE * noise and rise <= OF_VALUE * np.abs(values).max()
        # Below the noise nothing is known but that it is smaller.
        return max(second, noise) / step**2, sure

    first = noise**0.25 * size
    found, sure = curvature(first)
    if not sure:
        again, sure = curvature((noise / found) ** 0.25)
        if sure or abs(found - again) <= again / 2:
            found = again
    return 8**0.25 * math.sqrt(noise / found)
