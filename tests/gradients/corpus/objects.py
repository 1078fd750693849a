"""Families of classes, and the objects of SciPy and NumPy that compute with what they are given."""

# mypy: ignore-errors
import abc
import math

import numpy as np
from scipy import interpolate, sparse
from scipy.linalg import solve_banded
from scipy.spatial.distance import cdist, pdist, squareform
from tests.gradients.corpus.cases import at

X = (0.4, 1.3, 0.7, 2.2)
ENTRIES = np.array([[1.0, 0, 2, 0], [0, 0, 3, 1], [4, 5, 0, 0]])
SECOND_DIFFERENCE = sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], shape=(4, 4))
MEASURED = interpolate.CubicSpline(np.arange(5.0), [0.0, 1.0, 4.0, 1.0, 0.0])
MONOTONE = interpolate.PchipInterpolator(np.arange(5.0), [0.0, 1.0, 1.5, 4.0, 9.0])


@at(*X)
def sparse_matrices(x):
    rows, columns, listed = sparse.csr_matrix(ENTRIES), sparse.csc_array(ENTRIES), sparse.coo_array(ENTRIES)
    several = (rows @ np.outer(x, [1, 2])).sum() * x[0]
    return np.sum((rows @ x) ** 2) + columns.dot(np.sin(x)).prod() + (listed @ x)[1] * x[2] + several


@at(*X)
def smoothness(x):
    return np.sum((SECOND_DIFFERENCE @ x) ** 2) + (SECOND_DIFFERENCE.T.dot(x))[0] ** 2


@at(0.4, 1.3, 5.2, 2.2)
def splines_of_data(x):
    return np.sum(MEASURED(x)) * MONOTONE(x[0]) + MEASURED(x[1], 1)


@at(*X)
def splines_through_x(x):
    nodes = np.arange(4.0)
    natural = interpolate.CubicSpline(nodes, x, bc_type="natural")
    return natural(1.7) ** 2 + interpolate.interp1d(nodes, x)(2.6)


@at(*X)
def tridiagonal_system(x):
    bands = np.array([[0, 1, 1, 1], 4 + x, [1, 2, 1, 0]])
    return solve_banded((1, 1), bands, np.sin(x)).sum()


@at(*X)
def distances_between_points(x):
    points = x.reshape(2, 2)
    near = cdist(points, np.ones((3, 2)), "cityblock").min() + cdist(points, points).sum()
    return near + squareform(pdist(points))[0, 1] ** 3 + pdist(points, "sqeuclidean").sum()


@at(*X)
def polynomials_as_objects(x):
    p, q = np.polynomial.Polynomial(x), np.poly1d(x)
    return (p * p + 1)(0.3) + p.deriv()(0.5) + p.integ()(0.4) + (q * q)(0.5) + q.deriv()(1.0)


@at(*X)
def least_squares_of_full_rank_or_not(x):
    square = np.linalg.lstsq(x.reshape(2, 2), np.ones(2), rcond=None)[0]
    tall = np.linalg.lstsq(np.vander(np.arange(4.0), 2), x, rcond=None)
    return square.sum() + tall[0][0] ** 2 + tall[1][0]


class Expression(abc.ABC):
    def __add__(self, other):
        return Sum(self, other if isinstance(other, Expression) else Number(other))

    def __mul__(self, other):
        return Product(self, other) if isinstance(other, Expression) else NotImplemented

    @abc.abstractmethod
    def at(self, x): ...


class Number(Expression):
    def __init__(self, number):
        self.number = number

    def at(self, x):
        return self.number


class Variable(Expression):
    def __init__(self, i):
        self.i = i

    def at(self, x):
        return x[self.i]


class Sum(Expression):
    def __init__(self, left, right):
        self.left, self.right = left, right

    def at(self, x):
        return self.left.at(x) + self.right.at(x)


class Product(Sum):
    def at(self, x):
        return self.left.at(x) * self.right.at(x)


@at(*X)
def a_family_of_classes(x):
    made = (Variable(0) + 2) * Variable(1) + 3
    assert isinstance(made, Sum) and not isinstance(made, Product)
    assert issubclass(Product, Sum) and issubclass(Sum, Expression)
    return np.sin(made.at(x)) * x[2]


class Power:
    @property
    def exponent(self):
        return 5

    def scale(self):
        return 1.0

    def __call__(self, x):
        return np.sum(x**self.exponent) * self.scale(x[0])


class Cube(Power):
    exponent = 3
    scale = staticmethod(math.sqrt)


CUBE = Cube()


@at(*X)
def kind_of_numbers(x):
    if x.dtype not in (np.float32, np.float64) or x.dtype != np.float64 or x.dtype == complex:
        return 0.0
    return np.sum(x**2)


@at(*X)
def attributes_in_place_of_methods(x):
    return CUBE(x)
