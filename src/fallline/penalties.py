"""Penalties added to the objective, and convex sets that constrain x, for proximal and projected rules."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from fallline.arrays import Quantity
from fallline.errors import FalllineError
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.registry import Registry
from fallline.slips import CalledInOurWords

# The penalties and sets by their class names.
STRUCTURES: Registry[Penalty | ConvexSet] = Registry("fallline.penalties")


@dataclass(frozen=True)
class Penalty(metaclass=CalledInOurWords):
    """A function h that is added to the objective. It need not be differentiable, but has a proximal operator.

    Arguments:
        free: the indices of coordinates without a penalty, such as the biases of a model.
    """

    free: tuple[int, ...] = field(default=(), kw_only=True)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        STRUCTURES.enter(cls.__name__, cls)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def acting(self, x: Quantity) -> Quantity:
        """1 for coordinates with a penalty, 0 for free coordinates.

        Raises:
            FalllineError: when x has no such coordinate.
        """
        if not self.free:
            return 1.0
        acting, count = np.ones(x.shape[-1]), x.shape[-1]
        for place in self.free:
            if not -count <= place < count:
                raise FalllineError(
                    "free", problem=f"has the place {place}, but x has {count} coordinates", of=type(self).__name__
                )
            acting[place] = 0.0
        return acting

    @abstractmethod
    def value(self, x: Quantity) -> Quantity:
        """h(x): shape (..., n) to (...)."""

    @abstractmethod
    def proximal(self, x: Quantity, rate: Quantity) -> Quantity:
        """The proximal operator: the u that minimises rate · h(u) + ½ ‖u − x‖², in the shape of x."""


@dataclass(frozen=True)
class L1(Penalty):
    """λ Σ |x|: sets small coordinates to exactly zero (Tibshirani, 1996, the lasso).

    >>> L1(1.0).proximal(np.array([3.0, -0.5]), 1.0)
    array([2., 0.])
    """

    strength: float = hyperparameter(about="weight of the penalty", symbol=r"\lambda", at_least=0)

    def value(self, x: Quantity) -> Quantity:
        return self.strength * np.sum(self.acting(x) * abs(x), axis=-1)

    def proximal(self, x: Quantity, rate: Quantity) -> Quantity:
        # Below the threshold the result is exactly 0.0, never -0.0 or a rounding error.
        threshold = rate * self.strength * self.acting(x)
        return np.maximum(x - threshold, 0.0) - np.maximum(-x - threshold, 0.0)


@dataclass(frozen=True)
class L2(Penalty):
    """½ λ Σ x²: shrinks every coordinate (Hoerl and Kennard, 1970, ridge regression).

    >>> L2(1.0).proximal(np.array([3.0]), 0.5)
    array([2.])
    """

    strength: float = hyperparameter(about="weight of the penalty", symbol=r"\lambda", at_least=0)

    def value(self, x: Quantity) -> Quantity:
        return 0.5 * self.strength * np.sum(self.acting(x) * x * x, axis=-1)

    def proximal(self, x: Quantity, rate: Quantity) -> Quantity:
        return x / (1 + rate * self.strength * self.acting(x))


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """λ₁ Σ |x| + ½ λ₂ Σ x² (Zou and Hastie, 2005, Regularization and variable selection via the elastic net).

    >>> ElasticNet(1.0, 1.0).proximal(np.array([3.0]), 1.0)
    array([1.])
    """

    l1: float = hyperparameter(about="weight of the absolute values", symbol=r"\lambda_1", at_least=0)
    l2: float = hyperparameter(about="weight of the squares", symbol=r"\lambda_2", at_least=0)

    def value(self, x: Quantity) -> Quantity:
        return L1(self.l1, free=self.free).value(x) + L2(self.l2, free=self.free).value(x)

    def proximal(self, x: Quantity, rate: Quantity) -> Quantity:
        return L2(self.l2, free=self.free).proximal(L1(self.l1, free=self.free).proximal(x, rate), rate)


class ConvexSet(metaclass=CalledInOurWords):
    """A convex set that x must lie in."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        STRUCTURES.enter(cls.__name__, cls)

    @abstractmethod
    def projected(self, x: Quantity) -> Quantity:
        """The point of the set nearest to x, in the shape of x."""


@dataclass(frozen=True)
class Box(ConvexSet):
    """Every coordinate between `low` and `high`: numbers, or one number per coordinate.

    >>> Box(0.0, 1.0).projected(np.array([-1.0, 0.5, 3.0]))
    array([0. , 0.5, 1. ])
    """

    low: Quantity
    high: Quantity

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.low) <= np.asarray(self.high)):
            raise FalllineError("low", self.low, f"it must be at most high, {self.high!r}, everywhere", of="Box")

    def projected(self, x: Quantity) -> Quantity:
        return np.minimum(np.maximum(x, self.low), self.high)


@dataclass(frozen=True)
class Ball(ConvexSet):
    """The points within `radius` of the origin.

    >>> Ball(1.0).projected(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """

    radius: float = hyperparameter(1.0, about="radius of the ball", symbol="r", above=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def projected(self, x: Quantity) -> Quantity:
        # Scaled first, so that no square overflows.
        largest = np.maximum(np.max(abs(x), axis=-1, keepdims=True), self.radius)
        length = np.linalg.norm(x / largest, axis=-1, keepdims=True)
        return x / largest * (self.radius / np.maximum(length, self.radius / largest))


@dataclass(frozen=True)
class Simplex(ConvexSet):
    """The points whose coordinates are not negative and add up to `total`.

    Duchi, Shalev-Shwartz, Singer and Chandra (2008), Efficient projections onto the l1-ball.

    >>> Simplex().projected(np.array([1.0, 0.5, -1.0]))
    array([0.75, 0.25, 0.  ])
    """

    total: float = hyperparameter(1.0, about="what the coordinates add up to", symbol="s", above=0)

    def __post_init__(self) -> None:
        check_hyperparameters(self)

    def projected(self, x: Quantity) -> Quantity:
        # Adding a constant to x does not change the projection; with the largest at zero the sums stay small.
        x = x - np.max(x, axis=-1, keepdims=True)
        largest_first = np.sort(x, axis=-1)[..., ::-1]
        count = np.arange(1, x.shape[-1] + 1)
        excess = (np.cumsum(largest_first, axis=-1) - self.total) / count
        # The number of coordinates that stay above zero.
        stay = np.sum(largest_first > excess, axis=-1, keepdims=True)
        return np.maximum(x - np.take_along_axis(excess, stay - 1, axis=-1), 0.0)
