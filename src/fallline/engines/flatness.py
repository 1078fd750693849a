"""How flat the objective is at points: the fall that slope and curvature still promise, and where it curves down."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import BoolArray, FloatArray
from fallline.eigen import eigen
from fallline.gradients.perturbation import PerturbedObjective
from fallline.objectives.base import Cost, Objective
from fallline.optimizers import Optimizer
from fallline.stopping import EPSILON, ROUNDING, Left

# The part of a gradient's terms that is rounding.
NOISE = 8 * EPSILON
# With more coordinates, the curvature is measured along the slope only.
MODEST = 16
# How far apart gradients are compared, as a part of a coordinate's size: exact ones, and estimated ones.
APART, ESTIMATES_APART = 1e-4, 1e-3
# A curvature below this part of the largest is not told from zero.
LEAST = 1e-6


def scale_of(value: FloatArray, first_value: FloatArray) -> FloatArray:
    """The size whose rounding limits values: their own, but no less than the first one's, or 1 if that is less."""
    return np.fmax(np.abs(value), np.fmin(np.abs(first_value), 1.0))


def size_of(x: FloatArray, first_x: FloatArray, first_value: FloatArray, first_gradient: FloatArray) -> FloatArray:
    """A length for each coordinate over which the objective may change, shape (k, n).

    It is the coordinate's own; or at most 1, the way that the run has come, or that over which the first slope would
    have made up the first value: so it is small where the units are.
    """
    across = np.abs(first_value)[:, None] / np.abs(first_gradient)
    size = np.maximum(np.abs(x), np.fmin(np.fmax(np.abs(x - first_x), across), 1.0))
    return np.where(size > 0, size, 1.0)


def left_at(
    objective: Objective, rule: Optimizer[Any], x: FloatArray, value: FloatArray, size: FloatArray, scale: FloatArray
) -> tuple[Left, Cost]:
    """What is left of the slope at points, and the evaluations that it takes at each of them.

    Arguments:
        objective: with a gradient.
        rule: the rule of the runs that ended there: its set or its penalty may hold a part of the slope.
        x: the points, shape (k, n).
        value: the objective there, shape (k,).
        size: what `size_of` gives, shape (k, n).
        scale: what `scale_of` gives, shape (k,).
    """
    # Values in float32 are rounded more coarsely.
    scale = scale * (objective.rounding / EPSILON)
    apart, noise = APART, np.zeros(x.shape)
    if isinstance(objective, PerturbedObjective) and objective.perturbation.scheme != "complex":
        apart, noise = ESTIMATES_APART, NOISE * scale[:, None] / objective.steps(x)
    gradient = objective.gradient(x)
    slope = rule.unbalanced(x, gradient, apart * size.max(axis=-1, keepdims=True))
    alone = x.shape[1] > MODEST or objective.convex or slope is not gradient
    if alone:
        fall, step_left, down = _along_the_slope(objective, x, slope, size, noise, apart)
    else:
        fall, step_left, down = _in_all_directions(objective, x, slope, size, noise, apart, scale)
    gone, slight = (fall <= ROUNDING * size_of_value for size_of_value in (scale, np.fmax(scale, 1.0)))
    looks = 1 + 2 * (1 if alone else x.shape[1])
    if not (alone or gone.all()):
        gone[~gone] = _turns(objective, x[~gone], slope[~gone], ROUNDING * scale[~gone])
        looks += 2 * x.shape[1]
    cost = Cost(*(looks * part for part in objective.cost_of_gradient))
    return Left(x, value, slope, fall, step_left, gone, slight, down), cost


def _turns(objective: Objective, x: FloatArray, slope: FloatArray, rounding: FloatArray) -> BoolArray:
    """Where each slope turns round so near that the value cannot fall above its rounding: at a minimum with a kink."""
    turned = []
    for i in range(x.shape[1]):
        ahead, behind = x.copy(), x.copy()
        near = rounding / np.abs(slope[:, i])
        ahead[:, i] += near
        behind[:, i] -= near
        rises, falls = objective.gradient(ahead)[:, i] >= 0, objective.gradient(behind)[:, i] <= 0
        turned.append((slope[:, i] == 0) | (rises & falls & (ahead[:, i] > behind[:, i])))
    return np.asarray(np.logical_and.reduce(turned))


def _in_all_directions(
    objective: Objective,
    x: FloatArray,
    slope: FloatArray,
    size: FloatArray,
    noise: FloatArray,
    apart: float,
    scale: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The fall, Newton's step, and the share of the directions in which the objective curves down."""
    # The coordinates first, so that NumPy's loops run over the points.
    hessian, known = _hessian(objective, x, apart * size)
    x, slope, size, noise = (np.ascontiguousarray(part.T) for part in (x, slope, size, noise))
    noise = np.maximum(noise, NOISE * (np.abs(hessian) * np.abs(x)).sum(axis=1))
    doubt = (noise + NOISE * np.abs(slope)) / (apart * size)
    # Each coordinate in units in which its curvature is 1, or in which that would be seen.
    largest = np.maximum(np.abs(hessian.diagonal().T), doubt)
    unit = 1 / np.sqrt(np.where(largest > 0, largest, 1.0))
    curvature, axes = eigen(hessian * unit[:, None] * unit)
    along = unit[:, None] * axes
    pull = (along * np.where(np.abs(slope) <= noise, 0.0, slope)[:, None]).sum(axis=0)
    # How far each axis goes until a coordinate has moved by its own size.
    reach = (size[:, None] / np.maximum(np.abs(along), np.finfo(float).tiny)).min(axis=0)
    least = np.maximum(LEAST * np.abs(curvature).max(axis=0), (along * along * doubt[:, None]).sum(axis=0))
    up = curvature > least
    rise = np.where(up, curvature, 1.0)
    fall = np.where(up, 0.5 * pull * pull / rise, np.abs(pull) * reach).sum(axis=0)
    step = (along * np.where(up, pull / rise, np.sign(pull) * reach)).sum(axis=1)
    down = (curvature < -least) & (-0.5 * curvature * reach * reach > ROUNDING * scale)
    unknown = ~known & slope.any(axis=0)
    return np.where(unknown, np.inf, fall), np.where(unknown, np.inf, step).T, down.sum(axis=0) / len(x)


def _hessian(objective: Objective, x: FloatArray, apart: FloatArray) -> tuple[FloatArray, BoolArray]:
    """The second derivatives, shape (n, n, k), 0 where they are not finite, and a mask of where they are."""
    k, n = x.shape
    hessian = np.empty((n, n, k))
    for i in range(n):
        ahead, behind = x.copy(), x.copy()
        ahead[:, i] += apart[:, i]
        behind[:, i] -= apart[:, i]
        # One by one, because JAX compiles its code for each shape of a batch.
        hessian[:, i] = (objective.gradient(ahead) - objective.gradient(behind)).T / (ahead[:, i] - behind[:, i])
    known = np.asarray(np.isfinite(hessian).all(axis=(0, 1)))
    hessian[:, :, ~known] = 0.0
    return (hessian + hessian.swapaxes(0, 1)) / 2, known


def _along_the_slope(
    objective: Objective,
    x: FloatArray,
    slope: FloatArray,
    size: FloatArray,
    noise: FloatArray,
    apart: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The same, of the line along the slope: a lower bound of the fall, and nothing about other directions."""
    length = np.linalg.norm(slope, axis=-1, keepdims=True)
    direction = slope / np.where(length > 0, length, 1.0)
    reach = size.max(axis=-1, keepdims=True)
    move = apart * reach * direction
    change = objective.gradient(x + move) - objective.gradient(x - move)
    curvature = (change * direction).sum(axis=-1, keepdims=True) / (2 * apart * reach)
    limit = np.linalg.norm(noise, axis=-1, keepdims=True)
    doubt = (limit + NOISE * length) / (apart * reach)
    at_x = NOISE * np.abs(curvature) * np.linalg.norm(x, axis=-1, keepdims=True)
    pull = np.where(length <= np.fmax(limit, at_x), 0.0, length)
    up = curvature > doubt
    rise = np.where(up, curvature, 1.0)
    fall = np.where(up, 0.5 * pull * pull / rise, pull * reach)
    step = direction * np.where(up, pull / rise, np.where(pull > 0, reach, 0.0))
    unknown = ~np.isfinite(curvature) & (length > 0)
    return np.where(unknown, np.inf, fall)[:, 0], np.where(unknown, np.inf, step), np.zeros(len(x))
