"""The base class of everything that can be minimised."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Setting
from fallline.tables import MOST_COORDINATES, Printed, Summary, names_text, one_line, summary_of, vector_text

# The relative rounding of a value of each floating-point type.
ROUNDING = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def of_values(precision: str) -> str:
    """The end of a gradient's kind that says which values it was found from, if they are not the usual ones.

    >>> "central differences" + of_values("float32")
    'central differences of float32 values'
    """
    return "" if precision == "float64" else f" of {precision} values"


class Cost(NamedTuple):
    """How many evaluations of the function, and of its gradient, one call takes."""

    value: int
    gradient: int


class Objective(Printed, ABC):
    """A function of `dimension` coordinates, evaluated on one point or on any batch of points.

    `x` is float64 with the coordinates on the last axis; leading axes are a batch. `value(x)` drops the
    last axis, `gradient(x)` keeps it. The result for a point never depends on the batch it came in.

    Attributes:
        names: the coordinates' names, in order.
        symbol: what its value is called: the name of a formula's last line, else "f".
        bounds: (low, high) of each coordinate, the region to draw; None when not known.
        minima: known minima, one point a row; empty when not known.
        gradient_kind: how `gradient` is found ("symbolic", "exact", ...), None without a gradient.
        precision: the type that values are computed in: a name in ROUNDING.
        of_data: whether it is a loss on data, so that time is measured in epochs.
        stochastic: whether `at_step` gives a different objective at each step (mini-batches).
        convex: whether it is known to be convex, so that its flat points are minima.
        analytic: whether complex steps go through it, as far as is known.
        rereads: whether each evaluation is a pass over files or over rows elsewhere.
        steps_per_epoch: how many steps one pass over the data takes; 1 without data.
        epoch_value: which value a run records: "full", of this objective, or "running", of the objective that
            `at_step` gives for the next step.
    """

    names: tuple[str, ...]
    symbol: str = "f"
    bounds: tuple[tuple[float, float], ...] | None = None
    minima: tuple[tuple[float, ...], ...] = ()
    gradient_kind: str | None = None
    precision: str = "float64"
    of_data: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    convex: ClassVar[bool] = False
    analytic: ClassVar[bool] = True
    steps_per_epoch: int = 1
    epoch_value: Literal["full", "running"] = "full"

    @property
    def dimension(self) -> int:
        """The number of coordinates."""
        return len(self.names)

    @property
    def rereads(self) -> bool:
        return False

    @property
    def rounding(self) -> float:
        """The relative rounding of a value."""
        return ROUNDING.get(self.precision, ROUNDING["float64"])

    @property
    def seeded(self) -> bool:
        """Whether what `at_step` gives depends on the seed."""
        return self.stochastic

    @property
    @abstractmethod
    def title(self) -> str:
        """One line that says what is minimised, for tables and pictures."""

    @property
    def reading(self) -> str | None:
        """How the text of a formula was understood, with every sign written; None where the text says it already."""
        return None

    @abstractmethod
    def value(self, x: FloatArray) -> FloatArray:
        """The function's value at each point: shape (..., dimension) to (...)."""

    def gradient(self, x: FloatArray) -> FloatArray:
        """The gradient at each point, in the shape of x: (..., dimension)."""
        raise FalllineError(
            "gradient",
            problem=f"is 'symbolic' or 'exact', but {self.title} has no gradient of its own",
            allowed=("use ", Setting("gradient", "auto"), " or a Perturbation"),
        )

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both at once, which may share computations."""
        return self.value(x), self.gradient(x)

    @property
    def cost_of_gradient(self) -> Cost:
        """What one call of `gradient` costs, for one point."""
        return Cost(value=0, gradient=1)

    @property
    def cost_of_both(self) -> Cost:
        """What one call of `value_and_gradient` costs, for one point."""
        return Cost(value=1, gradient=1)

    def kink(self, x: FloatArray) -> str | None:
        """What has no slope at a point where the value is finite and the gradient is not; None if it is not known."""
        return None

    def at_step(self, step: int, seed: int) -> Objective:
        """What the optimizer sees at a step (counted from 1): itself, or a mini-batch of its data."""
        return self

    def raise_errors_at(self, x: FloatArray) -> None:
        """Raise the error that the user's function raises at these points, where `value` and `gradient` give NaN.

        Plain Python raises (`math.exp(1000)`, `math.log(-1)`, `1 / 0`) where NumPy gives inf or NaN.
        """

    def recipe(self) -> dict[str, Any] | None:
        """What is needed to rebuild this objective, as JSON values; None when it cannot be rebuilt from such."""
        return None


@summary_of.register
def _of_objective(objective: Objective) -> Summary:
    facts = [("coordinates", names_text(objective.names)), ("gradient", objective.gradient_kind or "none of its own")]
    if objective.reading is not None:
        facts.insert(0, ("read as", one_line(objective.reading)))
    if objective.bounds is not None and objective.dimension <= MOST_COORDINATES:
        bounds = zip(objective.names, objective.bounds, strict=True)
        sides = (f"{name} from {low:g} to {high:g}" for name, (low, high) in bounds)
        facts.append(("bounds", ", ".join(sides)))
    if len(objective.minima):
        more = f", … {len(objective.minima) - 1} more" if len(objective.minima) > 1 else ""
        facts.append(("minima", vector_text(objective.minima[0]) + more))
    return Summary(f"{type(objective).__name__}: {one_line(objective.title)}", facts)
