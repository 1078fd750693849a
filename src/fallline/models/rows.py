"""An objective over rows of data, as its batches and slices see it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import Dataset
from fallline.models.chunked import ChunkedRows
from fallline.objectives.base import Objective


class OverRows(Objective):
    """An objective made from rows of data, which can be made from some of the rows as well.

    Attributes:
        X: the inputs, shape (n, d), or a CSR matrix.
        y: the targets, shape (n,).
        dataset: the rows, where they are larger than memory, of which X and y are then an example; else None.
    """

    X: Any
    y: FloatArray
    dataset: Dataset | ChunkedRows | None

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of rows."""

    @abstractmethod
    def on_rows(self, rows: slice | npt.NDArray[np.intp]) -> Self:
        """The same objective on some of the rows only."""

    @abstractmethod
    def on_part(self, X: FloatArray, y: FloatArray) -> Self:
        """The same objective on rows that are a part of its own."""

    @abstractmethod
    def filters(self) -> tuple[slice, ...]:
        """The weights of each output or hidden unit, as slices of the coordinates; all others are biases."""
