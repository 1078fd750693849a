"""What can be minimised, and what cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

from fallline import FalllineError, Objective, as_objective


def test_an_objective_is_itself() -> None:
    objective = as_objective(lambda x, y: x + y)
    assert as_objective(objective) is objective


def test_text_expression_and_function_are_the_same_objective() -> None:
    x, y = sympy.symbols("x y")
    points = np.array([[1.0, 2.0], [-0.5, 3.0]])
    for thing in ("x**2 + 3*y", x**2 + 3 * y, lambda x, y: x**2 + 3 * y):
        objective = as_objective(thing)
        assert (objective.names, objective.dimension) == (("x", "y"), 2)
        np.testing.assert_array_equal(objective.value(points), [7.0, 9.25])


@pytest.mark.parametrize("thing", [3, 2.5, None, [1, 2], {"x": 1}, np.zeros((40, 40))])
def test_anything_else_is_refused_in_one_line(thing: Any) -> None:
    with pytest.raises(FalllineError, match=r"^objective is .*; it must be a formula text, a SymPy expression, ") as e:
        as_objective(thing)
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 200


def test_an_objective_of_ones_own_needs_names_title_and_value() -> None:
    class Slope(Objective):
        names = ("x",)
        title = "a slope"

        def value(self, x: Any) -> Any:
            return 3.0 * x[..., 0]

    slope = Slope()
    assert (slope.dimension, slope.cost_of_both, slope.cost_of_gradient) == (1, (1, 1), (0, 1))
    assert slope.at_step(5, seed=1) is slope
    with pytest.raises(FalllineError, match=r"a slope has no gradient of its own"):
        slope.value_and_gradient(np.array([[1.0]]))
