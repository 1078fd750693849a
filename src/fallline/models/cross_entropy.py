"""The softmax and the cross-entropy of several classes, with all digits kept in both tails."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray

# Logits z have the shape (..., m, k): m rows, k classes. The labels of the rows, shape (m,), are 0 to k - 1.


def softmax(z: FloatArray) -> FloatArray:
    """The probabilities exp(z) / Σ exp(z), summed over the last axis.

    >>> softmax(np.array([[1e4, 1e4, -1e4]]))
    array([[0.5, 0.5, 0. ]])
    """
    largest, _, others = _from_the_largest(z)
    np.put_along_axis(others, largest, 1.0, axis=-1)
    p: FloatArray = others / others.sum(axis=-1, keepdims=True)
    return p


def cross_entropy(z: FloatArray, labels: FloatArray) -> FloatArray:
    """-log p of each row's own class, shape (..., m).

    >>> cross_entropy(np.array([[0.0, 1e4], [0.0, 50.0]]), np.array([0, 1]))
    array([1.0000e+04, 1.9287e-22])
    """
    # With z counted from its largest: log Σ exp(z) - z of the class. The largest puts the 1 into log(1 + rest).
    _, below, others = _from_the_largest(z)
    own = _of_class(below, labels)
    error: FloatArray = np.log1p(others.sum(axis=-1)) - np.take_along_axis(below, own, axis=-1)[..., 0]
    return error


def cross_entropy_slope(z: FloatArray, labels: FloatArray) -> FloatArray:
    """∂/∂z of it: p - 1 for the row's own class, p for the others; shape kept."""
    slope = softmax(z)
    own = _of_class(z, labels)
    # p - 1 is what all others take: their sum has digits where p is nearly 1.
    np.put_along_axis(slope, own, 0.0, axis=-1)
    np.put_along_axis(slope, own, -slope.sum(axis=-1, keepdims=True), axis=-1)
    return slope


def _from_the_largest(z: FloatArray) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Which logit is the largest, all logits less that, and exp of these with 0 in its place."""
    largest = z.real.argmax(axis=-1)[..., None]
    below = z - np.take_along_axis(z, largest, axis=-1)
    others = np.exp(below)
    np.put_along_axis(others, largest, 0.0, axis=-1)
    return largest, below, others


def _of_class(z: FloatArray, labels: FloatArray) -> np.ndarray:
    return np.broadcast_to(labels.astype(np.intp)[:, None], (*z.shape[:-1], 1))
