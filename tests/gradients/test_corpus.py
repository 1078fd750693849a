"""Ordinary NumPy code in many styles: its exact gradient against differences of high order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.gradients.corpus import arrays, classical, objects, programs, working_in_place
from tests.gradients.corpus.cases import CASES, Case

from fallline.gradients.autodiff import AutodiffObjective
from fallline.objectives import FunctionObjective, as_objective
from fallline.objectives.function import positional_parameters

MODULES = (arrays, classical, objects, programs, working_in_place)
# The central differences of order 8 (Fornberg, 1988, Generation of finite difference formulas).
WEIGHTS = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


def objective_of(case: Case) -> FunctionObjective:
    alone = len(case.point) == 1
    objective = as_objective(case.function, None if alone else len(case.point))
    assert isinstance(objective, FunctionObjective)
    return objective


def differences(objective: FunctionObjective, point: Any) -> Any:
    """The gradient by differences at the step, of eight, at which it changes least from one to the next."""
    found = []
    for size in 10.0 ** -np.arange(1.5, 5.5, 0.5):
        steps = size * np.maximum(1, np.abs(point))
        moves = np.diag(steps)
        slopes = sum(
            w * (objective.value(point + k * moves) - objective.value(point - k * moves)) for k, w in WEIGHTS.items()
        )
        found.append(slopes / steps)
    changes = [np.abs(a - b) for a, b in itertools.pairwise(found)]
    best = np.argmin(np.where(np.isnan(changes), np.inf, changes), axis=0)
    return np.array([found[k + 1][i] for i, k in enumerate(best)])


def test_the_corpus_is_large() -> None:
    assert len(MODULES) == 5
    assert len(CASES) >= 150
    assert all(len(positional_parameters(case.function)) in (1, len(case.point)) for case in CASES.values())


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")  # as the plain functions do, outside their domains
@pytest.mark.parametrize("name", CASES)
def test_gradient_is_exact(name: str) -> None:
    case = CASES[name]
    objective, point = objective_of(case), np.array(case.point)
    value, gradient = AutodiffObjective(objective, point).value_and_gradient(point)
    expected = differences(objective, point)
    assert value == pytest.approx(float(objective.value(point)), rel=1e-12, abs=1e-12)  # the order of a sum is XLA's
    # The differences are known no better than to 1e-6 of the largest slope.
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
