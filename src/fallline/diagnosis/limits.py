"""The stability limit of a rule that answers gradients of any size alike, and the rate it allows at a curvature."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.line_search import LineSearch
from fallline.optimizers import Optimizer

# Gradients that tell whether a rule answers twice the gradients with twice the steps.
PROBES = (1.0, -0.5, 0.7)


class Steepest(NamedTuple):
    """A curvature, and the largest stable rate there."""

    curvature: float
    rate: float


def constant_limit(rule: Optimizer[Any]) -> float | None:
    """The rate times the curvature above which a rule is unstable; None where gradients of another size change it.

    >>> import fallline
    >>> round(constant_limit(fallline.Momentum(0.1)), 6), constant_limit(fallline.Adam(0.1))
    (3.8, None)
    """
    if not rule.elementwise or not is_linear(rule):
        return None
    from fallline.optimizers.stability import stability_limit  # not for a run without a fault, which would wait for it

    # A schedule may have come to 0 at the late step of which the limit is found; a rate of 1 has the same limit.
    limit = stability_limit(rule, rate=1.0).limit
    return limit if np.isfinite(limit) else None


def keeps_length(rule: Optimizer[Any]) -> bool:
    """Whether gradients twice as large make the same steps, as with a rule that takes only their signs.

    >>> import fallline
    >>> keeps_length(fallline.SignDescent(0.1)), keeps_length(fallline.GradientDescent(0.1))
    (True, False)
    """
    if not rule.elementwise:
        return False
    return bool(np.allclose(_answers(rule, 1.0), _answers(rule, 2.0), rtol=1e-9, atol=0))


def is_linear(rule: Optimizer[Any]) -> bool:
    """Whether twice the gradients make twice the steps.

    >>> import fallline
    >>> is_linear(fallline.Momentum(0.1)), is_linear(fallline.Adam(0.1))
    (True, False)
    """
    once, twice = (_answers(rule, size) for size in (1.0, 2.0))
    return bool(np.allclose(twice, 2 * once, rtol=1e-9, atol=0))


def _answers(rule: Optimizer[Any], size: float) -> FloatArray:
    """The first steps of a rule on gradients of this size."""
    changes: list[float] = []
    searched = isinstance(rule.learning_rate, LineSearch)
    # A penalty may name coordinates that one alone does not have.
    with np.errstate(all="ignore"), contextlib.suppress(FalllineError):
        state = rule.init(np.zeros(1))
        for step, gradient in enumerate(np.multiply(size, PROBES), start=1):
            change, state = rule.update(np.array([gradient]), state, 1.0 if searched else float(rule.rate(step)), step)
            changes.append(np.asarray(change).item())
    return np.array(changes or [np.nan])
