"""Sums of an error over rows: in blocks that fit the cache, on several threads, always in the same order."""

from __future__ import annotations

import copy
import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import BLOCK, BoolArray, FloatArray
from fallline.data import Dataset
from fallline.data.rows import Rows
from fallline.machine_code.threads import share
from fallline.models.chunked import ChunkedRows
from fallline.models.pairwise import Node, Sums, in_pairs
from fallline.models.parts import PARTS, WORTHWHILE, single_blas
from fallline.models.rows import OverRows
from fallline.objectives.base import Objective

# The numbers in a block of rows (inputs, or what a model computes from them), such that it stays in the cache.
CACHED = 2**16


class InOnePass(Objective):
    """An objective whose value and gradient are found together, in one pass over its rows."""

    @abstractmethod
    def _sums(self, x: FloatArray, value: bool = False, gradient: bool = False) -> tuple[FloatArray, FloatArray]:
        """Value and gradient; zeros for one that is not needed."""

    def value(self, x: FloatArray) -> FloatArray:
        return self._sums(x, value=True)[0]

    def gradient(self, x: FloatArray) -> FloatArray:
        return self._sums(x, gradient=True)[1]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._sums(x, value=True, gradient=True)


class RowSum(InOnePass, OverRows):
    """The mean (or sum) of an error ℓ over rows of data, each times the row's weight, and ½ l2 ‖w‖².

    Subclasses implement the computations on a block of rows: `forward`, `errors` and `backward`.

    Attributes:
        reduction: "sum" or "mean".
        l2: strength of the penalty.
        class_weights: the weight of each class, by which rows of a dataset are weighed; None: each has 1.
        mean_weight: the mean weight of all rows. A mean is divided by it too, also on a batch, so that the mean over
            all batches is that over all rows.
        are_weights: the mask of the coordinates it penalises, shape (dimension,).
    """

    reduction: str
    l2: float
    class_weights: FloatArray | None
    mean_weight: float
    are_weights: BoolArray

    @property
    def rows(self) -> int:
        """The number of data points."""
        return len(self.y) if self.dataset is None else self.dataset.rows

    @property
    def outputs(self) -> int:
        """The number of values that a forward pass computes from one row."""
        return 1

    @abstractmethod
    def forward(self, points: FloatArray, X: FloatArray) -> Any:
        """The forward pass on rows X (m, d) at points (k, dimension): everything that `errors` and `backward` need."""

    @abstractmethod
    def errors(self, forward: Any, y: FloatArray) -> FloatArray:
        """The loss ℓ of each row, shape (k, m)."""

    @abstractmethod
    def backward(
        self, points: FloatArray, forward: Any, X: FloatArray, y: FloatArray, weights: FloatArray | None = None
    ) -> FloatArray:
        """The gradient of Σ ℓ over these rows at each point, shape (k, dimension), each ℓ times its weight (m,)."""

    @abstractmethod
    def class_numbers(self, y: FloatArray) -> npt.NDArray[np.intp]:
        """The number of each target's class, counted from 0."""

    def _sums(self, x: FloatArray, value: bool = False, gradient: bool = False) -> tuple[FloatArray, FloatArray]:
        return self.total(x, lambda points: self._part_sums(points, value, gradient))

    def _part_sums(self, points: FloatArray, value: bool, gradient: bool) -> Iterable[Node]:
        if self.dataset is None:
            return [Node(0, 0, self.sums(points, Rows(self.X, self.y, self.weights), value, gradient))]
        return self.part_sums(enumerate(self.dataset.by_part()), points, value, gradient)

    def total(self, x: FloatArray, part_sums: Callable[[FloatArray], Iterable[Node]]) -> Sums:
        """Value and gradient at x, shape (..., dimension), from the sums over each part of the rows, in their order.

        Arguments:
            part_sums: Σ ℓ and its gradient over each part, or over pairs of them, at points (k, dimension).
        """
        points = one_a_row(x)
        totals = _zeros(points)
        # Overflow to infinity is normal: a diverging run passes through such points.
        with np.errstate(over="ignore", invalid="ignore"):
            for node in in_pairs(part_sums(points)):
                _accumulate(totals, node.sums)
            values, gradients = self.reduced(points, totals)
        return values.reshape(np.shape(x)[:-1]), gradients.reshape(np.shape(x))

    def reduced(self, points: FloatArray, sums: Sums) -> Sums:
        """The loss and its gradient, from the sums over all rows: their mean if it is one, and the penalty."""
        values, gradients = sums
        if self.reduction == "mean":
            values, gradients = (part / (self.rows * self.mean_weight) for part in sums)
        if self.l2:
            weights = np.where(self.are_weights, points, 0.0)
            values = values + 0.5 * self.l2 * (weights**2).sum(axis=-1)
            gradients = gradients + self.l2 * weights
        return values, gradients

    def part_sums(
        self, parts: Iterable[tuple[int, Iterable[Rows]]], points: FloatArray, value: bool, gradient: bool
    ) -> Iterator[Node]:
        """The sums over each of some parts of a dataset, given as its number and its blocks."""
        for number, blocks in parts:
            yield Node(0, number, self._sums_over(blocks, points, value, gradient))

    def _sums_over(self, blocks: Iterable[Rows], points: FloatArray, value: bool, gradient: bool) -> Sums:
        """The `sums` over all rows of some blocks of a dataset, the same to the last bit on every machine of a cluster.

        BLAS is limited to one thread: with several, its order of summation depends on their number.
        """
        totals = _zeros(points)
        with single_blas():
            for rows in blocks:
                _accumulate(totals, self.sums(points, self.weighed(rows), value, gradient))
        return totals

    def sums(self, points: FloatArray, rows: Rows, value: bool, gradient: bool) -> Sums:
        """Σ ℓ, weighted, at each point, shape (k,), and its gradient (k, dimension), whichever is needed."""
        pieces = self._pieces(rows)
        totals = _zeros(points)
        if len(rows) * max(rows.X.shape[1], self.outputs) < WORTHWHILE:
            self._add(totals, points, rows, pieces, value, gradient)
            return totals
        parts = np.array_split(np.arange(len(pieces)), min(PARTS, len(pieces)))
        together = max(1, BLOCK // (len(parts) * points.shape[1]))
        for start in range(0, len(points), together):
            some = slice(start, start + together)
            of_parts = [_zeros(points[some]) for _ in parts]

            def of_part(number: int, some: slice = some, of_parts: list[Sums] = of_parts) -> None:
                its_pieces = [pieces[piece] for piece in parts[number]]
                self._add(of_parts[number], points[some], rows, its_pieces, value, gradient)

            with single_blas():
                share(of_part, len(parts))
            for one in of_parts:
                _accumulate((totals[0][some], totals[1][some]), one)
        return totals

    def _add(
        self,
        totals: Sums,
        points: FloatArray,
        rows: Rows,
        pieces: Iterable[slice],
        value: bool,
        gradient: bool,
    ) -> None:
        """Add the sums over some pieces of the rows to the totals, in place."""
        values, gradients = totals
        for piece in pieces:
            some = rows[piece]
            X, weights = dense(some.X), () if some.weights is None else (some.weights,)
            together = max(1, BLOCK // (len(some) * self.outputs))
            for start in range(0, len(points), together):
                block = slice(start, start + together)
                forward = self.forward(points[block], X)
                if value:
                    errors = self.errors(forward, some.y)
                    values[block] += (errors if some.weights is None else errors * some.weights).sum(axis=-1)
                if gradient:
                    gradients[block] += self.backward(points[block], forward, X, some.y, *weights)

    def blocks(self) -> Iterator[Rows]:
        """The rows that count, in small dense blocks, always the same, so that the order of summation is fixed."""
        whole: Iterable[Rows] = [Rows(self.X, self.y, self.weights)]
        for rows in whole if self.dataset is None else map(self.weighed, self.dataset.blocks()):
            for piece in self._pieces(rows):
                some = rows[piece]
                if some.weights is not None and not some.weights.all():
                    some = some[some.weights > 0]
                if len(some):
                    yield dataclasses.replace(some, X=dense(some.X))

    def _pieces(self, rows: Rows) -> list[slice]:
        """Rows in blocks that stay in the cache from the forward pass to the backward pass."""
        size = max(1, CACHED // max(rows.X.shape[1], self.outputs))
        return [slice(start, start + size) for start in range(0, len(rows), size)]

    def weighed(self, rows: Rows) -> Rows:
        """Rows of the dataset, with the weights of their classes multiplied into their own."""
        if self.class_weights is None:
            return rows
        of_classes = self.class_weights[self.class_numbers(rows.y)]
        return dataclasses.replace(rows, weights=of_classes if rows.weights is None else of_classes * rows.weights)

    def on_rows(self, rows: slice | npt.NDArray[np.intp]) -> Self:
        """The same model on some of the rows; for a sum, l2 is reduced in proportion to them."""
        some = Rows(self.X, self.y, self.weights)[rows]
        return self.on_part(some.X, some.y, some.weights)

    def on_part(self, X: FloatArray, y: FloatArray, weights: FloatArray | None = None) -> Self:
        """The same model on a part of its data; for a sum, l2 is reduced in proportion to the rows."""
        part = copy.copy(self)
        part.dataset = None
        part.X = X
        part.y = y
        part.weights = weights
        if self.reduction == "sum":
            part.l2 = self.l2 * part.rows / self.rows
        return part

    def over(self, dataset: Dataset | ChunkedRows) -> Self:
        """The same model on data larger than memory, which every pass reads block by block.

        This loss must be on some rows of them, which stay in `X` and `y` as a sample.
        """
        streamed = copy.copy(self)
        streamed.dataset = dataset
        streamed.mean_weight = 1.0
        if dataset.weighted or self.class_weights is not None:
            weights = (self.weighed(rows).weights for rows in dataset.blocks())
            streamed.mean_weight = sum(float(some.sum()) for some in weights if some is not None) / dataset.rows
        return streamed


def one_a_row(x: npt.ArrayLike) -> FloatArray:
    """The points, one per row, contiguous: a product may sum in another order along a strided row."""
    numbers = np.asarray(x)
    contiguous = np.ascontiguousarray(numbers, np.result_type(numbers, np.float64))
    return contiguous.reshape(-1, numbers.shape[-1])


def dense(X: Any) -> FloatArray:
    """X itself, or a sparse matrix as an array."""
    numbers: FloatArray = X if isinstance(X, np.ndarray) else X.toarray()
    return numbers


def _zeros(points: FloatArray) -> Sums:
    return np.zeros(len(points), points.dtype), np.zeros_like(points)


def _accumulate(totals: Sums, more: Sums) -> None:
    for total, part in zip(totals, more, strict=True):
        total += part
