"""The contract of a loss: a model's error on data, as an objective of the model's parameters."""

from __future__ import annotations

import copy
import dataclasses
import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import BLOCK, FloatArray
from fallline.data import Dataset, number_array
from fallline.errors import FalllineError, nearest
from fallline.hyperparameters import check_hyperparameters, hyperparameter
from fallline.models.batches import Batches, EpochValue, Order, Remainder
from fallline.models.chunked import ChunkedRows
from fallline.models.parts import PARTS, WORTHWHILE, share, single_blas
from fallline.models.slices import Slice, frozen, sliced
from fallline.models.streamed import StreamedBatches
from fallline.objectives.base import Objective
from fallline.penalties import L1
from fallline.recipe import encode
from fallline.tables import Summary, names_text, summary_of

# Σ ℓ at each point, and its gradient.
Sums = tuple[FloatArray, FloatArray]

Reduction = Literal["sum", "mean"]

# What the targets of a model are; of "numbers or two classes" classes are meant by texts.
Target = Literal["numbers", "two classes", "classes", "numbers or two classes"]
REDUCTIONS = ("sum", "mean")

# Data of up to this many numbers go into the recipe, so that a saved run can be done again from its file.
SMALL_DATA = 10_000
# Numbers of a block of rows, of its inputs or of what a model makes of them, that stay in the cache.
CACHED = 2**16


@dataclass(init=False, eq=False, repr=False)
class Loss(Objective):
    """A model and the data it is fitted to; the coordinates are the model's parameters.

    Value and gradient are Σ ℓ over the rows (or its mean) and ½ l2 ‖w‖². A model names its parameters, says
    which of them are weights, and gives `forward`, `errors`, `backward` and `check_targets`. What else it can be
    set to are fields of its dataclass, given by keyword.

    Arguments:
        X: the inputs, n rows of d features; n numbers are n rows of one feature. Kept, not copied: float64 or
            float32 (all is computed in float64 even so), in any order, or a sparse matrix of SciPy's, as CSR. Those
            in a Dask array stay there, and are read chunk by chunk in every pass.
        y: the n targets.
        reduction: "sum" adds up the error of the rows, "mean" divides it and its gradient by their number.
        feature_names: the d names of the features, for the names of the parameters and error texts.
        l2: strength of the penalty ½ l2 ‖w‖² on the weights, not the biases; it is added after the reduction. So
            the l2 of a mean is that of the sum divided by n, and ridge regression's alpha is the l2 of a sum.

    Attributes:
        curvature: the largest eigenvalue of ∂²ℓ/∂z² over all outputs z and allowed y; inf where there is none.
        convex: whether ∂²ℓ/∂z² is never negative, and so the loss convex in the parameters.

    Raises:
        FalllineError: when X or y is empty, has the wrong shape, or holds something that is no finite number, and
            when there is no such setting.
    """

    gradient_kind = "exact"
    model: ClassVar[str]
    curvature: ClassVar[float] = math.inf
    convex: ClassVar[bool] = False

    l2: float = hyperparameter(0.0, about="strength of the penalty on the squared weights", at_least=0)

    def __init__(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        reduction: Reduction = "sum",
        feature_names: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise FalllineError(f"reduction is {reduction!r}; {nearest(str(reduction), REDUCTIONS)}")
        chunked = ChunkedRows.of(X, y)
        if chunked is not None:
            # The first chunk stands for all.
            X, y = next(iter(chunked.part(0)))
        self.X = _inputs(X)
        self.y = _targets(y, rows=self.X.shape[0])
        self.reduction = reduction
        self.dataset: Dataset | ChunkedRows | None = None
        self.feature_names = _feature_names(feature_names, self.X.shape[1])
        known = [field.name for field in dataclasses.fields(self)]
        for name, setting in settings.items():
            if name not in known:
                raise FalllineError(f"{type(self).__name__} has no setting {name!r}; {nearest(name, known)}")
            setattr(self, name, setting)
        check_hyperparameters(self)
        self.check_settings()
        self.check_targets()
        self.names = self.parameter_names()
        self.are_weights = np.zeros(len(self.names), bool)
        for one_unit in self.filters():
            self.are_weights[one_unit] = True
        if chunked is not None:
            chunked.check(lambda y: self.on_part(self.X, y).check_targets())
            self.dataset = chunked

    @property
    def rows(self) -> int:
        """The number of data points."""
        return len(self.y) if self.dataset is None else self.dataset.rows

    @property
    def title(self) -> str:
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        penalty = f" with l2 = {self.l2:g}" if self.l2 else ""
        return f"{'mean ' if self.reduction == 'mean' else ''}{self.model}{penalty}, {rows}"

    @abstractmethod
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the coordinates, made from `feature_names`, or from the shape of X without them."""

    @abstractmethod
    def filters(self) -> tuple[slice, ...]:
        """The weights of each output or hidden unit; all other coordinates are biases."""

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        """What the model with these settings is fitted to."""
        return "numbers"

    @property
    def outputs(self) -> int:
        """How many numbers a forward pass makes of one row."""
        return 1

    def check_settings(self) -> None:
        """Raise a FalllineError for settings that do not go together, and make of the others what is computed with."""

    def check_targets(self) -> None:
        """Raise a FalllineError naming the first row of y that the model cannot mean."""

    @abstractmethod
    def forward(self, points: FloatArray, X: FloatArray) -> Any:
        """What the model makes of the rows: points (k, dimension) and X (m, d) to all that `backward` needs."""

    @abstractmethod
    def errors(self, forward: Any, y: FloatArray) -> FloatArray:
        """The loss ℓ of each row, shape (k, m)."""

    @abstractmethod
    def backward(self, points: FloatArray, forward: Any, X: FloatArray, y: FloatArray) -> FloatArray:
        """The gradient of Σ ℓ over these rows at each point, shape (k, dimension)."""

    @abstractmethod
    def predict(self, X: FloatArray, x: FloatArray) -> FloatArray:
        """What the model with the parameters x answers to other rows of inputs X (m, d)."""

    def value(self, x: FloatArray) -> FloatArray:
        return self._sums(x, value=True)[0]

    def gradient(self, x: FloatArray) -> FloatArray:
        return self._sums(x, gradient=True)[1]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._sums(x, value=True, gradient=True)

    def _sums(self, x: FloatArray, value: bool = False, gradient: bool = False) -> tuple[FloatArray, FloatArray]:
        """Value and gradient, or zeros for that which is not asked for."""
        return self.total(x, lambda points: self._part_sums(points, value, gradient))

    def _part_sums(self, points: FloatArray, value: bool, gradient: bool) -> Iterable[Sums]:
        if self.dataset is None:
            return [self.sums(points, self.X, self.y, value, gradient)]
        return (self.sums_over(part, points, value, gradient) for part in self.dataset.by_part())

    def total(self, x: FloatArray, part_sums: Callable[[FloatArray], Iterable[Sums]]) -> Sums:
        """Value and gradient at x, shape (..., dimension), made of those of the parts of the rows in their order.

        Arguments:
            part_sums: Σ ℓ over each part at points (k, dimension), shape (k,), and its gradient, (k, dimension).
        """
        points = one_a_row(x)
        values, gradients = np.zeros(len(points), points.dtype), np.zeros_like(points)
        # What is too large for float64 is infinite, as on the way of a run that diverges.
        with np.errstate(over="ignore", invalid="ignore"):
            for part in part_sums(points):
                _accumulate((values, gradients), part)
            if self.reduction == "mean":
                values /= self.rows
                gradients /= self.rows
            if self.l2:
                weights = np.where(self.are_weights, points, 0.0)
                values += 0.5 * self.l2 * (weights**2).sum(axis=-1)
                gradients += self.l2 * weights
        return values.reshape(np.shape(x)[:-1]), gradients.reshape(np.shape(x))

    def sums_over(
        self, blocks: Iterable[tuple[Any, FloatArray]], points: FloatArray, value: bool, gradient: bool
    ) -> Sums:
        """The `sums` over all rows of some blocks, the same to the bit whoever computes them.

        With several threads BLAS adds in an order that depends on how many they are.
        """
        totals = np.zeros(len(points), points.dtype), np.zeros_like(points)
        with single_blas():
            for X, y in blocks:
                _accumulate(totals, self.sums(points, X, y, value, gradient))
        return totals

    def sums(self, points: FloatArray, X: Any, y: FloatArray, value: bool, gradient: bool) -> Sums:
        """Σ ℓ over these rows at each point, shape (k,), and its gradient (k, dimension), whichever is asked for."""
        pieces = self._pieces(X, y)
        totals = np.zeros(len(points), points.dtype), np.zeros_like(points)
        if len(y) * max(X.shape[1], self.outputs) < WORTHWHILE:
            self._add(totals, points, X, y, pieces, value, gradient)
            return totals
        parts = np.array_split(np.arange(len(pieces)), min(PARTS, len(pieces)))
        together = max(1, BLOCK // (len(parts) * points.shape[1]))
        for start in range(0, len(points), together):
            some = slice(start, start + together)
            of_parts = [(np.zeros_like(totals[0][some]), np.zeros_like(totals[1][some])) for _ in parts]

            def of_part(number: int, some: slice = some, of_parts: list[Sums] = of_parts) -> None:
                its_pieces = [pieces[piece] for piece in parts[number]]
                self._add(of_parts[number], points[some], X, y, its_pieces, value, gradient)

            with single_blas():
                share(of_part, len(parts))
            for one in of_parts:
                _accumulate((totals[0][some], totals[1][some]), one)
        return totals

    def _add(
        self,
        totals: Sums,
        points: FloatArray,
        X: Any,
        y: FloatArray,
        pieces: Iterable[slice],
        value: bool,
        gradient: bool,
    ) -> None:
        """Add what some pieces of the rows have of the sums."""
        values, gradients = totals
        for piece in pieces:
            some_X, some_y = dense(X[piece]), y[piece]
            together = max(1, BLOCK // (len(some_y) * self.outputs))
            for start in range(0, len(points), together):
                block = slice(start, start + together)
                forward = self.forward(points[block], some_X)
                if value:
                    values[block] += self.errors(forward, some_y).sum(axis=-1)
                if gradient:
                    gradients[block] += self.backward(points[block], forward, some_X, some_y)

    def blocks(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """X and y in small blocks of rows that are always the same: sums over them have one order."""
        for X, y in self._parts():
            for rows in self._pieces(X, y):
                yield dense(X[rows]), y[rows]

    def _parts(self) -> Iterator[tuple[Any, FloatArray]]:
        """X and y as they are, or from beyond memory part by part."""
        if self.dataset is not None:
            yield from self.dataset.blocks()
        else:
            yield self.X, self.y

    def _pieces(self, X: Any, y: FloatArray) -> list[slice]:
        """Rows in blocks that stay in the cache from the pass forward to the pass back."""
        rows = max(1, CACHED // max(X.shape[1], self.outputs))
        return [slice(start, start + rows) for start in range(0, len(y), rows)]

    def smoothness(self, batch_size: int | None = None) -> float:
        """A Lipschitz constant L of the gradient: no step of a rate up to 1/L overshoots.

        Arguments:
            batch_size: None for the loss on all rows; a number for a bound that any batch of as many keeps.

        Returns:
            L = c λ + l2, where c is the model's `curvature` and λ the largest eigenvalue of AᵀA (of AᵀA / n for a
            mean) with A = [X 1]; for batches λ is bounded by the longest row of A. Infinite where c is.

        >>> from fallline.models import Logistic
        >>> Logistic([-1.0, 1.0], [0, 1], reduction="mean").smoothness()
        0.25
        """
        if math.isinf(self.curvature):
            return math.inf
        mean = self.reduction == "mean"
        if batch_size is None:
            products = np.zeros((self.X.shape[1] + 1,) * 2)
            for X, y in self.blocks():
                design = np.column_stack([X, np.ones(len(y))])
                products += design.T @ design
            largest = float(np.linalg.eigvalsh(products)[-1])
            return self.curvature * largest / (self.rows if mean else 1) + self.l2
        longest = max(float(np.max(np.sum(X**2, axis=1))) for X, _ in self.blocks()) + 1
        return self.curvature * longest * (1 if mean else batch_size) + self.l2

    def l1_penalty(self, strength: float) -> L1:
        """strength · Σ |w| over the weights, not the biases, for the proximal rules: the lasso.

        Like `l2` it stands beside the reduction: scikit-learn's Lasso is the linear model under a mean.

        >>> import fallline
        >>> loss = fallline.models.Linear([-1.0, 1.0], [1.0, 5.0], reduction="mean")
        >>> fallline.minimize(loss, [0, 0], fallline.FISTA(1 / loss.smoothness(), loss.l1_penalty(0.5))).final.x
        array([1.5, 3. ])
        """
        return L1(strength, free=tuple(np.flatnonzero(~self.are_weights).tolist()))

    def on_rows(self, rows: slice | npt.NDArray[np.intp]) -> Self:
        """The same model on some of the data points only; of a sum's l2 these bear their share."""
        return self.on_part(self.X[rows], self.y[rows])

    def on_part(self, X: FloatArray, y: FloatArray) -> Self:
        """The same model on a part of its data; of a sum's l2 it bears its share."""
        part = copy.copy(self)
        part.dataset = None
        part.X = X
        part.y = y
        if self.reduction == "sum":
            part.l2 = self.l2 * part.rows / self.rows
        return part

    def over(self, dataset: Dataset | ChunkedRows) -> Self:
        """The same model on data larger than memory: every pass over them reads them block by block.

        This loss itself is to be on some rows of them, which stand for all in `X` and `y`.
        """
        streamed = copy.copy(self)
        streamed.dataset = dataset
        return streamed

    def batches(
        self,
        size: int,
        *,
        order: Order = "sequential",
        remainder: Remainder = "keep",
        epoch_value: EpochValue = "full",
    ) -> Batches:
        """This loss as an optimizer sees it when each step takes its gradient from a batch of rows.

        Arguments:
            size: rows in a batch, from 1 (stochastic gradient descent) to all.
            order: "sequential" takes the rows as they stand; "shuffled" in another order every epoch, set by
                the seed of the run.
            remainder: what becomes of the rows left over after the last whole batch of an epoch: "keep" makes
                a smaller batch of them, "drop" leaves them out of that epoch, so that they carry into no update.
            epoch_value: what a run records: "full", the loss on all rows; or "running", the loss on the batch of
                the coming step, which costs next to nothing; see `Batches.epoch_values` for that of an epoch.

        >>> from fallline.models import SigmoidNeuron
        >>> loss = SigmoidNeuron([0.5, 1.0, 2.5], [0.2, 0.4, 0.9], reduction="mean")
        >>> loss.batches(2).steps_per_epoch
        2
        """
        kind = Batches if self.dataset is None else StreamedBatches
        return kind(self, size, order=order, remainder=remainder, epoch_value=epoch_value)

    def recipe(self) -> dict[str, Any] | None:
        """What rebuilds this loss (see `loss_from_recipe`), data included; None when the data are large."""
        if self.dataset is not None or self.rows * (self.X.shape[1] + 1) > SMALL_DATA:
            return None
        settings = {field.name: encode(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return {
            "type": type(self).__name__,
            "X": dense(self.X).tolist(),
            "y": self.y.tolist(),
            "reduction": self.reduction,
            "feature_names": encode(self.feature_names),
            **settings,
        }

    def freeze(self, x: npt.ArrayLike, but: Sequence[str] | str) -> Slice:
        """This loss as a function of the named parameters alone, all others frozen at x.

        So two weights of a network can be watched on their error surface.

        Arguments:
            x: a point of all parameters, shape (dimension,); what it says of the named ones does not matter.
            but: the names of the parameters that stay free.

        Raises:
            FalllineError: when there is no such parameter.

        >>> from fallline.models import Linear
        >>> loss = Linear([[1.0, 2.0]], [3.0])
        >>> loss.freeze([1.0, 0.0, 0.0], but=["w2"]).gradient(np.array([2.0]))
        array([4.])
        """
        return frozen(self, x, but)

    def slice(self, x: npt.ArrayLike, directions: npt.ArrayLike, reach: float = 1.0) -> Slice:
        """This loss along directions through x: at x + Σ u_i d_i, as a function of the coordinates u.

        Arguments:
            x: a point of all parameters, shape (dimension,).
            directions: given ones, one a row; or `models.random_directions(loss, x)`; or those of a run,
                `models.principal_directions(trajectory.x)`.
            reach: how far to draw it to both sides of x.

        Raises:
            FalllineError: when the directions do not fit, or depend on each other.

        >>> from fallline.models import Linear
        >>> loss = Linear([[1.0, 2.0]], [3.0])
        >>> loss.slice([1.0, 1.0, 0.0], [[1.0, 1.0, 0.0]]).value(np.array([1.0]))
        array(4.5)
        """
        return sliced(self, x, directions, reach)

    def feature_labels(self) -> tuple[str, ...]:
        """What each feature's weight is called: "w" and the feature's number, or "w_" and its name."""
        if self.feature_names is not None:
            return tuple(f"w_{name}" for name in self.feature_names)
        return tuple(f"w{number}" for number in range(1, self.X.shape[1] + 1))

    def refuse_row(self, wrong: npt.NDArray[np.bool_], why: str) -> None:
        """Raise a FalllineError with the first target that is wrong, if one is."""
        if wrong.any():
            row = int(np.argmax(wrong))
            raise FalllineError(f"y[{row}] is {self.y[row]:g}{why}")


def one_a_row(x: npt.ArrayLike) -> FloatArray:
    """The points one a row, contiguous: a product may sum in another order along a strided row."""
    numbers = np.asarray(x)
    contiguous = np.ascontiguousarray(numbers, np.result_type(numbers, np.float64))
    return contiguous.reshape(-1, numbers.shape[-1])


def _accumulate(totals: Sums, more: Sums) -> None:
    for total, part in zip(totals, more, strict=True):
        total += part


def dense(X: Any) -> FloatArray:
    """X itself, or all numbers of what is stored sparse."""
    numbers: FloatArray = X if isinstance(X, np.ndarray) else X.toarray()
    return numbers


def _inputs(X: Any) -> Any:
    if hasattr(X, "tocsr"):
        return _stored(X.tocsr())
    single = isinstance(X, np.ndarray) and X.dtype == np.float32 and bool(np.isfinite(X).all())
    inputs = X if single else number_array(X, "X")
    if inputs.ndim == 1:
        inputs = inputs[:, None]
    if inputs.ndim != 2 or 0 in inputs.shape:
        raise FalllineError(f"X has the shape {inputs.shape}; it needs rows of features, at least one of each")
    return inputs


def _stored(X: Any) -> Any:
    """A CSR matrix with entries that are computed with."""
    if X.ndim != 2 or 0 in X.shape:
        raise FalllineError(f"X has the shape {X.shape}; it needs rows of features, at least one of each")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    wrong = ~np.isfinite(X.data)
    if wrong.any():
        entry = int(np.argmax(wrong))
        row = int(np.searchsorted(X.indptr, entry, side="right")) - 1
        raise FalllineError(f"X[{row}, {X.indices[entry]}] is {X.data[entry]}; only finite numbers are allowed")
    return X


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
