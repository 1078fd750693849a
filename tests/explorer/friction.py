"""A rule as a user would write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import fallline
from fallline.hyperparameters import hyperparameter


class Speed(NamedTuple):
    """The state of a rule with a speed."""

    speed: Any


@dataclass(frozen=True)
class Friction(fallline.Optimizer[Speed]):
    """A ball that loses a part of its speed with each step: v becomes (1 - f) v + rate g."""

    learning_rate: Any = 0.1
    friction: float = hyperparameter(0.5, about="part of the speed that is lost", symbol="f", at_least=0, at_most=1)

    def init(self, x: Any) -> Speed:
        return Speed(0 * x)

    def update(self, gradient: Any, state: Speed, rate: Any, step: Any) -> tuple[Any, Speed]:
        speed = (1 - self.friction) * state.speed + rate * gradient
        return speed, Speed(speed)
