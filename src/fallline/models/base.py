"""The contract of a loss: a model's error on data, as an objective of the model's parameters."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import number_array
from fallline.errors import FalllineError, nearest
from fallline.models.batches import Batches, Order, Remainder
from fallline.objectives.base import Objective

Reduction = Literal["sum", "mean"]
REDUCTIONS = ("sum", "mean")

# Data of up to this many numbers go into the recipe, so that a saved run can be done again from its file.
SMALL_DATA = 10_000


class Loss(Objective):
    """A model and the data it is fitted to; the coordinates are the model's parameters.

    A model says how its parameters are named, and gives `value`, `gradient` and `check_targets`.

    Arguments:
        X: the inputs, n rows of d features; n numbers are n rows of one feature. Kept, not copied.
        y: the n targets.
        reduction: "sum" adds up the error of the rows, "mean" divides value and gradient by their number.
        feature_names: the d names of the features, for the names of the parameters and error texts.

    Raises:
        FalllineError: when X or y is empty, has the wrong shape, or holds something that is no finite number.
    """

    gradient_kind = "exact"
    model: ClassVar[str]

    def __init__(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        reduction: Reduction = "sum",
        feature_names: Sequence[str] | None = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise FalllineError(f"reduction is {reduction!r}; {nearest(str(reduction), REDUCTIONS)}")
        self.X = _inputs(X)
        self.y = _targets(y, rows=len(self.X))
        self.reduction = reduction
        self.feature_names = _feature_names(feature_names, self.X.shape[1])
        self.check_targets()
        self.names = self.parameter_names()

    @property
    def rows(self) -> int:
        """The number of data points."""
        return len(self.y)

    @property
    def title(self) -> str:
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{'mean ' if self.reduction == 'mean' else ''}{self.model}, {rows}"

    @abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the coordinates, made from `feature_names`, or from the shape of X without them."""

    def check_targets(self) -> None:
        """Raise a FalllineError naming the first row of y that the model cannot mean."""

    def on_rows(self, rows: slice | npt.NDArray[np.intp]) -> Self:
        """The same model on some of the data points only."""
        part = copy.copy(self)
        part.X = self.X[rows]
        part.y = self.y[rows]
        return part

    def batches(self, size: int, *, order: Order = "sequential", remainder: Remainder = "keep") -> Batches:
        """This loss as an optimizer sees it when each step takes its gradient from a batch of rows.

        Arguments:
            size: rows in a batch, from 1 (stochastic gradient descent) to all.
            order: "sequential" takes the rows as they stand; "shuffled" in another order every epoch, set by
                the seed of the run.
            remainder: what becomes of the rows left over after the last whole batch of an epoch: "keep" makes
                a smaller batch of them, "drop" leaves them out of that epoch.

        >>> from fallline.models import SigmoidNeuron
        >>> loss = SigmoidNeuron([0.5, 1.0, 2.5], [0.2, 0.4, 0.9], reduction="mean")
        >>> loss.batches(2).steps_per_epoch
        2
        """
        return Batches(self, size, order=order, remainder=remainder)

    def recipe(self) -> dict[str, Any] | None:
        """What rebuilds this loss (see `loss_from_recipe`), data included; None when the data are large."""
        if self.X.size + self.y.size > SMALL_DATA:
            return None
        return {
            "type": type(self).__name__,
            "X": self.X.tolist(),
            "y": self.y.tolist(),
            "reduction": self.reduction,
            "feature_names": None if self.feature_names is None else list(self.feature_names),
        }


def _inputs(X: npt.ArrayLike) -> FloatArray:
    inputs = number_array(X, "X")
    if inputs.ndim == 1:
        inputs = inputs[:, None]
    if inputs.ndim != 2 or 0 in inputs.shape:
        raise FalllineError(f"X has the shape {inputs.shape}; it needs rows of features, at least one of each")
    return inputs


def _targets(y: npt.ArrayLike, rows: int) -> FloatArray:
    targets = number_array(y, "y")
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim != 1:
        raise FalllineError(f"y has the shape {targets.shape}; it needs one number for each row of X")
    if len(targets) != rows:
        raise FalllineError(f"y has {len(targets)} values, but X has {rows} rows; each row needs one target")
    return targets


def _feature_names(names: Sequence[str] | None, features: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    texts = tuple(str(name) for name in names)
    if isinstance(names, str) or len(texts) != features or len(set(texts)) != features:
        raise FalllineError(
            f"feature_names is {names!r}; it needs {features} different names, one for each column of X"
        )
    return texts
