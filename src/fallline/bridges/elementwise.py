"""Check that a rule declared elementwise really is, so that it can run on each tensor separately."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.optimizers import Optimizer


def check_elementwise(rule: Optimizer[Any]) -> None:
    """Refuse a rule that is declared elementwise but is not: run on separate tensors it would give wrong results.

    Raises:
        FalllineError: naming the rule and what to write.

    >>> import fallline
    >>> check_elementwise(fallline.Adam())
    """
    if not rule.elementwise:
        return
    start, gradient = np.array([1.0, 2.0]), np.array([0.5, -3.0])
    together = _moved(rule, start, gradient)
    apart = [_moved(rule, start[i : i + 1], gradient[i : i + 1])[0] for i in range(2)]
    # Results may differ in the last digits with the length of the array; mixing coordinates changes them by far more.
    if not np.allclose(together, apart, rtol=1e-9, atol=0, equal_nan=True):
        name = type(rule).__name__
        raise FalllineError(
            "elementwise",
            problem="is True, but a coordinate moves otherwise beside another one",
            allowed=f"write elementwise = False in the class {name}",
            of=name,
        )


def _moved(rule: Optimizer[Any], x: FloatArray, gradient: FloatArray) -> FloatArray:
    """How far two steps of the rule move x."""
    state, moved = rule.init(x.copy()), 0 * x
    with np.errstate(all="ignore"):
        for step in (1, 2):
            change, state = rule.update(gradient / step, state, 0.1, step)
            moved = moved + change
    return moved
