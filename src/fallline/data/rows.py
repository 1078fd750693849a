"""Rows of data as a model takes them: inputs, targets, and how much each row counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of data.

    Attributes:
        X: the inputs, shape (n, d), or a CSR matrix.
        y: the targets, shape (n,).
        weights: how often each row counts, shape (n,); None: once.

    >>> rows = Rows(np.eye(3), np.array([0.0, 1.0, 1.0]))
    >>> len(rows), rows[1:].y
    (3, array([1., 1.]))
    """

    X: Any
    y: FloatArray
    weights: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def __sizeof__(self) -> int:
        # Dask takes this as the cost of moving the rows to another worker, and of keeping them.
        arrays = (getattr(self.X, "data", self.X), self.y, self.weights)
        return object.__sizeof__(self) + sum(array.nbytes for array in arrays if array is not None)

    def __getitem__(self, some: slice | npt.NDArray[Any]) -> Rows:
        return Rows(self.X[some], self.y[some], None if self.weights is None else self.weights[some])

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, in order; either all have weights, or none."""
        if len(parts) == 1:
            return parts[0]
        weights = [part.weights for part in parts if part.weights is not None]
        return cls(
            np.concatenate([part.X for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate(weights) if weights else None,
        )
