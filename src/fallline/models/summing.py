"""Sums of an error over rows: in blocks that fit the cache, on several threads, always in the same order."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import BLOCK, BoolArray, FloatArray
from fallline.data import Dataset
from fallline.models.chunked import ChunkedRows
from fallline.models.parts import PARTS, WORTHWHILE, share, single_blas
from fallline.models.rows import OverRows

# Σ ℓ at each point, shape (k,), and its gradient, (k, dimension).
Sums = tuple[FloatArray, FloatArray]

# The numbers in a block of rows (inputs, or what a model computes from them), such that it stays in the cache.
CACHED = 2**16


class RowSum(OverRows):
    """The sum (or mean) of an error ℓ over rows of data, and ½ l2 ‖w‖².

    Subclasses implement the computations on a block of rows: `forward`, `errors` and `backward`.

    Attributes:
        reduction: "sum" or "mean".
        l2: strength of the penalty.
        are_weights: the mask of the coordinates it penalises, shape (dimension,).
    """

    reduction: str
    l2: float
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
    def backward(self, points: FloatArray, forward: Any, X: FloatArray, y: FloatArray) -> FloatArray:
        """The gradient of Σ ℓ over these rows at each point, shape (k, dimension)."""

    def value(self, x: FloatArray) -> FloatArray:
        return self._sums(x, value=True)[0]

    def gradient(self, x: FloatArray) -> FloatArray:
        return self._sums(x, gradient=True)[1]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._sums(x, value=True, gradient=True)

    def _sums(self, x: FloatArray, value: bool = False, gradient: bool = False) -> tuple[FloatArray, FloatArray]:
        """Value and gradient; zeros for one that is not needed."""
        return self.total(x, lambda points: self._part_sums(points, value, gradient))

    def _part_sums(self, points: FloatArray, value: bool, gradient: bool) -> Iterable[Sums]:
        if self.dataset is None:
            return [self.sums(points, self.X, self.y, value, gradient)]
        return (self.sums_over(part, points, value, gradient) for part in self.dataset.by_part())

    def total(self, x: FloatArray, part_sums: Callable[[FloatArray], Iterable[Sums]]) -> Sums:
        """Value and gradient at x, shape (..., dimension), from the sums over each part of the rows, in their order.

        Arguments:
            part_sums: Σ ℓ over each part at points (k, dimension), shape (k,), and its gradient, (k, dimension).
        """
        points = one_a_row(x)
        values, gradients = totals = _zeros(points)
        # Overflow to infinity is normal: a diverging run passes through such points.
        with np.errstate(over="ignore", invalid="ignore"):
            for part in part_sums(points):
                _accumulate(totals, part)
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
        """The `sums` over all rows of some blocks, identical to the last bit on every machine of a cluster.

        BLAS is limited to one thread: with several, its order of summation depends on their number.
        """
        totals = _zeros(points)
        with single_blas():
            for X, y in blocks:
                _accumulate(totals, self.sums(points, X, y, value, gradient))
        return totals

    def sums(self, points: FloatArray, X: Any, y: FloatArray, value: bool, gradient: bool) -> Sums:
        """Σ ℓ over these rows at each point, shape (k,), and its gradient (k, dimension), whichever is needed."""
        pieces = self._pieces(X, y)
        totals = _zeros(points)
        if len(y) * max(X.shape[1], self.outputs) < WORTHWHILE:
            self._add(totals, points, X, y, pieces, value, gradient)
            return totals
        parts = np.array_split(np.arange(len(pieces)), min(PARTS, len(pieces)))
        together = max(1, BLOCK // (len(parts) * points.shape[1]))
        for start in range(0, len(points), together):
            some = slice(start, start + together)
            of_parts = [_zeros(points[some]) for _ in parts]

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
        """Add the sums over some pieces of the rows to the totals, in place."""
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
        """X and y in small blocks of rows, always the same, so that the order of summation is fixed."""
        whole: Iterable[tuple[Any, FloatArray]] = [(self.X, self.y)]
        for X, y in whole if self.dataset is None else self.dataset.blocks():
            for rows in self._pieces(X, y):
                yield dense(X[rows]), y[rows]

    def _pieces(self, X: Any, y: FloatArray) -> list[slice]:
        """Rows in blocks that stay in the cache from the forward pass to the backward pass."""
        rows = max(1, CACHED // max(X.shape[1], self.outputs))
        return [slice(start, start + rows) for start in range(0, len(y), rows)]

    def on_rows(self, rows: slice | npt.NDArray[np.intp]) -> Self:
        """The same model on some of the rows; for a sum, l2 is reduced in proportion to them."""
        return self.on_part(self.X[rows], self.y[rows])

    def on_part(self, X: FloatArray, y: FloatArray) -> Self:
        """The same model on a part of its data; for a sum, l2 is reduced in proportion to the rows."""
        part = copy.copy(self)
        part.dataset = None
        part.X = X
        part.y = y
        if self.reduction == "sum":
            part.l2 = self.l2 * part.rows / self.rows
        return part

    def over(self, dataset: Dataset | ChunkedRows) -> Self:
        """The same model on data larger than memory, which every pass reads block by block.

        This loss must be on some rows of them, which stay in `X` and `y` as a sample.
        """
        streamed = copy.copy(self)
        streamed.dataset = dataset
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
