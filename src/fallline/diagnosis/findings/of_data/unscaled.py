"""The finding that the features, or the targets, have scales on which the descent hardly moves or breaks out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import at_rates, standardised
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.diagnosis.sample import best_constant
from fallline.models import Huber, LinearFamily, Loss, Network, Poisson
from fallline.optimizers import Optimizer

# Scales differ where the largest is this many times the smallest: the curvature differs by the square of it.
SPREAD = 100.0
# A feature, or a network's target, of this size makes the curvature a hundred or a thousand times that of size 1.
LARGE, LARGE_TARGET = 10.0, 30.0
# It hurts where this part of the possible fall of the loss is still ahead at the end; for a network, where it explains
# so much less of the targets' variance than the features tell.
LEFT, SHORT = 0.05, 0.1
# The most by which a larger rate is offered: further away, units are at fault.
FASTER = 100
# A feature that is 0 in this part of the rows is one of many that take turns, such as a word or a category.
MOSTLY_ZERO = 0.9
# The fewest rows that tell scales, and the most features of which the Hessian matrix is made.
FEWEST, MOST_FEATURES = 10, 100


class Scales(NamedTuple):
    """The mean, the deviation and the size (root mean square) of the features that are numbers, and their names."""

    mean: FloatArray
    deviation: FloatArray
    size: FloatArray
    names: tuple[str, ...]


@check(
    "features or targets are not scaled",
    leads_to=(
        "too_slow",
        "plateau",
        "constant_predictor",
        "dead_units",
        "zigzag",
        "noise_floor",
        "update_size",
        "loss_spike",
        "not_finite",
    ),
    ignore="the run is fast enough, or the columns are categories or embeddings",
    source="LeCun, Bottou, Orr and Müller (1998), Efficient backprop, section 4.3",
    example="""
        random = np.random.default_rng(0)
        rooms, area = random.integers(1, 6, 80), random.normal(100, 30, 80)
        X = np.column_stack([rooms, area])
        line = Linear(X, rooms + 0.02 * area)
        run = minimize(line, (0, 0, 0), GradientDescent(1e-5), max_steps=300)
    """,
)
def unscaled(case: Case) -> Finding | None:
    """Compare the scales of the features with each other and the intercept's, and see whether they hurt the run."""
    if len(case.sample.rows) < FEWEST or len(case.run) < 2:
        return None
    broke_out = _breaks_out(case)
    return _features(case, broke_out) or _targets(case, broke_out)


def _breaks_out(case: Case) -> int | None:
    """The step from which the loss first rose, in a run that ended above its start or nowhere; None in any other."""
    values = case["value"]
    if np.isfinite(values.values[-1]) and values.values[-1] <= values.values[0]:
        return None
    with np.errstate(all="ignore"):
        return int(values.steps[int(np.argmax(~(np.diff(values.values) <= 0)))])


def _features(case: Case, broke_out: int | None) -> Finding | None:
    scales = _scales(case)
    if scales is None:
        return None
    largest, smallest = max(1.0, scales.size.max()), min(1.0, scales.deviation.min())
    if largest < SPREAD * smallest:
        return None
    if broke_out is None:
        left = _left(case)
        harm = f"{left:.0%} of the possible fall of the loss was still ahead at step {case.run.step_count}."
        hurts = left > (SHORT if isinstance(case.data, Network) else LEFT)
    else:
        harm = f"The loss rose from {case.run.start.value:.3g} to {case.run.final.value:.3g}."
        hurts = largest >= LARGE
    if not hurts:
        return None
    big, small = int(np.argmax(scales.size)), int(np.argmin(scales.deviation))
    words = f"The column {scales.names[big]} has mean {scales.mean[big]:.3g} and deviation {scales.deviation[big]:.3g}"
    if small != big:
        words += f", {scales.names[small]} mean {scales.mean[small]:.3g} and deviation {scales.deviation[small]:.3g}"
    return Finding(
        name="unscaled",
        title=f"The features are not scaled: sizes from {smallest:.2g} to {largest:.2g}",
        evidence=f"{words}; the intercept has a column of ones. {harm}",
        cause=f"The curvature along the features differs by the square of their sizes, up to "
        f"{(largest / smallest) ** 2:.0e}-fold, so a rate that suits one is far too large or too small for another.",
        remedies=standardised(case),
        since=broke_out or 0,
        numbers={"largest": largest, "smallest": smallest, "spread": largest / smallest},
    )


def _scales(case: Case) -> Scales | None:
    """The scales of the features, without those that are constant, mostly zero, or of two values."""
    X = case.sample.rows.X
    low, high = X.min(axis=0), X.max(axis=0)
    numbers = ~((low == X) | (high == X)).all(axis=0) & ((X == 0).mean(axis=0) < MOSTLY_ZERO)
    if not numbers.any():
        return None
    with np.errstate(all="ignore"):
        mean, deviation = X[:, numbers].mean(axis=0), X[:, numbers].std(axis=0)
    names = case.data.feature_names or [f"x{number}" for number in range(1, X.shape[1] + 1)]
    names = tuple(name for name, number in zip(names, numbers, strict=True) if number)
    return Scales(mean, deviation, np.hypot(mean, deviation), names)


def _left(case: Case) -> float:
    """The part of the possible fall of the loss that is still ahead at the end, or of the targets' variance."""
    data, X = case.data, case.sample.rows.X
    # At its minimum a linear model may explain less than least squares do, because of a penalty or another loss.
    otherwise = 0.0 if case.run.stop.converged and not isinstance(data, Network) else case.shortfall
    if not isinstance(data, LinearFamily) or X.shape[1] > MOST_FEATURES:
        return otherwise
    part = data.on_part(X, case.sample.rows.y, case.sample.rows.weights)
    ends = case.run.x[[0, -1]]
    fallen = float(-np.diff(part.value(ends))[0])
    # Newton's decrement, in coordinates in which the features are standardised, so that it is precise.
    weights, x = case.sample.weights, ends[1]
    z = X @ x[:-1] + x[-1]
    step = 1e-4 * np.maximum(1, abs(z))
    y = case.sample.rows.y
    curvature = (data.slope(z + step, y) - data.slope(z - step, y)) / (2 * step)
    deviations = X.std(axis=0)
    varied = deviations > 0
    A = np.column_stack([(X[:, varied] - X[:, varied].mean(axis=0)) / deviations[varied], np.ones(len(X))])
    gradient, hessian = A.T @ (weights * data.slope(z, y)), A.T @ ((weights * curvature)[:, None] * A)
    if data.l2:
        gradient[:-1] += data.l2 * x[:-1][varied] / deviations[varied]
        hessian[np.diag_indices(len(A.T) - 1)] += data.l2 / deviations[varied] ** 2
    if not (np.isfinite(hessian).all() and hessian.any()):
        return otherwise
    ahead = 0.5 * float(gradient @ np.linalg.lstsq(hessian, gradient, rcond=1e-10)[0])
    ahead *= part.rows * part.mean_weight if part.reduction == "sum" else 1.0
    return ahead / (fallen + ahead) if fallen + ahead > 0 else 0.0


def _targets(case: Case, broke_out: int | None) -> Finding | None:
    """A network's targets far from the scale of its outputs; or a constant further away than the steps can reach."""
    data, run = case.data, case.run
    if data.class_labels() or isinstance(data, Poisson):
        return None
    y, weights = case.sample.rows.y, case.sample.weights
    mean = float(weights @ y)
    deviation = float(np.sqrt(weights @ (y - mean) ** 2))
    size = float(np.hypot(mean, deviation))
    reach = _reach(case)
    away = abs(best_constant(data, np.ones(len(data.y)))) if isinstance(data, LinearFamily) else abs(mean)
    short = case.shortfall > SHORT or broke_out is not None
    too_far = away > LARGE and reach < away
    if not (short and (too_far or (isinstance(data, Network) and size > LARGE_TARGET))):
        return None
    words = f"The targets have mean {mean:.3g} and deviation {deviation:.3g}."
    if too_far:
        words += f" All {run.step_count} steps together can move the intercept by {reach:.3g} at most."
    return Finding(
        name="unscaled",
        title=f"The targets are not scaled: their mean is {mean:.3g}, their deviation {deviation:.3g}",
        evidence=f"{words} The model explains {max(0, case.sample.explained(run.final.x)):.0%} of their variance, of "
        f"which the features tell {case.sample.told:.0%}.",
        cause="The steps are too short for a way as long as the targets are large."
        if too_far
        else "The gradients grow with the targets, and with them the steps.",
        remedies=(
            Remedy("fit (y - y.mean()) / y.std(), and scale the predictions back"),
            *(at_rates(case, 3 * away / reach) if too_far and 3 * away < FASTER * reach else ()),
        ),
        since=broke_out or 0,
        numbers={"mean": mean, "deviation": deviation, "reach": reach},
    )


def _reach(case: Case) -> float:
    """How far the steps can move a coordinate, where their length is bounded: by the rule, or by Huber's loss."""
    run, data = case.run, case.data
    rates = np.where(np.isfinite(run.rate[:-1]), run.rate[:-1], np.nan)
    if not len(rates) or np.isnan(rates).any():
        return np.inf
    travelled = float(rates @ np.diff(run.steps))
    if run.rule is not None and _is_scale_free(run.rule, data):
        return travelled
    return travelled * data.delta if isinstance(data, Huber) and data.reduction == "mean" else np.inf


def _is_scale_free(rule: Optimizer[Any], data: Loss) -> bool:
    """Whether the rule makes steps of the rate's length, whatever the size of the gradient."""
    gradient = np.ones(data.dimension)
    try:
        with np.errstate(all="ignore"):
            steps = [rule.update(size * gradient, rule.init(0 * gradient), 1.0, 1)[0] for size in (1.0, 1e3)]
    except Exception:  # a rule of the user's own
        return False
    return all(0.3 < np.max(abs(step)) < 3 for step in steps)
