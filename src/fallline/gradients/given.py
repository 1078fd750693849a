"""The gradient computed by a function that the user gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Verbatim, listed, shortened
from fallline.objectives.base import Objective
from fallline.objectives.function import (
    FunctionObjective,
    called,
    check_keywords,
    described,
    positional_parameters,
    title_of,
)


class GivenGradientObjective(Objective):
    """Another objective, with its gradient computed by the user's function.

    Arguments:
        objective: what is minimised.
        function: takes one point as the objective's own function does: a number for each coordinate, or one vector;
            and returns one number for each coordinate.

    Raises:
        FalllineError: when the function does not take a point.
    """

    gradient_kind = "given"

    def __init__(self, objective: Objective, function: Callable[..., Any]) -> None:
        self.objective = objective
        self.function = function
        self.names = objective.names
        self.symbol = objective.symbol
        self.bounds = objective.bounds
        self.minima = objective.minima
        self.precision = objective.precision
        takes_vector = isinstance(objective, FunctionObjective) and objective.vector
        self.vector = len(positional_parameters(function)) == 1 and (takes_vector or self.dimension > 1)
        self._check_call()

    @property
    def title(self) -> str:
        return self.objective.title

    def value(self, x: FloatArray) -> FloatArray:
        return self.objective.value(x)

    def gradient(self, x: FloatArray) -> FloatArray:
        points = x.reshape(-1, self.dimension)
        return np.array([self._slopes(point) for point in points]).reshape(x.shape)

    def raise_errors_at(self, x: FloatArray) -> None:
        self.objective.raise_errors_at(x)
        for point in x.reshape(-1, self.dimension):
            called(self.function, point, vector=self.vector, or_nan=False)

    def recipe(self) -> dict[str, Any] | None:
        return self.objective.recipe()

    def _check_call(self) -> None:
        """Refuse a function that does not take a point: with fewer or more arguments, or one by name."""
        check_keywords(self.function, "gradient")
        count = 1 if self.vector else self.dimension
        try:
            inspect.signature(self.function).bind(*range(count))
        except ValueError:  # functions written in C may have no signature
            return
        except TypeError:
            either = f"a vector, g(x), or {count} numbers" if count > 1 else "one argument"
            raise FalllineError(
                "gradient",
                Verbatim(title_of(self.function)),
                f"it must take {either}, for {listed(self.names)}",
                problem=f"a function of {listed(positional_parameters(self.function)) or 'no arguments'}",
            ) from None

    def _slopes(self, point: FloatArray) -> FloatArray:
        result = called(self.function, point, vector=self.vector)
        if result is np.nan:
            return np.full(self.dimension, np.nan)
        try:
            slopes = np.array(result)
            slopes = np.empty(0) if np.iscomplexobj(slopes) else slopes.astype(float)
        except (TypeError, ValueError):
            slopes = np.empty(0)
        if slopes.size != self.dimension:
            told = described(result) if result is None else shortened(result)
            raise FalllineError(
                problem=f"gradient {title_of(self.function)} returned {told}",
                allowed=f"it must return {self.dimension} number{'s' if self.dimension > 1 else ''}, one for each of "
                f"{listed(self.names)}",
            )
        return slopes.reshape(self.dimension)
