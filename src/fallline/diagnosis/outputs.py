"""The output of a module of the user's own: the range that any parameters can reach, found from random ones."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck

# Parameters are drawn with these deviations; an end of the range is one that the larger ones do not move.
SMALLER, LARGER = (3.0, 10.0, 30.0), (100.0, 300.0, 1000.0)
# By how much it may move, as a part of 1 and its own size; and how many points at most are drawn with each deviation.
STILL, DRAWN = 1e-3, 4


@runtime_checkable
class Answering(Protocol):
    """An objective that shows what its module answers.

    Attributes:
        loss_name: the name of the loss that takes the answers.
    """

    loss_name: str

    def targets(self) -> npt.NDArray[Any]:
        """The targets."""

    def answers(self, x: FloatArray) -> FloatArray:
        """What the module answers with the parameters x, shape (dimension,), for the first rows of the data."""


class Outputs(NamedTuple):
    """What a module can answer.

    Attributes:
        low, high: the ends of the range; infinite where there is none.
        constant: whether it is the same with any parameters.
        shares: whether the answers for a row are shares: at least 0, with the sum 1.
        shape: that of the answers for the first rows.
    """

    low: float
    high: float
    constant: bool
    shares: bool
    shape: tuple[int, ...]


def outputs_of(case: Case) -> tuple[Answering, Outputs]:
    """The user's module and what it can answer."""
    objective = case.innermost
    if not isinstance(objective, Answering):
        raise CannotCheck("a model with its data")
    random = np.random.default_rng(0)
    dimension = case.run.x.shape[1]
    # An answer costs about half of an evaluation with its gradient.
    drawn = min(DRAWN, 2 * case.allowance // (len(SMALLER) + len(LARGER)))
    if not drawn:
        raise CannotCheck("more time for the module's answers than the run itself took")
    groups = []
    for deviations in (SMALLER, LARGER):
        draws = [size * random.normal(size=(dimension,)) for size in deviations for _ in range(drawn)]
        groups.append(np.stack([objective.answers(x) for x in draws]))
    smaller, larger = groups
    both = np.concatenate(groups)
    if not np.isfinite(both).all():
        raise CannotCheck("finite answers with random parameters")
    return objective, Outputs(
        low=-_end(-smaller, -larger),
        high=_end(smaller, larger),
        constant=bool(np.ptp(both, axis=0).max() == 0),
        shares=both.ndim > 2
        and both.shape[-1] > 1
        and bool((both >= 0).all() and np.allclose(both.sum(axis=-1), 1, atol=1e-6)),
        shape=both.shape[1:],
    )


def _end(smaller: FloatArray, larger: FloatArray) -> float:
    """The largest answer, if it is the same with larger parameters."""
    first, then = float(smaller.max()), float(larger.max())
    return max(first, then) if abs(then - first) <= STILL * (1 + abs(first)) else np.inf
