"""The named landscapes: their minima are minima, and their names work wherever a formula does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.optimize

from fallline import FalllineError, GradientDescent, Trajectory, as_objective, minimize
from fallline.objectives import LANDSCAPES, Landscape
from fallline.objectives.formula import FormulaObjective

EVERY = pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=list(LANDSCAPES))


@EVERY
def test_the_minima_have_the_lowest_value(landscape: Landscape) -> None:
    objective = as_objective(landscape.name)
    assert objective.names == ("x", "y")
    # The minima are given to some 16 digits, and the value is flat there: what is left is the rounding of the
    # formula, whose terms reach a few hundreds.
    values = objective.value(np.array(landscape.minima))
    np.testing.assert_allclose(values, landscape.lowest, rtol=0, atol=1e-13 * 300)


@EVERY
def test_no_point_within_the_bounds_is_lower(landscape: Landscape) -> None:
    (left, right), (bottom, top) = landscape.bounds
    grid = np.stack(np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201)), axis=-1)
    values = as_objective(landscape.name).value(grid)
    assert np.isfinite(values).all()
    # The point (0, 0) of a grid may be the minimum itself, where rounding leaves Ackley's a little below 0.
    assert values.min() >= landscape.lowest - 1e-14


@EVERY
def test_a_search_by_scipy_from_beside_a_minimum_ends_there(landscape: Landscape) -> None:
    objective = as_objective(landscape.name)
    for minimum in landscape.minima:
        found = scipy.optimize.minimize(
            lambda x: objective.value(x[None])[0], np.add(minimum, (0.05, -0.04)), method="Nelder-Mead", tol=1e-12
        )
        # Values that differ by a rounding error are the same to a search: points, by its square root.
        np.testing.assert_allclose(found.x, minimum, rtol=0, atol=1e-6)


@EVERY
def test_the_point_lies_within_the_bounds(landscape: Landscape) -> None:
    for minimum in landscape.minima:
        for place, (low, high) in zip(minimum, landscape.bounds, strict=True):
            assert low < place < high


def test_the_formula_itself_knows_its_bounds_too() -> None:
    objective = as_objective(LANDSCAPES["himmelblau"].formula)
    assert isinstance(objective, FormulaObjective)
    assert len(objective.minima) == 4
    assert objective.bounds == ((-5, 5), (-5, 5))


def test_a_saved_run_still_knows_its_landscape(tmp_path: Path) -> None:
    run = minimize("booth", (0.0, 0.0), GradientDescent(0.1), max_steps=100)
    np.testing.assert_allclose(run.final.x, (1, 3), atol=1e-6)
    run.save(tmp_path / "run.npz")
    loaded = Trajectory.load(tmp_path / "run.npz")
    assert loaded.objective is not None
    assert loaded.objective.minima == ((1.0, 3.0),)


def test_a_slip_of_the_pen_is_pointed_out() -> None:
    with pytest.raises(FalllineError, match="objective is 'rosenbrok'; did you mean 'rosenbrock'"):
        as_objective("rosenbrok")


def test_a_lone_variable_is_still_a_formula() -> None:
    assert as_objective("weight").names == ("weight",)
