"""The base class of objectives over rows of data, as batches and slices use it."""

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
    """An objective over rows of data, which can be restricted to some of the rows.

    Attributes:
        X: the inputs, shape (n, d), or a CSR matrix.
        y: the targets, shape (n,).
        dataset: the rows if they are larger than memory, X and y being a sample of them; else None.
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
        """The same objective on X and y, which are a part of its rows."""

    @abstractmethod
    def filters(self) -> tuple[slice, ...]:
        """The weights of each output or hidden unit, as slices of the coordinates; all others are biases."""
