"""The gradient by perturbation: difference quotients, one coordinate at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Setting, nearest
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.objectives.base import Cost, Objective, of_values

EPSILON = float(np.finfo(float).eps)
# The powers of the values' rounding that balance truncation error against it (Press et al., Numerical Recipes, 2007,
# §5.7), relative to the coordinate. The complex step has no rounding error to balance, so it can be tiny.
POWERS = {"forward": 1 / 2, "backward": 1 / 2, "central": 1 / 3}
COMPLEX_STEP = 1e-100

# The most numbers in a block of moved points, so that n × n numbers are never in memory at once.
LARGEST_BLOCK = 2**22


@dataclass(frozen=True)
class Perturbation:
    """How to estimate a gradient from values alone.

    "forward" is (f(x + h) − f(x)) / h, "backward" (f(x) − f(x − h)) / h, "central" (f(x + h) − f(x − h)) / 2h, and
    "complex" Im f(x + ih) / h: exact to the last digit, for functions that are analytic and take complex
    numbers (Squire and Trapp, 1998, Using complex variables to estimate derivatives of real functions).

    Attributes:
        step: h, the same for every coordinate; None takes the usual step of the scheme and the values' precision,
            relative to the coordinate's size where that exceeds 1; "noise" one for each coordinate that is fitted, at
            the start, to noise in the values (see `fallline.gradients.noise`).
        scheme: "forward", "backward", "central" or "complex".

    >>> import fallline
    >>> run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(0.1), gradient=Perturbation(0.5))
    >>> run.gradient[0]
    array([2.5])
    """

    SCHEMES: ClassVar[tuple[str, ...]] = (*POWERS, "complex")

    step: float | Literal["noise"] | None = hyperparameter(
        None, about="how far a coordinate is moved", symbol="h", above=0
    )
    scheme: str = "forward"

    def __post_init__(self) -> None:
        if self.scheme not in self.SCHEMES:
            raise FalllineError("scheme", self.scheme, nearest(str(self.scheme), self.SCHEMES))
        if self.step == "noise" and self.scheme == "complex":
            raise FalllineError("scheme", "complex", ("use ", Setting("scheme", "central")), problem="with noise")
        if self.step not in (None, "noise"):
            check_hyperparameters(self)

    @property
    def kind(self) -> str:
        """The name of this kind of gradient in a trajectory."""
        return "complex step" if self.scheme == "complex" else f"{self.scheme} differences"


class PerturbedObjective(Objective):
    """Another objective, with its gradient found by perturbation.

    Arguments:
        objective: what is minimised; only its values are used.
        perturbation: step and scheme.
        fitted: the step for each coordinate that is fitted to noise.
    """

    def __init__(self, objective: Objective, perturbation: Perturbation, fitted: FloatArray | None = None) -> None:
        self.objective = objective
        self.perturbation = perturbation
        self.fitted = fitted
        self.names = objective.names
        self.symbol = objective.symbol
        self.bounds = objective.bounds
        self.minima = objective.minima
        self.precision = objective.precision
        self.gradient_kind = perturbation.kind + of_values(self.precision)
        self.steps_per_epoch = objective.steps_per_epoch
        self.epoch_value = objective.epoch_value

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        return self.objective.stochastic

    @property
    def seeded(self) -> bool:
        return self.objective.seeded

    @property
    def title(self) -> str:
        return self.objective.title

    def value(self, x: FloatArray) -> FloatArray:
        return self.objective.value(x)

    def gradient(self, x: FloatArray) -> FloatArray:
        if self.perturbation.scheme in ("forward", "backward"):
            return self.value_and_gradient(x)[1]
        return self._symmetric(x)

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        value = self.objective.value(x)
        if self.perturbation.scheme not in ("forward", "backward"):
            return value, self._symmetric(x)
        step = self.steps(x)
        if self.perturbation.scheme == "forward":
            return value, (self._moved(x, step) - value[..., None]) / step
        return value, (value[..., None] - self._moved(x, -step)) / step

    @property
    def cost_of_gradient(self) -> Cost:
        per_coordinate = 2 if self.perturbation.scheme == "central" else 1
        at_x = 1 if self.perturbation.scheme in ("forward", "backward") else 0
        return Cost(value=per_coordinate * self.dimension + at_x, gradient=0)

    @property
    def cost_of_both(self) -> Cost:
        per_coordinate = 2 if self.perturbation.scheme == "central" else 1
        return Cost(value=per_coordinate * self.dimension + 1, gradient=0)

    def at_step(self, step: int, seed: int) -> Objective:
        if not self.stochastic:
            return self
        return PerturbedObjective(self.objective.at_step(step, seed), self.perturbation, self.fitted)

    def raise_errors_at(self, x: FloatArray) -> None:
        self.objective.raise_errors_at(x)
        signs = {"forward": (1,), "backward": (-1,), "central": (1, -1), "complex": (1j,)}
        for sign in signs[self.perturbation.scheme]:
            for points in self._points_around(x, sign * self.steps(x)):
                self.objective.raise_errors_at(points)

    def recipe(self) -> dict[str, Any] | None:
        return self.objective.recipe()

    def _symmetric(self, x: FloatArray) -> FloatArray:
        step = self.steps(x)
        if self.perturbation.scheme == "central":
            slopes: FloatArray = (self._moved(x, step) - self._moved(x, -step)) / (2 * step)
            return slopes
        try:
            with warnings.catch_warnings():
                # NumPy only warns when the imaginary part is discarded, as by a function of Python's `math`.
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                values = self._moved(x, 1j * step)
        except (TypeError, np.exceptions.ComplexWarning) as error:
            raise FalllineError(
                "scheme",
                problem=f"is 'complex', but {self.title} does not take complex numbers ({error})",
                allowed=("use ", Setting("scheme", "central")),
            ) from error
        if not (self.objective.analytic and np.iscomplexobj(values)):
            raise FalllineError(
                "scheme",
                problem=f"is 'complex', but {self.title} does not give complex values (abs and sign cannot)",
                allowed=("use ", Setting("scheme", "central")),
            )
        gradient: FloatArray = values.imag / step
        return gradient

    def steps(self, x: FloatArray) -> FloatArray:
        """How far each coordinate moves, in the shape of x."""
        if self.fitted is not None:
            return np.broadcast_to(self.fitted, x.shape)
        if self.perturbation.step is not None:
            return np.full(x.shape, self.perturbation.step)
        if self.perturbation.scheme == "complex":
            return np.full(x.shape, COMPLEX_STEP)
        step = self.rounding ** POWERS[self.perturbation.scheme] * np.maximum(1, np.abs(x))
        # The step that x actually makes in floating point, which a function in float32 makes of it.
        kind = np.float32 if self.rounding > EPSILON else np.float64
        taken: FloatArray = np.subtract((x + step).astype(kind), x.astype(kind), dtype=float)
        return taken

    def _moved(self, x: FloatArray, step: Any) -> Any:
        """The values with each coordinate in turn moved by its step: shape (..., n)."""
        return np.concatenate([self.objective.value(points) for points in self._points_around(x, step)], axis=-1)

    def _points_around(self, x: FloatArray, step: Any) -> Iterator[FloatArray]:
        """The points with each coordinate in turn moved by its step: blocks of shape (..., coordinates, n)."""
        block = max(1, LARGEST_BLOCK // max(1, x.size))
        for first in range(0, self.dimension, block):
            rows_of_identity = np.eye(min(block, self.dimension - first), self.dimension, first)
            yield x[..., None, :] + step[..., None, :] * rows_of_identity
