"""Gradient descent, the basic rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fallline.arrays import Quantity
from fallline.optimizers.base import LearningRate, Optimizer, learning_rate


@dataclass(frozen=True)
class GradientDescent(Optimizer[None]):
    r"""Steepest descent with a given rate: x ← x − η g.

    Cauchy (1847), Méthode générale pour la résolution des systèmes d'équations simultanées. The libraries call it
    SGD, whatever the gradient is of.

    >>> import fallline
    >>> fallline.minimize("x**2", 1.0, GradientDescent(0.25), max_steps=2).x.ravel()
    array([1.  , 0.5 , 0.25])
    """

    name: ClassVar[str] = "gradient_descent"
    called: ClassVar[str] = "gradient descent"
    conventions = {
        "paper": "one step against the gradient",
        "torch": "as the paper",
        "keras": "as the paper",
        "optax": "as the paper",
    }

    learning_rate: LearningRate = learning_rate(0.01, {"torch": 0.001})

    def init(self, x: Quantity) -> None:
        return None

    def update(self, gradient: Quantity, state: None, rate: Quantity, step: Quantity) -> tuple[Quantity, None]:
        return rate * gradient, state
