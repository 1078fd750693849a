"""The first operation of an objective whose result is not finite at a point, found by computing it again."""

from __future__ import annotations

import linecache
import math
import traceback
from collections.abc import Callable, Mapping

import numpy as np

from fallline.arrays import FloatArray
from fallline.objectives import FunctionObjective, Objective
from fallline.objectives.compiled import Compiled
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.function import title_of
from fallline.objectives.straight_line import StraightLine


def first_bad_operation(objective: Objective, x: FloatArray) -> str | None:
    """The first operation that gives no finite number at a point, in words; None if it cannot be told.

    Arguments:
        objective: a formula, or a Python function in plain NumPy or `math`.
        x: the point, shape (n,), finite.

    >>> from fallline.objectives import as_objective
    >>> first_bad_operation(as_objective("x + log(x - 3)"), np.array([1.0]))
    'log(-2)'
    """
    if isinstance(objective, FormulaObjective):
        return _in_formula(objective, x)
    return _in_function(objective, x) if isinstance(objective, FunctionObjective) else None


def _in_formula(objective: FormulaObjective, x: FloatArray) -> str | None:
    code = StraightLine(objective.formula)
    expressions = list(code.known)
    values = Compiled(code, [code.node(code.known[part]) for part in expressions])(x[None, :])[0]
    known = dict(zip(expressions, values.tolist(), strict=True))
    for part in expressions:
        inside = [known[operand] for operand in part.parts]
        if not math.isfinite(known[part]) and all(map(math.isfinite, inside)):
            words = _WORDS.get(part.operation)
            return words(inside) if words else f"{part.operation}({', '.join(f'{number:.6g}' for number in inside)})"
    return None


def _power(inside: list[float]) -> str:
    base, exponent = inside
    if base == 0 and exponent < 0:
        return "a division by 0"
    if exponent == 1 / 2:
        return f"sqrt({base:.6g})"
    return f"{base:.6g} to the power {exponent:.6g}"


_WORDS: Mapping[str, Callable[[list[float]], str]] = {
    "**": _power,
    "+": lambda inside: f"a sum that is too large for a number: {' + '.join(f'{n:.3g}' for n in inside)}",
    "*": lambda inside: f"a product that is too large for a number: {' · '.join(f'{n:.3g}' for n in inside)}",
}


def _in_function(objective: FunctionObjective, x: FloatArray) -> str | None:
    """What NumPy or Python says of it, and the line of the function on which it happens."""
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            objective.function(x.copy()) if objective.vector else objective.function(*x)
    except (ArithmeticError, ValueError) as error:
        code = getattr(objective.function, "__code__", None)
        frames = traceback.extract_tb(error.__traceback__)
        inside = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
        line = linecache.getline(inside[-1].filename, inside[-1].lineno or 0).strip() if inside else ""
        told = f"{error} in {title_of(objective.function)}"
        return f"{told}: {line}" if line else told
    except Exception:  # whatever else a user's function raises says nothing of numbers
        return None
    return None
