"""Whether a rule may be run on each tensor by itself: what it says of that, tried out on two coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.optimizers import Optimizer


def check_elementwise(rule: Optimizer[Any]) -> None:
    """Refuse a rule that calls itself elementwise and is not: on tensors apart it would silently be another rule.

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
    # Arrays of other lengths may differ in their last digits, and no rule that mixes coordinates by so little.
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
