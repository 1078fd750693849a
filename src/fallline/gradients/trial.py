"""A trial of a user's function at one point, before a run: what numbers it returns, and whether they repeat."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.objectives.base import ROUNDING
from fallline.objectives.function import FunctionObjective, called

# Values that differ by more than this many roundings were not computed from the same numbers.
ROUNDINGS = 100
# A value with at most this many binary digits is too round to show the precision it was computed in.
ROUND_DIGITS = 12


def tried(objective: FunctionObjective, at: FloatArray) -> bool:
    """Call the function at a point, and note in the objective the precision of what it returns.

    Arguments:
        objective: the function; its `precision` is set.
        at: the point, shape (n,).

    Returns:
        Whether the values are JAX arrays.

    Raises:
        FalllineError: when a value is not one number, or the function returns several values at one point.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # JAX warns that it computes in float32; in a run it will not.
        warnings.filterwarnings("ignore", "Explicitly requested dtype")
        result = called(objective.function, at, vector=objective.vector)
        number = complex(objective.number(result))
        value = number.real if number.imag == 0 else np.nan
        # Twice at once, and again after a call elsewhere, which shows most counters and small sets of batches.
        again = [float(objective.value(at))]
        elsewhere, near = _elsewhere(objective, at)
        again.append(float(objective.value(at)))
        objective.precision = _precision((result, elsewhere), near)
    for other in again:
        if not np.isclose(other, value, rtol=ROUNDINGS * objective.rounding, atol=0, equal_nan=True):
            raise FalllineError(
                "objective",
                problem=f"{objective.title} gives {value:.10g} and {other:.10g} at the same point",
                allowed="if it draws batches, leave that to .batches(size) of a loss; else give gradient= a function, "
                "or Perturbation('noise'), whose step is fitted to the noise",
            )
    jax: Any = sys.modules.get("jax")
    return jax is not None and isinstance(result, jax.Array)


def _elsewhere(objective: FunctionObjective, at: FloatArray) -> tuple[Any, float]:
    """What the function returns near the point, where a value is hardly ever a round number, and that number."""
    near = at + 1e-3 * np.maximum(1, np.abs(at)) * np.random.default_rng(0).uniform(0.5, 1, at.shape)
    try:
        result = called(objective.function, near, vector=objective.vector)
        return result, float(np.real(objective.number(result)))
    except Exception:
        # The point may be outside of the domain; the value at the first one was fine.
        return np.nan, np.nan


def _precision(results: Sequence[Any], number: float) -> str:
    """The precision of two results; where their type does not show it, the digits of a number do."""
    kinds = [str(getattr(each, "dtype", type(each).__name__)).removeprefix("torch.") for each in results]
    if all(kind.startswith(("int", "uint", "bool")) for kind in kinds):
        return "integer"
    if kinds[0] in ROUNDING and kinds[0] != "float64":
        return kinds[0]
    if not np.isfinite(number) or float(np.float32(number)) != number:
        return "float64"
    mantissa = float(np.frexp(number)[0])
    return "float64" if (mantissa * 2**ROUND_DIGITS).is_integer() else "float32"
