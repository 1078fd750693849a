"""A fingerprint of a column of numbers by which copies of it are found in one pass, on any scale."""

from __future__ import annotations

import numpy as np

from fallline.arrays import BoolArray, FloatArray


class Likeness:
    """Σ r x and Σ r over the entries of a column, with the same random r for the same row of every column.

    Columns of n rows whose random projections agree are equal but for a chance of about the precision of the
    comparison: Johnson and Lindenstrauss (1984).

    Attributes:
        seen: the two sums.

    >>> one, other = Likeness(), Likeness()
    >>> x = np.array([1.0, 5.0, 6.0])
    >>> one.add(x, np.ones(3, bool)), other.add(2 * x, np.ones(3, bool))
    (None, None)
    >>> bool(np.isclose(one.on_scale(4, 14), other.on_scale(8, 56)))
    True
    """

    def __init__(self) -> None:
        self.seen = (0.0, 0.0)
        self._rows = 0

    def add(self, entries: FloatArray, used: BoolArray) -> None:
        """Add the entries of the next rows; only those that are used and not NaN count."""
        used = used & ~np.isnan(entries)
        random = np.random.default_rng(self._rows).normal(size=len(entries))[used]
        # An overflow is reported by the scale of the column.
        with np.errstate(over="ignore", invalid="ignore"):
            self.seen = (self.seen[0] + float(random @ entries[used]), self.seen[1] + float(random.sum()))
        self._rows += len(entries)

    def on_scale(self, mean: float, squares: float) -> float:
        """|Σ r z| of the entries z on a common scale, given their mean and the sum of their squared deviations."""
        return abs(self.seen[0] - mean * self.seen[1]) / np.sqrt(squares) if squares > 0 else np.inf
