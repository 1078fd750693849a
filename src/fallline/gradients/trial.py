"""A trial of a user's function at one point, before a run: what numbers it returns, and whether they repeat."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, shortened
from fallline.objectives.base import ROUNDING
from fallline.objectives.function import FunctionObjective, called

# Values that differ by more than this many roundings were not computed from the same numbers.
ROUNDINGS = 100
# A value with at most this many binary digits is too round to show the precision it was computed in.
ROUND_DIGITS = 12
# How far around a point whose value is a whole number others are tried, relative to the coordinates' sizes.
REACHES = (1e-3, 1e-2, 0.1, 1.0, 10.0)
# Floats beyond this may be whole by rounding: half of those in float32 above 2**22 are.
MOST_WHOLE = 2**13
# How often the way between two values is halved to tell a steep slope from a jump.
HALVINGS = 50


def tried(objective: FunctionObjective, at: FloatArray) -> bool:
    """Call the function at a point, and note in the objective the precision of what it returns.

    Arguments:
        objective: the function; its `precision` is set.
        at: the point, shape (n,).

    Returns:
        Whether the values are JAX arrays.

    Raises:
        FalllineError: when a value is not one number, or the function returns several values at one point, or whole
            numbers wherever it is tried.
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
    if _is_whole(elsewhere, near):
        _check_slope(objective, at)
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


def _kind(result: Any) -> str:
    """The name of a result's type, or of that of its entries."""
    return str(getattr(result, "dtype", type(result).__name__)).removeprefix("torch.")


def _is_whole(result: Any, number: float) -> bool:
    """Whether a result is a whole number that is none by the rounding of its type."""
    kind = _kind(result)
    if kind.startswith(("int", "uint")):
        return True
    return kind not in ("float16", "bfloat16") and abs(number) <= MOST_WHOLE and number.is_integer()


@np.errstate(all="ignore")
def _check_slope(objective: FunctionObjective, at: FloatArray) -> None:
    """Refuse a function whose values around a point, at coordinates that are not whole, all are whole numbers.

    One that is constant around the point may have a slope farther away, as the hinge max(0, x - 100) has, and one of
    two values a slope between them, as min(max(0, 100*x), 1) has.
    """
    random = np.random.default_rng(1)
    kinds: set[str] = set()
    found: dict[float, FloatArray] = {}

    def looked_at(place: FloatArray) -> float | None:
        """The value at a place, noted; None where it is not whole, NaN where there is none."""
        try:
            result = called(objective.function, place, vector=objective.vector)
            number = float(np.real(objective.number(result)))
        except Exception:  # the place may be outside of the domain
            return np.nan
        if not _is_whole(result, number):
            return None if np.isfinite(number) else np.nan
        kinds.add(_kind(result))
        found.setdefault(number, place)
        return number

    sides = [side * reach for reach in REACHES for side in (-1, 1)]
    for move in sides:
        if looked_at(at + move * np.maximum(1, np.abs(at)) * random.uniform(0.5, 1, at.shape)) is None:
            return
    if len(found) > 1:
        (first, low), (_, high) = list(found.items())[:2]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            number = looked_at(middle)
            if number is None:
                return
            low, high = (middle, high) if number == first else (low, middle)
    # A count or a comparison is one wherever it is tried; the 0 of a hinge is a plain number.
    elif not kinds or any(kind == "int" or kind.startswith("float") for kind in kinds):
        return
    number, place = next(iter(found.items()))
    raise FalllineError(
        "objective",
        problem=f"{objective.title} gives whole numbers also where x is none, such as {number:g} at "
        f"{shortened(place.tolist())}: it has steps, no slope",
        allowed="return the number before int(), round() or a comparison makes it whole, or give gradient= a "
        "function, or Perturbation(h) with an h that spans many steps",
    )


def _precision(results: Sequence[Any], number: float) -> str:
    """The precision of two results; where their type does not show it, the digits of a number do."""
    kinds = [_kind(each) for each in results]
    if kinds[0] in ROUNDING and kinds[0] != "float64":
        return kinds[0]
    if not np.isfinite(number) or float(np.float32(number)) != number:
        return "float64"
    mantissa = float(np.frexp(number)[0])
    return "float64" if (mantissa * 2**ROUND_DIGITS).is_integer() else "float32"
