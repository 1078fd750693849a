"""Standardization: moments of columns in one pass, and conversion of parameters between the two scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.tables import Printed


class Moments:
    """Count, mean, spread and range of columns, accumulated block by block in a numerically stable way.

    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance: Welford's update for blocks.

    Attributes:
        count: the number of entries of each column that are not NaN, or the sum of their weights, shape (d,).
        mean: their mean.
        squares: the sum of their squared deviations from the mean.
        low, high: their minimum and maximum.

    >>> moments = Moments(1)
    >>> moments.add(np.array([[1.0], [2.0]]))
    >>> moments.add(np.array([[6.0], [np.nan]]))
    >>> moments.count, moments.mean, moments.squares
    (array([3]), array([3.]), array([14.]))
    """

    def __init__(self, columns: int) -> None:
        self.count: npt.NDArray[Any] = np.zeros(columns, np.int64)
        self.mean = np.zeros(columns)
        self.squares = np.zeros(columns)
        self.low = np.full(columns, np.inf)
        self.high = np.full(columns, -np.inf)

    def add(self, X: FloatArray, weights: FloatArray | None = None) -> None:
        """Add the rows of X, shape (n, d), each as often as its weight says; NaN is a missing entry."""
        if weights is not None:
            X, weights = X[weights > 0], weights[weights > 0]
        missing = np.isnan(X)
        some = missing.any()
        count = len(X) - missing.sum(axis=0) if weights is None else weights @ ~missing
        total = self.count + count
        share = np.divide(count, total, out=np.zeros(len(total)), where=total > 0)
        # A column too large for float64 gets a scale that is not finite, an error that names the column.
        with np.errstate(over="ignore", invalid="ignore"):
            sums = _added(np.where(missing, 0.0, X) if some else X, weights)
            mean = np.divide(sums, count, out=self.mean.copy(), where=count > 0)
            squares = np.where(missing, 0.0, X - mean) ** 2 if some else (X - mean) ** 2
            step = mean - self.mean
            self.squares = self.squares + _added(squares, weights) + step * (step * (self.count * share))
            self.mean = self.mean + step * share
        self.low = np.fmin(self.low, np.fmin.reduce(X, axis=0, initial=np.inf))
        self.high = np.fmax(self.high, np.fmax.reduce(X, axis=0, initial=-np.inf))
        self.count = total


def _added(X: FloatArray, weights: FloatArray | None) -> FloatArray:
    sums: FloatArray = X.sum(axis=0) if weights is None else weights @ X
    return sums


@dataclass(frozen=True, repr=False)
class Standardization(Printed):
    """Scales columns to mean 0 and standard deviation 1, and converts parameters between the two scales.

    Parameters are the weights of the columns, then the bias, on the last axis: z = X w + b.

    Attributes:
        mean: the mean of each column, in the data's own units.
        scale: the standard deviation of each column (of the population: divided by n).

    >>> standardization = Standardization(mean=(2.0,), scale=(0.5,))
    >>> standardization.apply(np.array([[1.5], [2.5]])).ravel()
    array([-1.,  1.])
    >>> standardization.own_units(np.array([1.0, 0.0]))
    array([ 2., -4.])
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, X: FloatArray, out: FloatArray | None = None) -> FloatArray:
        """X with the mean of each column subtracted and divided by its scale; written to `out` if given."""
        standardised: FloatArray = np.subtract(X, np.asarray(self.mean), out=out)
        standardised /= np.asarray(self.scale)
        return standardised

    def own_units(self, parameters: FloatArray) -> FloatArray:
        """Convert parameters for standardised columns, shape (..., d + 1), to those for the original columns."""
        weights = parameters[..., :-1] / np.asarray(self.scale)
        shift = (weights * np.asarray(self.mean)).sum(axis=-1, keepdims=True)
        return np.concatenate([weights, parameters[..., -1:] - shift], axis=-1)

    def standardised(self, parameters: FloatArray) -> FloatArray:
        """Convert parameters for the original columns, shape (..., d + 1), to those for standardised columns."""
        weights = parameters[..., :-1]
        shift = (weights * np.asarray(self.mean)).sum(axis=-1, keepdims=True)
        return np.concatenate([weights * np.asarray(self.scale), parameters[..., -1:] + shift], axis=-1)
