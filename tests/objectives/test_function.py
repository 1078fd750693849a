"""Python functions as objectives: how they are called, and what becomes of what they return."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fallline import FalllineError
from fallline.objectives import FunctionObjective, as_objective

POINTS = arrays(float, (4, 3), elements=st.floats(-1e3, 1e3))


def bowl(x: Any, y: Any, z: Any) -> Any:
    return x**2 + 2 * y**2 + 3 * z**2


@given(points=POINTS)
def test_a_batch_is_the_points_one_by_one(points: np.ndarray[Any, Any]) -> None:
    expected = [bowl(*point.tolist()) for point in points]
    for objective in (as_objective(bowl), as_objective(lambda v: bowl(*v), 3)):
        np.testing.assert_array_equal(objective.value(points), expected)
        np.testing.assert_array_equal(objective.value(points.reshape(2, 2, 3)), np.reshape(expected, (2, 2)))
        assert objective.value(points[0]).shape == ()


def test_the_names_come_from_the_signature() -> None:
    assert as_objective(bowl).names == ("x", "y", "z")
    assert as_objective(lambda w: w).names == ("w",)
    assert as_objective(lambda w: w[0], 1).names == ("w",)
    assert as_objective(lambda w: w @ w, 3).names == ("w0", "w1", "w2")
    assert as_objective(functools.partial(bowl, 1.0)).names == ("y", "z")
    # What has a default is a setting of the function, not a coordinate.
    assert as_objective(lambda x, scale=2.0: scale * x).names == ("x",)
    assert as_objective(np.linalg.norm, 2).names == ("x0", "x1")
    # Nothing can be learnt about these; one array is the best guess.
    assert as_objective(np.add.reduce, 2).dimension == 2
    assert as_objective(max, 2).dimension == 2


def test_a_function_is_called_with_numbers_or_with_one_vector() -> None:
    seen: list[Any] = []

    def note(arguments: Any) -> float:
        seen.append(np.shape(arguments))
        return 0.0

    as_objective(lambda x, y: note(x) + note(y)).value(np.array([[1.0, 2.0]]))
    as_objective(lambda v: note(v), 2).value(np.array([[1.0, 2.0]]))
    as_objective(lambda x: note(x)).value(np.array([[1.0]]))
    as_objective(lambda v: note(v), 1).value(np.array([[1.0]]))
    assert seen == [(), (), (2,), (), (1,)]


def test_its_title_is_its_name() -> None:
    assert as_objective(bowl).title == "bowl"
    assert as_objective(lambda x: x).title == "a function"
    assert as_objective(functools.partial(bowl, 1.0)).title == "bowl"


def test_a_function_that_works_in_place_does_no_harm() -> None:
    def spoils(x: Any) -> Any:
        x *= 0
        return 1.0

    points = np.array([[1.0, 2.0]])
    as_objective(spoils, 2).value(points)
    np.testing.assert_array_equal(points, [[1.0, 2.0]])


@pytest.mark.parametrize("number", [3, 3.0, True + 2, np.float32(3), np.int8(3), np.array([[3.0]]), [3.0], 3 + 0j])
def test_anything_that_is_one_number_will_do(number: Any) -> None:
    values = as_objective(lambda x: number).value(np.array([[1.0], [2.0]]))
    np.testing.assert_array_equal(values, [3.0, 3.0])
    assert values.dtype == float


def test_whole_numbers_do_not_make_later_values_whole() -> None:
    # max() returns the int 0 at the first point and a float at the second.
    values = as_objective(lambda x: max(0, x)).value(np.array([[-1.0], [0.5]]))
    np.testing.assert_array_equal(values, [0.0, 0.5])
    assert as_objective(lambda x: 2).value(np.array([[1.0]])).dtype == float


@pytest.mark.parametrize(
    "wrong", [None, "3", [1.0, 2.0], np.zeros((2, 2)), {}, [[1.0], [2.0, 3.0]], np.array([]), print]
)
def test_anything_else_is_refused_by_name(wrong: Any) -> None:
    def loss(_x: Any) -> Any:
        return wrong

    with pytest.raises(
        FalllineError, match=r"^objective loss returned .*; it must return one number for a point$"
    ) as e:
        as_objective(loss).value(np.array([[1.0]]))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: math.sqrt(x),
        lambda x: math.log(x),
        lambda x: 1 / (int(x) + 1),
        lambda x: math.exp(-x * 1000),
        lambda x: float(x) ** 0.5,
    ],
    ids=["math domain", "log of a negative", "division by zero", "overflow", "complex root"],
)
def test_where_python_cannot_compute_the_value_is_nan(function: Callable[[Any], Any]) -> None:
    values = as_objective(function).value(np.array([[-1.0], [4.0]]))
    assert np.isnan(values[0])
    assert np.isfinite(values[1])


def test_a_mistake_in_the_function_is_not_swallowed() -> None:
    def broken(_x: Any) -> Any:
        raise ValueError("not today")

    with pytest.raises(ValueError, match=r"not today"):
        as_objective(broken).value(np.array([[1.0]]))
    with pytest.raises(IndexError):
        as_objective(lambda v: v[5], 2).value(np.array([[1.0, 2.0]]))


def test_complex_points_give_complex_values() -> None:
    values = as_objective(lambda x, y: x * y).value(np.array([[1 + 1j, 2.0]]))
    np.testing.assert_array_equal(values, [2 + 2j])


@pytest.mark.parametrize("function", [lambda: 1.0, lambda x=1.0: x, lambda *x: x[0]])
def test_a_function_without_coordinates_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(FalllineError, match=r"^objective is a function, which names no arguments that must be given"):
        as_objective(function)


def test_it_has_no_gradient_of_its_own_and_no_recipe() -> None:
    objective = FunctionObjective.of(bowl, None)
    assert (objective.gradient_kind, objective.recipe()) == (None, None)
    with pytest.raises(FalllineError, match=r"bowl has no gradient of its own; use gradient='auto' or a Perturbation"):
        objective.gradient(np.array([[1.0, 2.0, 3.0]]))
