"""The base class of objectives over rows of data, as batches and slices use it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import Dataset
from fallline.data.rows import Rows
from fallline.models.chunked import ChunkedRows
from fallline.objectives.base import Objective


class OverRows(Objective):
    """An objective over rows of data, which can be restricted to some of the rows.

    Attributes:
        X: the inputs, shape (n, d), or a CSR matrix.
        y: the targets, shape (n,).
        weights: how often each row counts, its class taken into account, shape (n,); None: once.
        dataset: the rows if they are larger than memory, X and y being a sample of them; else None.
    """

    X: Any
    y: FloatArray
    weights: FloatArray | None
    dataset: Dataset | ChunkedRows | None

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of rows."""

    @abstractmethod
    def on_rows(self, rows: slice | npt.NDArray[np.intp]) -> Self:
        """The same objective on some of the rows only."""

    @abstractmethod
    def on_part(self, X: FloatArray, y: FloatArray, weights: FloatArray | None = None) -> Self:
        """The same objective on X and y, which are a part of its rows, with their weights."""

    @abstractmethod
    def weighed(self, rows: Rows) -> Rows:
        """Rows of the dataset, with the weights of their classes multiplied into their own."""

    @abstractmethod
    def filters(self) -> tuple[slice, ...]:
        """The weights of each output or hidden unit, as slices of the coordinates; all others are biases."""
