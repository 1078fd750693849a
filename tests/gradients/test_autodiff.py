"""Exact gradients of plain NumPy functions: paths, batches, errors, second derivatives, what stays untouched."""

from __future__ import annotations

import dataclasses
import decimal
import functools
import json
import math
import pickle
import struct
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from tests.environments import without_coverage

from fallline import Adam, FalllineError, GradientDescent, check_gradient, compare, minimize
from fallline.gradients import autodiff as autodiff_module
from fallline.gradients.autodiff import AutodiffObjective, Path, contradicted, same
from fallline.objectives import FunctionObjective, as_objective


def autodiff(function: Any, dimension: int | None, at: Any = None) -> AutodiffObjective:
    objective = as_objective(function, dimension)
    assert isinstance(objective, FunctionObjective)
    return AutodiffObjective(objective, None if at is None else np.array(at, dtype=float))


def bent(x: Any) -> Any:
    y = np.zeros(2)
    y[0] = x[0] ** 2
    y[1] = -3 * x[1] if x[1] < 0 else x[1] ** 3
    return y.sum()


SLOPES = {True: lambda p: [2 * p[0], -3.0], False: lambda p: [2 * p[0], 3 * p[1] ** 2]}
BENT = autodiff(bent, 2)


# XLA takes subnormal numbers, below 2.3e-308, as 0; squares are to stay above.
coordinates = st.floats(-9, 9).filter(lambda number: number == 0 or abs(number) > 1e-150)


@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=130))
@settings(max_examples=30)
def test_each_point_takes_its_own_path_and_has_the_same_bits_in_any_batch(rows: Any) -> None:
    points = np.array(rows)
    value, gradient = BENT.value_and_gradient(points)
    expected = np.array([SLOPES[bool(point[1] < 0)](point) for point in points])
    np.testing.assert_allclose(gradient, expected, rtol=1e-15)  # one rounding of a product may fall the other way
    for i, point in enumerate(points):
        alone = BENT.value_and_gradient(point)
        assert (alone[0], *alone[1]) == (value[i], *gradient[i])
    assert len(BENT.program.paths) <= 2
    np.testing.assert_array_equal(BENT.value(points), value)
    np.testing.assert_array_equal(BENT.gradient(points), gradient)


def test_whole_numbers_made_of_values_choose_the_path() -> None:
    def powers(x: Any) -> Any:
        return sum(x[1] ** k for k in range(int(x[0])))

    found = autodiff(powers, 2).gradient(np.array([[2.5, 3.0], [4.5, 3.0]]))
    # 1 + y, and 1 + y + y² + y³.
    np.testing.assert_array_equal(found, [[0, 1], [0, 1 + 2 * 3 + 3 * 9]])


def test_it_is_traced_once_and_again_only_where_a_new_path_begins() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return np.sum(x**2) if x[0] > 0 else np.sum(x)

    objective = autodiff(counted, 2, at=[1.0, 2.0])
    first = len(calls)
    objective.gradient(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert len(calls) == first
    autodiff(counted, 2, at=[2.0, 2.0])
    # A new objective of the same function asks the function once whether its data is still the same.
    assert len(calls) == first + 1


def test_data_that_changed_between_runs_is_seen() -> None:
    data = {"scale": 2.0}

    def scaled(x: Any) -> Any:
        return data["scale"] * np.sum(x**2)

    def slope() -> float:
        return float(minimize(scaled, [1.0], GradientDescent(0.0001), max_steps=1).gradient[0, 0])

    assert slope() == 4.0
    data["scale"] = 5.0
    assert slope() == 10.0


def test_what_the_function_reaches_is_left_as_it_was() -> None:
    table, log = np.zeros(3), []

    class Model:
        def __init__(self) -> None:
            self.weights = np.ones(2)

        def loss(self, x: Any) -> Any:
            self.weights[0] = 1.0
            return (self.weights * x).sum() ** 2

    model = Model()

    def writes(x: Any) -> Any:
        table[0] = 0.0
        log.append(0)
        copied = table.copy()
        copied[1:] = x
        return np.sum(copied**2) + model.loss(x)

    start = np.array([1.0, 2.0])
    # 2x + 2(x + y).
    np.testing.assert_array_equal(autodiff(writes, 2).gradient(start), [8.0, 10.0])
    np.testing.assert_array_equal(start, [1.0, 2.0])
    np.testing.assert_array_equal(table, np.zeros(3))
    assert all(type(entry) is int for entry in log)
    assert type(model.weights) is np.ndarray
    assert type(np.zeros(2)) is np.ndarray


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_second_derivatives_are_those_of_the_formula() -> None:
    def exact(x: float, y: float) -> Any:
        return [[1200 * x**2 - 400 * y + 2, -400 * x], [-400 * x, 200.0]]

    points = np.array([[-1.2, 1.0], [0.5, 0.5]])
    expected = np.array([exact(*point) for point in points])
    objective = autodiff(rosenbrock, 2)
    # A few roundings of numbers of size 1000.
    np.testing.assert_allclose(objective.hessian(points), expected, rtol=1e-13)
    vector = np.array([1.0, -2.0])
    np.testing.assert_allclose(objective.hessian_vector(points, vector), expected @ vector, rtol=1e-12)


def test_second_derivatives_are_compiled_once() -> None:
    objective = autodiff(rosenbrock, 2)
    for point in ([-1.2, 1.0], [0.5, 0.5]):
        objective.hessian(np.array(point))
        objective.hessian_vector(np.array(point), np.ones(2))
    # The rows, the matrix, and the product with a vector.
    assert len(objective.program.paths[0].compiled) == 3


def test_a_branch_may_return_a_whole_number() -> None:
    found = autodiff(lambda x: x[0] ** 2 if x[0] > 0 else 0, 1).value_and_gradient(np.array([[2.0], [-1.0]]))
    assert [part.tolist() for part in found] == [[4, 0], [[4], [0]]]


def test_where_drops_a_branch_without_a_derivative() -> None:
    def guarded(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.sum(np.where(x > 0, np.sqrt(x), x**2))

    found = autodiff(guarded, 3).gradient(np.array([4.0, 0.0, -2.0]))
    np.testing.assert_array_equal(found, [0.25, 0.0, -4.0])


def test_the_norm_has_the_symmetric_slope_at_its_kink() -> None:
    objective = autodiff(np.linalg.norm, 2)
    np.testing.assert_array_equal(objective.gradient(np.zeros(2)), [0.0, 0.0])
    # In one pass, and not in one for each coordinate.
    assert len(objective.program.paths[0].compiled) == 1


def unknown(x: Any) -> Any:
    from scipy import special

    return special.jv(1.5, x[0]) + x[1] ** 2


def test_what_cannot_be_carried_is_named_with_its_line() -> None:
    with pytest.raises(FalllineError) as caught:
        minimize(unknown, [1.0, 2.0], Adam(0.1), gradient="autodiff")
    line = unknown.__code__.co_firstlineno + 3
    assert str(caught.value) == (
        f"gradient is 'autodiff', but scipy.special.jv in test_autodiff.py:{line} cannot be carried to JAX; "
        "write it with functions that jax.numpy has, or use gradient='auto' or a Perturbation"
    )


def test_auto_falls_back_and_the_trajectory_says_so() -> None:
    run = minimize(unknown, [1.0, 2.0], Adam(0.1), max_steps=3)
    assert run.gradient_kind.startswith("central differences (scipy.special.jv in test_autodiff.py:")
    assert run.evaluations.value == 4 * 5
    # d(y²)/dy, by differences.
    assert run.gradient[0, 1] == pytest.approx(4, rel=1e-8)
    assert minimize(rosenbrock, [1.0, 2.0], Adam(0.1), max_steps=3).gradient_kind == "autodiff"


def test_auto_falls_back_only_at_the_points_that_need_it() -> None:
    def sometimes(x: Any) -> Any:
        return unknown(x) if x[1] < 0 else x @ x

    runs = compare(sometimes, [[1.0, 2.0], [1.0, -2.0]], GradientDescent(0.01), max_steps=2)
    assert runs[0].gradient_kind.startswith("autodiff; central differences where scipy.special.jv in test_autodiff.py")
    np.testing.assert_array_equal(runs[0].gradient[0], [2.0, 4.0])
    assert runs[1].gradient[0, 1] == pytest.approx(-4, rel=1e-8)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: np.unique(x).sum(), "np.unique in test_autodiff.py:"),
        (lambda x: x.sum() + sys.getsizeof(x), "cannot be carried to JAX (its value is"),
        (lambda x: x.sum() + x.data[0], "cannot be carried to JAX (its values have another slope"),
        (lambda x: np.frombuffer(x.tobytes()).sum(), ".tobytes in test_autodiff.py:"),
        (lambda x: float("%.17g" % x[0]), "float(...) in test_autodiff.py:"),  # noqa: UP031
        (lambda x: struct.unpack("d", struct.pack("d", x[0]))[0], "(error: required argument is not a float)"),
        # JAX has the function, but not this derivative of it.
        (lambda x: special.betainc(x[0], 1.0, 0.5), "cannot be carried to JAX (ValueError: Betainc gradient"),
    ],
)
def test_a_number_that_escapes_is_never_a_silent_zero(function: Any, said: str) -> None:
    with pytest.raises(FalllineError) as caught:
        minimize(function, [1.0, 2.0], Adam(0.1), gradient="autodiff")
    assert said in str(caught.value)
    # The function's own line where no line in it is to blame.
    assert f"in test_autodiff.py:{function.__code__.co_firstlineno}" in str(caught.value)
    assert "\n" not in str(caught.value)


class Callable:
    def __call__(self, x: Any) -> Any:
        return struct.unpack("d", struct.pack("d", x[0]))[0] ** 2


def through_json(x: Any, scale: float = 1.0) -> Any:
    listed = [number * scale for number in x]
    return sum(json.loads(json.dumps(listed)))


@pytest.mark.parametrize(
    ("function", "call", "lines"),
    [
        (through_json, "json.dumps(...)", 2),
        (functools.partial(through_json, scale=2.0), "json.dumps(...)", 2),
        (Callable(), "struct.pack(...)", 1),
        (lambda x: float(decimal.Decimal(x[0]) ** 2), "decimal.Decimal(...)", 0),
        (lambda x: sum(memoryview(x)), "memoryview(...)", 0),
        # Nothing fails in these, so the function itself is named.
        (lambda x: float(str(x[0])) ** 2, "a function", 0),
        (lambda x: sys.getsizeof(x) + x[0], "a function", 0),
    ],
)
def test_a_call_outside_numpy_is_named_with_its_line(function: Any, call: str, lines: int) -> None:
    plain = getattr(function, "func", function)
    code = getattr(plain, "__code__", None) or type(plain).__call__.__code__
    place = f"{call} in test_autodiff.py:{code.co_firstlineno + lines}"
    with pytest.raises(FalllineError) as caught:
        minimize(function, [1.0, 2.0], Adam(0.1), gradient="autodiff")
    assert f"but {place} cannot be carried to JAX" in str(caught.value)
    run = minimize(function, [1.0, 2.0], Adam(0.1), max_steps=1)
    assert run.gradient_kind.removesuffix(")") == f"central differences ({place} cannot be carried to JAX"


def test_an_error_of_the_functions_own_stays_what_it_is() -> None:
    def strict(x: Any) -> Any:
        if x[0] > 1:
            raise KeyError("too far")
        return -x[0]

    with pytest.raises(KeyError, match="too far"):
        minimize(strict, [0.0], GradientDescent(0.5), gradient="autodiff")


def test_where_python_cannot_divide_its_error_is_the_users() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        minimize(lambda x: 1 / (math.floor(x) - 2) + x**2, 2.5, GradientDescent(0.1), gradient="autodiff")
    assert raised.value.__notes__[0] == "a function was called at [2.5]"


def test_only_functions_are_differentiated_so() -> None:
    with pytest.raises(FalllineError, match=r"gradient is 'autodiff', but x\*\*2 has a gradient that is symbolic"):
        minimize("x**2", 1.0, Adam(0.1), gradient="autodiff")


def test_the_process_keeps_its_own_precision() -> None:
    code = (
        "import fallline, jax, numpy as np\n"
        "run = fallline.minimize(lambda x: np.sum(x**2) / 3, [0.1], fallline.GradientDescent(1.0), max_steps=2)\n"
        "assert run.gradient_kind == 'autodiff' and not jax.config.jax_enable_x64\n"
        "print(jax.numpy.ones(1).dtype, abs(run.gradient[0, 0] - 0.2 / 3) < 1e-16)\n"
    )
    environment = without_coverage() | {"JAX_ENABLE_X64": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "float32 True\n"


def test_without_jax_it_says_what_to_install_and_auto_does_without() -> None:
    code = (
        "import sys\n"
        "sys.modules['jax'] = None\n"
        "import fallline\n"
        "settings = {'x0': [1.0], 'optimizer': fallline.Adam(0.1), 'max_steps': 1}\n"
        "print(fallline.minimize(lambda x: x[0]**2, **settings).gradient_kind)\n"
        "try:\n"
        "    fallline.minimize(lambda x: x[0]**2, gradient='autodiff', **settings)\n"
        "except fallline.FalllineError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=without_coverage(), capture_output=True, text=True)
    assert done.stdout.splitlines() == ["central differences", 'JAX is not installed; pip install "fallline[jax]"']


def test_threads_share_what_is_compiled() -> None:
    objective = autodiff(bent, 2)
    points = np.random.default_rng(0).normal(size=(40, 2))
    expected = objective.gradient(points)
    found: list[Any] = [None] * 4

    def work(k: int) -> None:
        found[k] = [objective.gradient(point) for point in points]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in found:
        np.testing.assert_array_equal(each, expected)


def test_it_goes_to_another_process_without_what_is_compiled() -> None:
    copied = pickle.loads(pickle.dumps(autodiff(rosenbrock, 2)))
    np.testing.assert_array_equal(copied.gradient(np.array([1.0, 1.0])), [0.0, 0.0])


def test_its_gradient_passes_the_check() -> None:
    check = check_gradient(rosenbrock, [-1.2, 1.0, 0.5], gradient="autodiff", nearby=3)
    assert [slope.verdict for slope in check.slopes] == ["right"] * 12


CUBES = {dimension: autodiff(lambda x: np.sum(x**3), dimension) for dimension in (1, 3)}


def parabola(x: Any) -> Any:
    return x @ x


@pytest.mark.parametrize(
    ("function", "at", "gradient", "answer"),
    [
        (parabola, [1.0, -2.0], [2.0, -4.0], False),
        (parabola, [1.0, -2.0], [2.0, -3.9], True),
        (parabola, [1.0, -2.0], [2.0, -3.99], False),  # within a hundredth
        (parabola, [1.0, -2.0], [0.0, 0.0], True),
        (parabola, [1e6, 1e6], [2e6, 2e6], False),
        (parabola, [1e6, 1e6], [2e6, 0.0], True),
        (lambda x: np.abs(x).sum(), [0.0, 1.0], [0.0, 0.5], False),  # at a kink the sides differ
        (lambda x: np.abs(x - 2e-5).sum(), [0.0], [5.0], False),  # beside one, the step lengths
        (lambda x: 1e9 + 1e-3 * x.sum(), [1.0], [0.0], False),  # the slope is lost in rounding
        (lambda x: 1e3 + x.sum(), [1.0], [0.0], True),
        (lambda x: np.float64(np.inf), [1.0], [5.0], False),
        (lambda x: 5.0, [1.0], [0.0], False),
        (lambda x: 5.0, [1.0], [1.0], True),
        (lambda x: 5.0, [1.0], [1e-7], False),  # a slope that would be lost in rounding
        (lambda x: np.log(x).sum(), [-1.0], [1.0], False),
        (lambda x: np.sin(x[0]) + x[1] ** 3, [1.0, 2.0], [np.cos(1.0), 12.0], False),
        (lambda x: np.sin(x[0]) + x[1] ** 3, [1.0, 2.0], [np.cos(1.0), 0.0], True),
        (lambda x: -3 * x[0], [1.0], [3.0], True),
        (lambda x: -3 * x[0], [1.0], [-30.0], True),
    ],
)
def test_differences_contradict_a_gradient_only_where_they_are_sure(
    function: Any, at: Any, gradient: Any, answer: bool
) -> None:
    assert contradicted(as_objective(function, len(at)), np.array(at), np.array(gradient)) is answer


def test_values_in_float32_contradict_less() -> None:
    objective = as_objective(lambda x: np.float32(1e3) + np.float32(x[0]), 1)
    objective.precision = "float32"
    assert not contradicted(objective, np.ones(1), np.zeros(1))


@pytest.mark.parametrize(
    ("found", "plain", "rounding", "answer"),
    [
        (1.0, 1.0, 2.0**-52, True),
        (1.0 + 5e-9, 1.0, 2.0**-52, True),
        (1.0 + 5e-8, 1.0, 2.0**-52, False),
        (5e-11, 0.0, 2.0**-52, True),
        (5e-10, 0.0, 2.0**-52, False),
        (1.0 + 1e-6, 1.0, 2.0**-23, True),
        (1.0 + 1e-4, 1.0, 2.0**-23, False),
        (np.nan, np.nan, 2.0**-52, True),
        (np.nan, 1.0, 2.0**-52, False),
        (np.inf, np.inf, 2.0**-52, True),
        (-np.inf, np.inf, 2.0**-52, False),
    ],
)
def test_values_are_the_same_within_the_rounding_of_sums(
    found: float, plain: float, rounding: float, answer: bool
) -> None:
    assert same(found, plain, rounding) is answer


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 16, 17, 64, 65, 1500])
def test_batches_of_any_size_keep_their_shape_and_order(dimension: int, count: int) -> None:
    points = np.random.default_rng(count).normal(size=(count, dimension))
    value, gradient = CUBES[dimension].value_and_gradient(points)
    np.testing.assert_allclose(value, (points**3).sum(axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gradient, 3 * points**2, rtol=1e-14)
    if count == 64:
        shaped = points.reshape(4, 16, dimension)
        assert CUBES[dimension].value(shaped).tolist() == value.reshape(4, 16).tolist()
        assert CUBES[dimension].gradient(shaped).tolist() == gradient.reshape(shaped.shape).tolist()
        vectors = np.ones((4, 16, dimension))
        np.testing.assert_allclose(CUBES[dimension].hessian_vector(shaped, vectors), 6 * shaped, rtol=1e-14)
        hessians = CUBES[dimension].hessian(shaped)
        np.testing.assert_allclose(hessians, 6 * shaped[..., None] * np.eye(dimension), rtol=1e-14)


def test_of_many_coordinates_fewer_points_are_taken_at_once() -> None:
    for dimension, few, many in ((1, 16, 1024), (254, 16, 512), (5000, 1, 26), (200_000, 1, 1)):
        path = Path(lambda x: (x @ x, True), dimension, 10)
        assert (path.few, path.many) == (few, many)
    assert Path(lambda x: (x @ x, True), 1, 400).options == {}
    assert Path(lambda x: (x @ x, True), 1, 401).options


def test_a_branch_that_is_left_out_spoils_only_its_own_points_on_the_way() -> None:
    def guarded(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.where(x[0] > 0, np.sqrt(x[0]), x[0] ** 2) + x[1] ** 3

    objective = autodiff(guarded, 2)
    points = np.array([[4.0, 1.0], [0.0, 2.0], [-3.0, 3.0]])
    value, gradient = objective.value_and_gradient(points)
    assert value.tolist() == [3.0, 8.0, 36.0]
    assert gradient.tolist() == [[0.25, 3.0], [0.0, 12.0], [-6.0, 27.0]]
    # All three take one path.
    assert len(objective.program.paths) == 1


def test_a_point_outside_of_the_domain_spoils_no_other() -> None:
    with np.errstate(all="ignore"):
        objective = autodiff(lambda x: np.log(x[0]) + x[1], 2, at=[1.0, 1.0])
        value, gradient = objective.value_and_gradient(np.array([[-1.0, 1.0], [2.0, 1.0]]))
    assert np.isnan(value[0])
    assert gradient[1].tolist() == [0.5, 1.0]


def test_complex_values_are_those_of_the_function_itself() -> None:
    objective = autodiff(lambda x: x[0] ** 2, 1, at=[1.0])
    assert objective.value(np.array([[1 + 2j]])).tolist() == [(1 + 2j) ** 2]
    assert objective.title == "a function"
    # A complex result is a number where its imaginary part is 0.
    roots = autodiff(lambda x: np.emath.sqrt(x[0]) + 0j, 1, at=[4.0])
    value, gradient = roots.value_and_gradient(np.array([4.0]))
    assert [value.tolist(), gradient.tolist()] == [2, [0.25]]


def test_a_path_that_was_not_traced_has_no_kink_to_name() -> None:
    objective = AutodiffObjective(as_of(lambda x: unknown(x) if x[1] < 0 else np.sqrt(x[0])), np.ones(2))
    assert objective.kink(np.array([0.0, 1.0])) == "kink in sqrt at 0"
    assert objective.kink(np.array([0.0, -1.0])) is None


def test_errors_are_raised_by_the_function_itself() -> None:
    objective = autodiff(lambda x: 1 / (x[0] - 1).item() if x[0] == 1 else x[0], 1, at=[2.0])
    objective.raise_errors_at(np.array([[2.0], [3.0]]))
    with pytest.raises(ZeroDivisionError):
        objective.raise_errors_at(np.array([[2.0], [1.0]]))


def as_of(function: Any) -> FunctionObjective:
    objective = as_objective(function, 2)
    assert isinstance(objective, FunctionObjective)
    return objective


def test_the_paths_of_a_function_are_few_and_the_last_is_tried_first(monkeypatch: Any) -> None:
    monkeypatch.setattr(autodiff_module, "PATHS", 2)
    objective = autodiff(lambda x: x[0] * math.floor(x[0]), 1)
    for start in (0.5, 1.5, 2.5, 1.5):
        # The slope between whole numbers is the number below.
        assert objective.gradient(np.array([start])).tolist() == [math.floor(start)]
    assert len(objective.program.paths) == 2
    assert objective.program.paths[0].rows(np.array([[1.5]]))[0, 1] == 1


def test_side_by_side_a_path_gives_the_same_and_says_where_it_holds() -> None:
    import jax

    objective = autodiff(lambda x: x[0] ** 2 if x[0] > 0 else x[1], 2, at=[1.0, 2.0])
    (path,) = objective.program.paths
    with jax.enable_x64(True):
        values, slopes, holds = path.side_by_side(jax.numpy.array([[3.0, 4.0], [-1.0, 2.0]]))
    assert (float(values[0]), slopes[0].tolist(), holds.tolist()) == (9, [6, 0], [True, False])


def test_what_is_written_where_a_condition_holds_stays_on_one_path() -> None:
    def rectified(x: Any) -> Any:
        y = x**2
        y[x < 0] = -3.0 * x[1]
        return y[0]

    objective = autodiff(rectified, 2)
    assert objective.gradient(np.array([[2.0, 1.0], [-2.0, 1.0]])).tolist() == [[4, 0], [0, -3]]
    assert len(objective.program.paths) == 1


def test_a_number_that_is_asked_for_its_truth_chooses_the_path() -> None:
    objective = autodiff(lambda x: x[0] ** 2 if x[1] else 5 * x[0], 2)
    assert objective.gradient(np.array([[3.0, 2.0], [3.0, 1.0], [3.0, 0.0]])).tolist() == [[6, 0], [6, 0], [5, 0]]


def test_the_place_where_is_written_chooses_the_path() -> None:
    def largest(x: Any) -> Any:
        y = np.zeros(2)
        y[np.argmax(x)] = 1.0
        return y @ x**2

    assert autodiff(largest, 2).gradient(np.array([[1.0, 2.0], [3.0, 2.0]])).tolist() == [[0, 4], [6, 0]]


def test_a_callable_without_a_hash_is_differentiated() -> None:
    @dataclasses.dataclass  # which compares, and therefore has no hash
    class Unhashed:
        def __call__(self, x: Any) -> Any:
            return x @ x

    assert autodiff(Unhashed(), 2, at=[1.0, 2.0]).gradient(np.array([1.0, 2.0])).tolist() == [2, 4]


def test_the_ends_of_a_slice_choose_the_path() -> None:
    objective = autodiff(lambda x: (x[np.argmax(x) :] ** 2).sum(), 2)
    assert objective.gradient(np.array([[3.0, 2.0], [1.0, 2.0]])).tolist() == [[6, 4], [0, 4]]


def test_the_largest_of_numbers_is_chosen_on_one_path() -> None:
    objective = autodiff(lambda x: 3 * max(x[0], x[1]) + min(x), 2)
    found = objective.gradient(np.array([[1.0, 2.0], [4.0, 3.0], [-1.0, -2.0]]))
    assert found.tolist() == [[1, 3], [3, 1], [3, 1]]
    assert len(objective.program.paths) == 1
    # Of equal ones the first is taken, as by Python.
    assert objective.gradient(np.array([5.0, 5.0])).tolist() == [4, 0]
