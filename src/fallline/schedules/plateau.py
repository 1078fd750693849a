"""A schedule that waits for the value to stand still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from fallline.arrays import Quantity
from fallline.hyperparameters import hyperparameter
from fallline.schedules.base import Schedule
from fallline.schedules.constant import make_schedule


class Plateau(NamedTuple):
    """What ReduceOnPlateau remembers of a run.

    Attributes:
        best: the lowest value that counted as an improvement.
        waited: the number of points since then.
        resting: the number of points left of the cooldown.
        scale: the present factor of the rate.
    """

    best: Quantity
    waited: Quantity
    resting: Quantity
    scale: Quantity


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    r"""A rate, or any schedule, multiplied by `factor` each time the value has not improved for a while.

    At each point the value f is compared with the best so far, b: f < b − threshold · |b| is an improvement. After
    more than `patience` points without one the rate drops, and the next `cooldown` points do not count. There is no
    paper that introduces it.

    The conventions "torch" and "optax" require f < b (1 − threshold), which for a negative b accepts values
    worse than the best. In "optax" and "keras" the rate drops at the `patience`-th point; "keras" takes the
    threshold as a difference of values, and counts the last point of the cooldown.

    Attributes:
        after: the rate, or the schedule, that is reduced.
        factor: what it is multiplied by.
        patience: the number of points without improvement that are tolerated.
        threshold: how much lower than the best counts as an improvement, as a fraction of the best.
        cooldown: points after a drop that do not count.
        least: the smallest factor of the rate.
        convention: "paper", "torch", "optax" or "keras".

    >>> import fallline
    >>> schedule = fallline.ReduceOnPlateau(1.0, factor=0.5, patience=3)
    >>> run = fallline.minimize("abs(x)", 0.5, fallline.GradientDescent(schedule), max_steps=6)
    >>> run.rate[:-1].tolist()
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    """

    name: ClassVar[str] = "reduce_on_plateau"
    called: ClassVar[str] = "on plateau"
    conventions: ClassVar[Mapping[str, str]] = {
        "paper": "the threshold is a part of the best value's size",
        "torch": "a worse value may count as better where the best is negative",
        "optax": "as torch, but drops one point earlier",
        "keras": "the threshold is a difference of values; drops one point earlier",
    }
    needs_value: ClassVar[bool] = True

    after: Schedule | float
    factor: float = hyperparameter(0.1, about="what the rate is multiplied by", symbol=r"\gamma", above=0, below=1)
    patience: int = hyperparameter(
        10, about="points without improvement to wait for", symbol="p", at_least=1, whole=True
    )
    threshold: float = hyperparameter(1e-4, about="least improvement", symbol=r"\tau", at_least=0)
    cooldown: int = hyperparameter(0, about="points after a drop that do not count", symbol="c", at_least=0, whole=True)
    least: float = hyperparameter(0.0, about="smallest factor in all", symbol=r"\phi", at_least=0, at_most=1)
    convention: str = field(default="paper", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        make_schedule(self)

    def rate(self, step: Quantity) -> Quantity:
        assert isinstance(self.after, Schedule)
        return self.after.rate(step)

    def rate_after(self, memory: Plateau, step: Quantity) -> Quantity:
        return memory.scale * self.rate(step)

    def watched(self, memory: Plateau | None, value: Quantity) -> Plateau:
        if memory is None:
            none = np.zeros_like(value)
            # Any value is an improvement on a start that is NaN.
            return Plateau(np.where(np.isnan(value), np.inf, value), waited=none, resting=none, scale=none + 1)
        best, waited, resting, scale = memory
        if self.convention == "keras":
            wanted = best - self.threshold
        elif self.convention == "paper":
            wanted = best * (1 - self.threshold * np.sign(best))
        else:
            wanted = best * (1 - self.threshold)
        better = value < wanted
        left = np.maximum(resting - 1, 0)
        counts = (left if self.convention == "keras" else resting) == 0
        waited = np.where(counts & ~better, waited + 1, 0)
        allowed = self.patience - 1 if self.convention in ("optax", "keras") else self.patience
        drops = waited > allowed
        return Plateau(
            best=np.where(better, value, best),
            waited=np.where(drops, 0, waited),
            resting=np.where(drops, self.cooldown, left),
            scale=np.where(drops, np.maximum(scale * self.factor, self.least), scale),
        )
