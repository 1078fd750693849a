"""Rows of a loss stored in Dask arrays, read chunk by chunk."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.data import number_array
from fallline.data.dataset import read_ahead
from fallline.data.entries import is_number
from fallline.data.rows import Rows
from fallline.errors import FalllineError
from fallline.models.inputs import check_shape
from fallline.models.weights import row_weights_of


class ChunkedRows:
    """X, y and the rows' weights as Dask arrays, with chunks of rows that are the same in all.

    Attributes:
        counts: how many rows each chunk has.
        tokens: Dask's names for the data, so that a run never resumes from a checkpoint made on other data.
    """

    def __init__(self, X: Any, y: Any, weights: Any | None) -> None:
        self.counts: tuple[int, ...] = X.chunks[0]
        self.tokens: tuple[str, ...] = X.name, y.name, *([] if weights is None else [weights.name])
        # Private, so that code that lists public attributes does not compute all the data.
        self._X = X
        self._y = y
        self._weights = weights

    @classmethod
    def of(cls, X: Any, y: Any, weights: Any | None = None) -> ChunkedRows | None:
        """The rows of X and y if X is a Dask array, else None; the others are Dask arrays too, or in memory.

        Raises:
            FalllineError: when they do not fit, or the lengths of the chunks are not known.
        """
        dask = sys.modules.get("dask.array")
        if dask is None or not any(isinstance(data, dask.Array) for data in (X, y, weights)):
            return None
        if not isinstance(X, dask.Array):
            raise FalllineError(
                "y" if isinstance(y, dask.Array) else "sample_weight",
                problem="is a Dask array, but X is not",
                allowed="give X as one, with chunks of rows, too",
            )
        X = X[:, None] if X.ndim == 1 else X
        y = y if isinstance(y, dask.Array) else dask.from_array(np.asarray(y))
        if weights is not None and not isinstance(weights, dask.Array):
            weights = dask.from_array(row_weights_of(weights, len(y)))
        for name, data in (("X", X), ("y", y), ("sample_weight", weights)):
            if data is None:
                continue
            if np.isnan(data.shape).any():
                raise FalllineError(
                    name,
                    problem="is a Dask array with chunks of unknown lengths",
                    allowed="call its compute_chunk_sizes()",
                )
        check_shape(X)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim != 1 or len(y) != len(X):
            raise FalllineError(
                "y", problem=f"has the shape {y.shape}, but X has {len(X)} rows", allowed="each row needs one target"
            )
        if weights is not None and weights.shape != y.shape:
            raise FalllineError(
                "sample_weight", problem=f"has the shape {weights.shape}", allowed="each row needs one weight"
            )
        X = X.rechunk((tuple(count for count in X.chunks[0] if count), -1))
        chunks = (X.chunks[0],)
        return cls(X, y.rechunk(chunks), None if weights is None else weights.rechunk(chunks))

    @property
    def weighted(self) -> bool:
        """Whether the rows have weights."""
        return self._weights is not None

    @property
    def has_texts(self) -> bool:
        """Whether the targets are texts and no numbers, by the first of them."""
        first = self._y[0].compute()
        return isinstance(first, str) and not is_number(first)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.counts)

    def blocks(self, parts: Sequence[int] | None = None) -> Generator[Rows]:
        """The rows, chunk by chunk; the next one is read while the caller computes.

        Arguments:
            parts: the chunks, in the order to read them; None: all, in their own order.
        """
        numbers = range(len(self.counts)) if parts is None else parts
        return read_ahead(block for number in numbers for block in self.part(number))

    def by_part(self) -> Iterator[Iterable[Rows]]:
        """The block of each part, a chunk."""
        return ([block] for block in self.blocks())

    def part(self, number: int) -> list[Rows]:
        """The one block of a part."""
        blocks: list[Rows] = self.delayed()[number].compute()
        return blocks

    def delayed(self) -> list[Any]:
        """The blocks of each part, as Dask's delayed objects."""
        from dask import delayed

        read = delayed(_blocks, pure=False)
        firsts = [0, *itertools.accumulate(self.counts[:-1])]
        weights = [None] * len(firsts) if self._weights is None else self._weights.to_delayed()
        chunks = zip(self._X.to_delayed().ravel(), self._y.to_delayed(), weights, firsts, strict=True)
        return [read(*chunk) for chunk in chunks]

    def check(self, allowed: Callable[[FloatArray], None]) -> None:
        """Call `allowed` with the targets of each chunk; it raises a FalllineError for wrong ones."""
        first = 0
        for chunk, count in zip(self._y.to_delayed(), self.counts, strict=True):
            with _from_row(first):
                allowed(number_array(chunk.compute(), "y"))
            first += count


def _blocks(X: Any, y: Any, weights: Any | None, first: int) -> list[Rows]:
    """The rows of a chunk, checked whenever they are read."""
    with _from_row(first):
        # In C order: a data frame's memory order may change on the way to a worker, and with it the rounding of sums.
        X, y = np.ascontiguousarray(number_array(X, "X")), number_array(y, "y")
        return [Rows(X, y, None if weights is None else row_weights_of(weights, len(y)))]


@contextlib.contextmanager
def _from_row(first: int) -> Iterator[None]:
    """Errors raised inside count rows from the start of the chunk: add the number of the chunk's first row."""
    try:
        yield
    except FalllineError as error:
        if first:
            error.of = f"counted from row {first}"
        raise
