"""The finding that the epsilon of an adaptive rule outweighs the slopes, so that it adapts to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.quantiles import median
from fallline.diagnosis.remedies import by
from fallline.diagnosis.steps import READ, spread
from fallline.hyperparameters import hyperparameters
from fallline.optimizers import Optimizer
from fallline.optimizers.base import layers
from fallline.optimizers.settings import has_setting, setting_of, with_settings

# Steps shorter than this part of those without epsilon are set by it.
SHORTER = 0.2
# The epsilon to compare with: nothing beside any slope.
NOTHING = 1e-30
# The part of the fall that must be left.
LEFT = 0.1
# How many gradients are looked at, all of the first half, since slopes fade when a run converges.
ROWS = 50


@check(
    "epsilon outweighs the slopes",
    leads_to=("too_slow", "update_size", "plateau", "constant_predictor"),
    ignore="where a large epsilon is meant to make the rule more like plain descent",
    source="Choi et al. (2019), On empirical comparisons of optimizers for deep learning",
    example='run = minimize("x**2 + 3*y**2", (4, 2), Adam(0.1, epsilon=1e4), max_steps=200)',
)
def epsilon_dominates(case: Case) -> Finding | None:
    """The first steps of the rule on slopes of the run's median size, with its epsilon and without."""
    rule = case.rule
    if not (rule.elementwise and _has_epsilon(rule)):
        return None
    run = case.run
    rows = spread(max(len(run) // 2, 1), max(1, min(ROWS, READ // (2 * run.x.shape[1]))))
    with np.errstate(all="ignore"):
        sizes = np.sqrt(np.mean(run.gradient[rows] ** 2, axis=0))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not sizes.size:
        return None
    typical, epsilon = float(median(sizes)), float(setting_of(rule, "epsilon")[0])
    part = _steps(rule, typical) / _steps(with_settings(rule, {"epsilon": NOTHING}), typical)
    if not part < SHORTER or case.left < LEFT:
        return None
    usual = _usual(rule)
    return Finding(
        name="epsilon_dominates",
        title="Epsilon outweighs the slopes",
        evidence=f"epsilon is {epsilon:.3g} and the median slope {typical:.2g}, so that steps have {part:.1%} of the "
        f"length they would have without it. A short descent from the end falls from {case.from_end.start:.4g} to "
        f"{case.from_end.end:.4g}.",
        cause="The rule divides by the size of the slope plus epsilon; where epsilon is the larger part, it is "
        "gradient descent with a tiny rate.",
        remedies=(by(with_settings(rule, {"epsilon": usual if usual < epsilon else 1e-12})),),
        since=int(run.steps[0]),
        numbers={"epsilon": epsilon, "slope": typical, "part": part},
    )


def _has_epsilon(rule: Optimizer[Any]) -> bool:
    if not has_setting(rule, "epsilon"):
        return False
    epsilon, known = setting_of(rule, "epsilon")
    return known is not None and known.symbol is not None and np.ndim(epsilon) == 0


def _usual(rule: Optimizer[Any]) -> float:
    inner = layers(rule)[-1]
    known = hyperparameters(inner)["epsilon"]
    return float(known.defaults.get(inner.convention, known.default))


def _steps(rule: Optimizer[Any], size: float) -> float:
    """The way that the first steps of a rule make on one slope."""
    state, way = rule.init(np.zeros(1)), 0.0
    with np.errstate(all="ignore"):
        for step in range(1, 9):
            change, state = rule.update(np.full(1, size), state, 1.0, step)
            way += np.abs(change).item()
    return way
