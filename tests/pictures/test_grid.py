from __future__ import annotations

import numpy as np
import pytest
from tests.costs import calls
from tests.views.runs import bowl

from fallline import FalllineError, as_objective
from fallline.arrays import FloatArray
from fallline.objectives import Objective
from fallline.pictures import grid


class Counting(Objective):
    """x + y, which remembers how many points it was given at most."""

    names = ("x", "y")
    title = "counting"
    largest = 0

    def value(self, x: FloatArray) -> FloatArray:
        self.largest = max(self.largest, len(x))
        return np.asarray(x.sum(axis=-1))


def test_rows_are_the_second_coordinate() -> None:
    over = grid.sample(as_objective(bowl), (0, 1), [(0, 1), (2, 4)], np.zeros(2), 3)
    np.testing.assert_array_equal(over.x, [0, 0.5, 1])
    np.testing.assert_array_equal(over.y, [2, 3, 4])
    np.testing.assert_array_equal(over.value, over.x**2 + 3 * over.y[:, None] ** 2)
    assert over.held == {}


def test_memory_is_bounded() -> None:
    counting = Counting()
    over = grid.sample(counting, (0, 1), [(0, 1), (0, 1)], np.zeros(2), 256)
    assert counting.largest <= grid.CHUNK
    np.testing.assert_array_equal(over.value, over.x + over.y[:, None])
    assert len(grid.evaluate(counting, np.zeros((3 * grid.CHUNK + 1, 2)))) == 3 * grid.CHUNK + 1
    assert counting.largest <= grid.CHUNK


def test_a_formula_takes_many_points_at_a_time() -> None:
    objective = as_objective("(1 - x)**2 + 100*(y - x**2)**2")
    assert calls(lambda: grid.sample(objective, (0, 1), [(-2, 2), (-1, 3)], np.zeros(2), 256)) < 256**2 / 20


def test_what_is_not_finite_is_left_out() -> None:
    over = grid.sample(as_objective("log(x) + y"), (0, 1), [(-1, 1), (0, 1)], np.zeros(2), 5)
    np.testing.assert_array_equal(np.isnan(over.value[0]), [True, True, True, False, False])


def test_nothing_finite_is_an_error() -> None:
    with pytest.raises(FalllineError, match="nowhere finite for x from -2 to -1 and y from 0 to 1"):
        grid.sample(as_objective("log(x) + y"), (0, 1), [(-2, -1), (0, 1)], np.zeros(2), 5)


def test_heights_leave_out_poles_only() -> None:
    x = np.linspace(-1, 1, 401)
    assert grid.height_range(x**2) == (0.0, 1.0)
    with np.errstate(divide="ignore"):
        low, high = grid.height_range(1 / x)
    assert -100 < low < -1
    assert 1 < high < 100
    assert grid.height_range(np.full(9, 3.0)) == (3.0, 3.0)


@pytest.mark.parametrize("wrong", [3, (1, 0), (0, 0), (0, np.inf), ("a", "b"), (1, 2, 3), None])
def test_an_interval_is_two_numbers(wrong: object) -> None:
    with pytest.raises(FalllineError, match=r"bounds is .*; it must be two finite numbers"):
        grid.interval(wrong)
