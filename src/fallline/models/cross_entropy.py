"""The softmax and the cross-entropy of several classes, at full precision in both tails."""

from __future__ import annotations

import functools

import numpy as np

from fallline.arrays import BoolArray, FloatArray

# Logits z have the shape (k, ..., m) for k classes and m rows: operations along contiguous rows are fast even for few
# classes. The labels of the rows, shape (m,), are 0 to k - 1.


def softmax(z: FloatArray) -> FloatArray:
    """The probabilities exp(z) / Σ exp(z) of logits, with the classes on the last axis.

    >>> softmax(np.array([[1e4, 1e4, -1e4]]))
    array([[0.5, 0.5, 0. ]])
    """
    terms = np.exp(_below_the_largest(classes_first(z)))
    return np.moveaxis(terms / _sum(terms), 0, -1)


def cross_entropy(z: FloatArray, labels: FloatArray) -> FloatArray:
    """-log p of each row's class, shape (..., m).

    >>> cross_entropy(np.array([[0.0, 0.0], [1e4, 50.0]]), np.array([0, 1]))
    array([1.0000e+04, 1.9287e-22])
    """
    # log Σ exp(z) - z of the class, with the largest z subtracted from all. The largest contributes exp(0) = 1, so the
    # sum is 1 + rest; further z equal to it are counted in the rest.
    below = _below_the_largest(z)
    largest = below == 0
    rest = _sum(np.where(largest, 0.0, np.exp(below))) + (_sum(np.where(largest, 1.0, 0.0)) - 1)
    error: FloatArray = np.log1p(rest) - _sum(np.where(_own(below, labels), below, 0.0))
    return error


def cross_entropy_slope(z: FloatArray, labels: FloatArray) -> FloatArray:
    """∂/∂z of the cross-entropy, in the shape of z: p - 1 for the row's class, p for the others."""
    terms = np.exp(_below_the_largest(z))
    own = _own(terms, labels)
    # p - 1 is computed as minus the sum of the other probabilities, which is precise where p is nearly 1.
    others = np.where(own, 0.0, terms) / _sum(terms)
    return np.where(own, -_sum(others), others)


def _below_the_largest(by_class: FloatArray) -> FloatArray:
    """The logits minus the largest of their row."""
    below: FloatArray = by_class - functools.reduce(np.maximum, by_class)
    return below


def _sum(by_class: FloatArray) -> FloatArray:
    """The sum over the classes in order: the order of NumPy's sum would depend on the numbers of rows and points."""
    return functools.reduce(np.add, by_class)


def _own(by_class: FloatArray, labels: FloatArray) -> BoolArray:
    """The mask of each row's class."""
    own: BoolArray = np.arange(len(by_class))[(...,) + (None,) * (by_class.ndim - 1)] == labels
    return own


def classes_first(z: FloatArray) -> FloatArray:
    """Logits (..., m, k) with the classes moved to the first axis: (k, ..., m)."""
    return np.moveaxis(z, -1, 0).copy()
