"""Averages of the points that a rule passes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import LearningRate, Optimizer, learning_rate


class AveragedState(NamedTuple):
    """The point and the mean of the points."""

    x: Quantity
    average: Quantity


@dataclass(frozen=True)
class AveragedDescent(Optimizer[AveragedState]):
    r"""Gradient descent that also keeps the mean of its points: x ← x − η_t (g + λ x); x̄ ← x̄ + (x − x̄) / μ_t.

    With η_t = η / (1 + λ η (t − 1))^α and μ_t = max(1, t − t₀), at the paper's defaults λ = 0 and t₀ = 0: x̄ is
    the mean of all points after the start. x̄ is the result; it has no influence on the run. It is recorded as the part
    "average" of the state.

    Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging; Ruppert (1988), Efficient
    estimations from a slowly convergent Robbins-Monro process. The decay λ and the falling rate are those of
    Xu (2011), Towards optimal one pass large scale learning with averaged stochastic gradient descent. Torch has
    them by default, counts the t of μ_t from 0, and begins the mean only after a million steps: until then x̄ is x.
    Under a schedule torch's rate is one step behind the schedule's; here it is the schedule's.

    >>> import fallline
    >>> rule = AveragedDescent(0.25)
    >>> run = fallline.minimize("x**2", 1.0, rule, max_steps=2, record=fallline.Record(state=True))
    >>> run.x.ravel(), run.states["average"].ravel()
    (array([1.  , 0.5 , 0.25]), array([1.   , 0.5  , 0.375]))
    """

    name: ClassVar[str] = "averaged_descent"
    called: ClassVar[str] = "averaged gradient descent"
    conventions = {
        "paper": "the mean of all points after the start",
        "torch": "x decays, the rate falls, and the mean begins late and counts its steps from 0",
    }

    learning_rate: LearningRate = learning_rate(0.01)
    decay: float = hyperparameter(
        0.0, about="decay of x and of the rate", symbol=r"\lambda", at_least=0, defaults={"torch": 1e-4}
    )
    power: float = hyperparameter(0.75, about="how fast the rate falls", symbol=r"\alpha", at_least=0)
    begin: float = hyperparameter(
        0, about="steps before the mean begins", symbol="t_0", at_least=0, defaults={"torch": 1e6}
    )

    def init(self, x: Quantity) -> AveragedState:
        return AveragedState(x=x, average=x)

    def update(
        self, gradient: Quantity, state: AveragedState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, AveragedState]:
        fallen = rate / (1 + self.decay * rate * (step - 1)) ** self.power
        change = fallen * (gradient + self.decay * state.x)
        x = state.x - change
        counted = step - 1 if self.convention == "torch" else step
        average = state.average + (x - state.average) / np.maximum(1, counted - self.begin)
        return change, AveragedState(x, average)
