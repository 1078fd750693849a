"""What L-BFGS remembers: pairs of a step and the change of the gradient over it, and the Hessian they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import Quantity


class Pairs(NamedTuple):
    """The last steps and changes of the gradient, oldest first; zeros where there were fewer."""

    steps: tuple[Quantity, ...]
    bends: tuple[Quantity, ...]


def dot(a: Quantity, b: Quantity) -> Quantity:
    """The scalar product along the last axis, which stays with the length 1."""
    return np.sum(a * b, axis=-1, keepdims=True)


def learned(state: Any, s: Quantity, y: Quantity, least: Quantity) -> tuple[Pairs, Quantity, Quantity]:
    """What the last step shows of the curvature.

    Arguments:
        state: with the last `steps` and `bends`.
        s, y: the last step and the change of the gradient over it.
        least: the s·y above which the pair is kept.

    Returns:
        The pairs with the last one; whether it is among them; and s·y / y·y, 1 where it is not.
    """
    sy, yy = dot(s, y), dot(y, y)
    curved = sy > least
    # A run that learns nothing from its last step keeps all its pairs.
    steps = tuple(np.where(curved, new, old) for old, new in zip(state.steps, (*state.steps[1:], s), strict=True))
    bends = tuple(np.where(curved, new, old) for old, new in zip(state.bends, (*state.bends[1:], y), strict=True))
    return Pairs(steps, bends), curved, np.where(curved, sy / np.where(curved, yy, 1.0), 1.0)


def times_inverse_hessian(vector: Quantity, pairs: Pairs, scale: Quantity) -> Quantity:
    """H v by the two-loop recursion, H the inverse Hessian estimated from the pairs and `scale` times the identity."""
    weights = []
    for s, y in zip(pairs.steps[::-1], pairs.bends[::-1], strict=True):
        weights.append(dot(s, vector) / _divisor(s, y))
        vector = vector - weights[-1] * y
    vector = scale * vector
    for s, y, weight in zip(*pairs, weights[::-1], strict=True):
        turn = dot(y, vector) / _divisor(s, y)
        vector = vector + (weight - turn) * s
    return vector


def hessian(pairs: Pairs, scale: Quantity) -> Callable[[Quantity], Quantity]:
    """The product with the BFGS estimate B of the Hessian, from the pairs and the identity divided by `scale`.

    Two vectors for each pair: B v = v / scale + Σ (b·v) b − (a·v) a.
    """
    added: list[tuple[Quantity, Quantity]] = []

    def times(vector: Quantity) -> Quantity:
        product = vector / scale
        for b, a in added:
            product = product + dot(b, vector) * b - dot(a, vector) * a
        return product

    for s, y in zip(*pairs, strict=True):
        bent = times(s)
        along, before = dot(s, y), dot(s, bent)
        known = np.minimum(along, before) > 0
        b = np.where(known, y / np.sqrt(np.where(known, along, 1.0)), 0.0)
        added.append((b, np.where(known, bent / np.sqrt(np.where(known, before, 1.0)), 0.0)))
    return times


def _divisor(s: Quantity, y: Quantity) -> Quantity:
    sy = dot(s, y)
    return np.where(sy > 0, sy, 1.0)
