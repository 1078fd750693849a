"""The smallest and the largest eigenvalue of a Hessian, found from its products with vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, check_whole
from fallline.gradients.hessian import hessian_vector
from fallline.objectives.base import Objective
from fallline.tables import Printed

# The most vectors of the basis, so that no matrix is larger, and the most numbers in all of them: 128 MiB.
LARGEST_BASIS, LARGEST_MEMORY = 50, 2**24
# An eigenvalue whose error bound is within this of the largest size is found. Of random matrices of up to 60 rows, one
# in 6,000 has another beyond it then; with 1e-3 it is one in 800.
CLOSE = 1e-4
# So many products are made in any case: the start may have next to nothing of an outlying eigenvector.
LEAST_PRODUCTS = 10


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(Printed):
    """The ends of the spectrum of a Hessian.

    Attributes:
        lowest: the smallest eigenvalue found. The curvature along `lowest_vector`, so that one below 0 by more than
            its error proves that the point is no minimum.
        highest: the largest eigenvalue found, the curvature along `highest_vector`.
        lowest_vector: the unit vector of the smallest eigenvalue, shape (n,).
        highest_vector: that of the largest.
        lowest_error: a bound of the distance from `lowest` to an eigenvalue, rounding included.
        highest_error: the same of `highest`.
        products: how many products of the Hessian and a vector were made.
    """

    lowest: float
    highest: float
    lowest_vector: FloatArray
    highest_vector: FloatArray
    lowest_error: float
    highest_error: float
    products: int


def extreme_eigenvalues(
    objective: Objective, x: FloatArray, *, products: int = 100, seed: int = 0, scale: FloatArray | None = None
) -> Spectrum:
    """The smallest and the largest eigenvalue of the Hessian at a point, without forming it.

    The Lanczos method from a random start, every vector orthogonalised against all others, and restarted with the
    vectors nearest to both ends when the basis is full: Wu and Simon (2000), Thick-restart Lanczos method for large
    symmetric eigenvalue problems. How far the projected matrix is from symmetric measures the products' rounding.

    Arguments:
        objective: with a gradient.
        x: the point, shape (n,).
        products: the most products; each costs about two gradients. Fewer are made when both ends are found to a
            ten thousandth of the larger.
        seed: of the random start.
        scale: positive numbers D, shape (n,), for the eigenvalues of D^(-1/2) H D^(-1/2), as a rule with a rate of its
            own for each coordinate meets them. The vectors are directions of x.

    Returns:
        The two eigenvalues; NaN where the point or a product is not finite. What is found is an eigenvalue, within its
        error; that none lies beyond it is likely, not certain, as the random start may hardly have its direction.

    >>> from fallline.objectives import as_objective
    >>> found = extreme_eigenvalues(as_objective("3*x**2 - y**2"), np.array([1.0, 1.0]))
    >>> round(found.lowest, 9), round(found.highest, 9), found.products
    (-2.0, 6.0, 2)
    """
    check_whole("products", products, 1)
    if scale is not None and not (np.shape(scale) == np.shape(x) and np.all(np.asarray(scale) > 0)):
        raise FalllineError("scale", scale, f"it must be {len(x)} numbers above 0")
    shrink = np.ones(len(x)) if scale is None else 1 / np.sqrt(scale)
    with np.errstate(all="ignore"):
        basis = _Basis(_start(len(x), seed))
        for made in range(1, products + 1):
            product = shrink * hessian_vector(objective, x, shrink * basis.newest)
            # At a point that is none, a derivative may still be a number.
            if not (np.isfinite(product).all() and np.isfinite(x).all()):
                nothing = np.full(len(x), np.nan)
                return Spectrum(np.nan, np.nan, nothing, nothing, np.nan, np.nan, made)
            basis.take(product)
            if basis.complete or (made >= LEAST_PRODUCTS and basis.settled):
                break
            if made < products:
                basis.extend()
        (lowest, highest), (low, high) = basis.values[[0, -1]], shrink * basis.ends()
        return Spectrum(
            float(lowest), float(highest), low / np.linalg.norm(low), high / np.linalg.norm(high), *basis.errors, made
        )


def _start(dimension: int, seed: int) -> FloatArray:
    """A start with something of every eigenvector, in all likelihood: uniform numbers between -1/2 and 1/2.

    They are the fractions of √2 k², which pass for independent (Rudnick and Sarnak, 1998); a generator of NumPy's takes
    longer to import than most runs on a formula take.
    """
    places = np.arange(1.0, dimension + 1) + 1000 * seed
    start: FloatArray = np.sqrt(2) * places**2 % 1 - 0.5
    return start


class _Basis:
    """An orthonormal basis, the matrix projected onto it, and what leads out of it.

    Arguments:
        start: a direction for the first vector, shape (n,).
    """

    def __init__(self, start: FloatArray) -> None:
        dimension = len(start)
        self.size = min(dimension, LARGEST_BASIS, max(8, LARGEST_MEMORY // dimension))
        self.vectors = np.empty((self.size, dimension))
        self.vectors[0] = start / np.linalg.norm(start)
        self.count = 1
        self.projected = np.zeros((self.size, self.size))
        # What symmetry says of the next column of the projected matrix, and the largest departure from it.
        self.foreseen = np.zeros(0)
        self.rounding = 0.0

    @property
    def newest(self) -> FloatArray:
        """The vector that is to be multiplied next."""
        vector: FloatArray = self.vectors[self.count - 1]
        return vector

    @property
    def complete(self) -> bool:
        """Whether nothing leads out of the basis."""
        return self.count == self.vectors.shape[1] or self.out <= float(np.finfo(float).eps) * self.largest

    @property
    def largest(self) -> float:
        """The size of the largest eigenvalue found."""
        return float(np.abs(self.values[[0, -1]]).max())

    @property
    def errors(self) -> tuple[float, float]:
        """The bounds of the errors of both ends."""
        # Products that happen to be symmetric to the last bit are rounded all the same.
        rounding = max(self.rounding, float(np.finfo(float).eps) * self.largest)
        low, high = self.out * np.abs(self.coordinates[-1, [0, -1]]) + rounding
        return float(low), float(high)

    @property
    def settled(self) -> bool:
        """Whether both ends are found as well as is asked for, or as rounding allows."""
        return max(self.errors) <= max(CLOSE * self.largest, 2 * self.rounding)

    def take(self, product: FloatArray) -> None:
        """Project the product with the newest vector onto the basis; the rest leads out of it."""
        known, last = self.vectors[: self.count], self.count - 1
        column = known @ product
        rest = product - column @ known
        # Once more, for what rounding left in the first time: twice is enough (Parlett, 1998, section 6.9).
        again = known @ rest
        rest -= again @ known
        column += again
        if last:
            self.rounding = max(self.rounding, float(np.linalg.norm(column[:last] - self.foreseen)))
        self.projected[:last, last] = self.projected[last, :last] = self.foreseen
        self.projected[last, last] = column[last]
        self.values, self.coordinates = np.linalg.eigh(self.projected[: self.count, : self.count])
        self.rest, self.out = rest, float(np.linalg.norm(rest))

    def extend(self) -> None:
        """Take what leads out of the basis into it, after keeping only the vectors nearest to both ends if it is full.

        Of a full basis it keeps a third; the projected matrix on those is diagonal.
        """
        if self.count == self.size:
            side = max(1, self.size // 6)
            kept = np.r_[:side, self.size - side : self.size]
            self.vectors[: 2 * side] = self.coordinates[:, kept].T @ self.vectors
            self.projected[: 2 * side, : 2 * side] = np.diag(self.values[kept])
            self.foreseen = self.out * self.coordinates[-1, kept]
            self.count = 2 * side
        else:
            self.foreseen = np.append(np.zeros(self.count - 1), self.out)
        self.vectors[self.count] = self.rest / self.out
        self.count += 1

    def ends(self) -> FloatArray:
        """The vectors of both ends, shape (2, n)."""
        ends: FloatArray = self.coordinates[:, [0, -1]].T @ self.vectors[: self.count]
        return ends
