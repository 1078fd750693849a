"""The base class of losses: a model's error on data, as an objective of the model's parameters."""

from __future__ import annotations

import dataclasses
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data.rows import Rows
from fallline.encoding import encode
from fallline.errors import FalllineError, Verbatim, nearest
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.models.batches import Batches, EpochValue, Order, Remainder
from fallline.models.chunked import ChunkedRows
from fallline.models.inputs import feature_names_of, inputs_of, targets_of
from fallline.models.parts import single_blas
from fallline.models.slices import Sliceable
from fallline.models.streamed import StreamedBatches
from fallline.models.summing import RowSum, dense
from fallline.models.weights import ClassWeight, class_counts, class_weights_of, row_weights_of
from fallline.objectives.base import Objective
from fallline.penalties import L1
from fallline.tables import Summary, names_text, summary_of

Reduction = Literal["sum", "mean"]
REDUCTIONS = ("sum", "mean")

# What the targets of a model are; "numbers or two classes" are classes if they are texts.
Target = Literal["numbers", "two classes", "classes", "numbers or two classes"]

# Data of up to this many numbers are included in the recipe, so that a saved run can be repeated from its file.
SMALL_DATA = 10_000


class WrongTarget(FalllineError):
    """A target that the model cannot have.

    Attributes:
        row: its row, counted from 0.
    """

    def __init__(self, row: int, target: float, allowed: str) -> None:
        super().__init__(f"y[{row}]", Verbatim(f"{target:g}"), allowed)
        self.row = row


@dataclass(init=False, eq=False, repr=False)
class Loss(RowSum, Sliceable):
    """A model and the data it is fitted to; the coordinates are the model's parameters.

    Value and gradient are those of the mean of ℓ over the rows (or its sum) + ½ l2 ‖w‖². A model names its
    parameters, says which of them are weights, and implements `forward`, `errors`, `backward`, `predict` and
    `check_targets`. Its other settings are fields of its dataclass, given by keyword.

    Arguments:
        X: the inputs, n rows of d features; n numbers are n rows of one feature. Not copied: float64 or float32
            (computations are in float64 all the same), in any memory order, or a SciPy sparse matrix, as CSR. A Dask
            array is not loaded, but read chunk by chunk in every pass.
        y: the n targets.
        reduction: "mean" divides the sum of the rows' errors, and its gradient, by their number; "sum" does not.
        feature_names: the d names of the features, for the names of the parameters and error texts.
        sample_weight: how often each row counts, n numbers at least 0, as in scikit-learn: 2 stands for the row twice,
            0 for no row. The mean divides by their sum.
        class_weight: a factor of the weight of each row, by its class: a mapping of labels to numbers, a number for
            each class in order, or "balanced": as if all classes had the same number of rows.
        l2: strength of the penalty ½ l2 ‖w‖² on the weights, not the biases; it is added after the reduction. So
            the l2 of a mean is that of the sum divided by n, and ridge regression's alpha is the l2 of a sum.

    Attributes:
        curvature: the largest eigenvalue of ∂²ℓ/∂z² over all outputs z and allowed y; inf if it is unbounded.
        convex: whether ∂²ℓ/∂z² is never negative, so that the loss is convex in the parameters.

    Raises:
        FalllineError: when X or y is empty, has the wrong shape, or holds something that is not a finite number,
            and for an unknown setting.
    """

    gradient_kind = "exact"
    of_data: ClassVar[bool] = True
    model: ClassVar[str]
    curvature: ClassVar[float] = math.inf

    l2: float = hyperparameter(0.0, about="strength of the penalty on the squared weights", at_least=0)

    def __init__(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        reduction: Reduction = "mean",
        feature_names: Sequence[str] | None = None,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        **settings: Any,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise FalllineError("reduction", reduction, nearest(str(reduction), REDUCTIONS))
        chunked = ChunkedRows.of(X, y, sample_weight)
        if chunked is not None:
            if self.target(settings) == "classes" and chunked.has_texts:
                raise _wrong_labels("a Dask array of texts")
            # X and y hold the first chunk, as a sample of the data.
            (first,) = chunked.part(0)
            X, y, sample_weight = first.X, first.y, first.weights
        self.X = inputs_of(X)
        self.reduction = reduction
        self.dataset = None
        self.feature_names = feature_names_of(feature_names, self.X.shape[1])
        known = [field.name for field in dataclasses.fields(self)]
        for name, setting in settings.items():
            if name not in known:
                raise FalllineError(
                    type(self).__name__, problem=f"has no setting {name!r}", allowed=nearest(name, known)
                )
            setattr(self, name, setting)
        check_hyperparameters(self)
        self.check_settings()
        self.y = targets_of(self.encoded(y), rows=self.X.shape[0])
        if chunked is not None and not np.array_equal(self.y, y):
            raise _wrong_labels("a Dask array")
        self.check_targets()
        self.names = self.parameter_names()
        self.are_weights = np.zeros(len(self.names), bool)
        for one_unit in self.filters():
            self.are_weights[one_unit] = True
        if chunked is not None:
            chunked.check(lambda y: self.on_part(self.X, y).check_targets())
            self.dataset = chunked
        self._weigh(sample_weight, class_weight)

    def _weigh(self, sample_weight: npt.ArrayLike | None, class_weight: ClassWeight | None) -> None:
        """Set the weights of the rows and of the classes."""
        own = None if sample_weight is None else row_weights_of(sample_weight, len(self.y))
        rows = Rows(self.X, self.y, own)
        whole = [rows] if self.dataset is None else self.dataset.blocks()
        self.class_weights = None
        if class_weight is not None:
            classes = self.class_labels()
            if not classes:
                raise FalllineError(
                    "class_weight",
                    problem=f"is given, but the targets of a {self.model} are numbers",
                    allowed="give each row its sample_weight",
                )
            counts = class_counts(((self.class_numbers(some.y), some.weights) for some in whole), len(classes))
            self.class_weights = class_weights_of(class_weight, classes, counts)
        self.weights = self.weighed(rows).weights
        if self.dataset is not None:
            self.mean_weight = self.over(self.dataset).mean_weight
        else:
            self.mean_weight = 1.0 if self.weights is None else float(self.weights.mean())
        if not self.mean_weight:
            raise FalllineError("sample_weight", problem="is 0 for every row", allowed="some row must count")

    @property
    def rereads(self) -> bool:
        return self.dataset is not None

    @property
    def title(self) -> str:
        rows = f"{self.rows} {'weighted ' * (self.weights is not None)}row{'s' * (self.rows != 1)}"
        penalty = f" with l2 = {self.l2:g}" if self.l2 else ""
        return f"{'mean ' if self.reduction == 'mean' else ''}{self.model}{penalty}, {rows}"

    @abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the coordinates, made from `feature_names` or else from the shape of X."""

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        """What the model with these settings is fitted to."""
        return "numbers"

    def class_labels(self) -> tuple[str, ...]:
        """The labels or names of the classes, in their order; none where the targets are numbers."""
        return ()

    def class_numbers(self, y: FloatArray) -> npt.NDArray[np.intp]:
        return y.astype(np.intp)

    def encoded(self, y: npt.ArrayLike) -> npt.ArrayLike:
        """The targets as numbers: those of classes as their labels, whatever marks the classes."""
        return y

    def check_settings(self) -> None:
        """Raise a FalllineError for settings that do not go together; normalise those that do."""

    def check_targets(self) -> None:
        """Raise a FalllineError naming the first row of y that is not a target of this model."""

    @abstractmethod
    def predict(self, X: FloatArray, x: FloatArray) -> FloatArray:
        """The predictions of the model with parameters x for other rows of inputs X (m, d)."""

    def smoothness(self, batch_size: int | None = None) -> float:
        """A Lipschitz constant L of the gradient: gradient descent with a rate up to 1/L never overshoots.

        Arguments:
            batch_size: None for the loss on all rows; a number for a bound valid for every batch of that size.

        Returns:
            L = c λ + l2, where c is the model's `curvature` and λ the largest eigenvalue of AᵀSA with A = [X 1] and
            the rows' weights S (divided by their sum for a mean); for batches λ is bounded by the longest row of √S A.
            Infinite where c is.

        >>> from fallline.models import Logistic
        >>> Logistic([-1.0, 1.0], [0, 1]).smoothness()
        0.25
        """
        if math.isinf(self.curvature):
            return math.inf
        mean = self.reduction == "mean"
        if batch_size is None:
            products = np.zeros((self.X.shape[1] + 1,) * 2)
            for rows in self.blocks():
                design = np.column_stack([rows.X, np.ones(len(rows))])
                with single_blas():
                    products += design.T @ (design if rows.weights is None else design * rows.weights[:, None])
            largest = float(np.linalg.eigvalsh(products)[-1])
            return self.curvature * largest / (self.rows * self.mean_weight if mean else 1) + self.l2
        longest = max(
            float(np.max((np.sum(rows.X**2, axis=1) + 1) * (1 if rows.weights is None else rows.weights)))
            for rows in self.blocks()
        )
        return self.curvature * longest * (1 / self.mean_weight if mean else batch_size) + self.l2

    def l1_penalty(self, strength: float) -> L1:
        """strength · Σ |w| over the weights, not the biases, for the proximal rules: the lasso.

        Like `l2` it is added after the reduction: scikit-learn's Lasso is the linear model with the mean.

        >>> import fallline
        >>> loss = fallline.models.Linear([-1.0, 1.0], [1.0, 5.0])
        >>> fallline.minimize(loss, [0, 0], fallline.FISTA(1 / loss.smoothness(), loss.l1_penalty(0.5))).final.x
        array([1.5, 3. ])
        """
        return L1(strength, free=tuple(np.flatnonzero(~self.are_weights).tolist()))

    def batches(
        self,
        size: int,
        *,
        order: Order = "shuffled",
        remainder: Remainder = "keep",
        epoch_value: EpochValue = "full",
    ) -> Batches:
        """This loss as an optimizer sees it when each step takes its gradient from a batch of rows.

        Arguments:
            size: rows in a batch, from 1 (stochastic gradient descent) to all.
            order: "shuffled" takes the rows in a new random order every epoch, set by the seed of the run;
                "sequential" in their own order.
            remainder: what happens to the rows left over after the last whole batch of an epoch: "keep" makes
                a smaller batch of them, "drop" leaves them out of that epoch.
            epoch_value: what a run records: "full", the loss on all rows; or "running", the loss on the batch of
                the next step, which costs almost nothing; `Batches.epoch_values` averages it over an epoch.

        >>> from fallline.models import SigmoidNeuron
        >>> loss = SigmoidNeuron([0.5, 1.0, 2.5], [0.2, 0.4, 0.9])
        >>> loss.batches(2).steps_per_epoch
        2
        """
        kind = Batches if self.dataset is None else StreamedBatches
        return kind(self, size, order=order, remainder=remainder, epoch_value=epoch_value)

    def recipe(self) -> dict[str, Any] | None:
        """What is needed to rebuild this loss (see `loss_from_recipe`), with its data; None when those are large."""
        if self.dataset is not None or self.rows * (self.X.shape[1] + 1) > SMALL_DATA:
            return None
        weights = {} if self.weights is None else {"sample_weight": self.weights.tolist()}
        settings = {field.name: encode(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return {
            "type": type(self).__name__,
            "X": dense(self.X).tolist(),
            "y": self.y.tolist(),
            "reduction": self.reduction,
            "feature_names": encode(self.feature_names),
            **weights,
            **settings,
        }

    def feature_labels(self) -> tuple[str, ...]:
        """The names of the features' weights: "w" and the feature's number, or "w_" and its name."""
        if self.feature_names is not None:
            return tuple(f"w_{name}" for name in self.feature_names)
        return tuple(f"w{number}" for number in range(1, self.X.shape[1] + 1))

    def refuse_row(self, wrong: npt.NDArray[np.bool_], allowed: str) -> None:
        """Raise a FalllineError that names the first wrong target, if there is one."""
        if wrong.any():
            row = int(np.argmax(wrong))
            raise WrongTarget(row, float(self.y[row]), allowed)


@summary_of.register
def _of_loss(loss: Loss) -> Summary:
    told = summary_of.dispatch(Objective)(loss)
    features = loss.feature_names or [str(loss.X.shape[1])]
    settings = [f"{field.name} {getattr(loss, field.name)}" for field in dataclasses.fields(loss)]
    facts = [
        ("rows", f"{loss.rows}, the {loss.reduction} of their errors"),
        ("features", names_text(features)),
        ("settings", ", ".join(settings)),
    ]
    return dataclasses.replace(told, facts=[*facts, *told.facts])


def _wrong_labels(what: str) -> FalllineError:
    return FalllineError(
        "y",
        problem=f"is {what}, whose labels must be 0, 1, 2, ...",
        allowed="number the classes from 0, and name all of them in their order in classes",
    )
