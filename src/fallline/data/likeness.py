"""A fingerprint of a column of numbers by which copies of it are found in one pass, on any scale."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray


class Likeness:
    """Σ r x and Σ r over the entries of a column, with the same random r for a row in every column.

    Columns of n rows whose random projections agree are equal but for a chance of about the precision of the
    comparison: Johnson and Lindenstrauss (1984).

    Attributes:
        seen: the two sums.

    >>> one, other = Likeness(), Likeness()
    >>> x, random = np.array([1.0, 5.0, 6.0]), np.random.default_rng(0).normal(size=3)
    >>> one.add(x, random), other.add(2 * x, random)
    (None, None)
    >>> bool(np.isclose(one.on_scale(4, 14), other.on_scale(8, 56)))
    True
    """

    def __init__(self) -> None:
        self.seen = (0.0, 0.0)

    def add(self, entries: FloatArray, random: FloatArray) -> None:
        """Add the entries of the next rows, with their r; NaN does not count."""
        missing = np.isnan(entries)
        if missing.any():
            entries, random = entries[~missing], random[~missing]
        # An overflow is reported by the scale of the column.
        with np.errstate(over="ignore", invalid="ignore"):
            # Not a product of BLAS, whose threads cost more than they save.
            projected = float(np.einsum("i,i->", random, entries))
            self.seen = (self.seen[0] + projected, self.seen[1] + float(random.sum()))

    def on_scale(self, mean: float, squares: float) -> float:
        """|Σ r z| of the entries z on a common scale, given their mean and the sum of their squared deviations."""
        return abs(self.seen[0] - mean * self.seen[1]) / np.sqrt(squares) if squares > 0 else np.inf
