"""Functions that are not what differences assume: random, stateful, in float32, not one real number."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from jax import numpy as jnp

from fallline import (
    FalllineError,
    GradientDescent,
    Perturbation,
    as_objective,
    basins,
    check_gradient,
    compare,
    minimize,
    sweep,
)
from fallline.gradients.trial import tried
from fallline.objectives import FunctionObjective

X = np.random.default_rng(0).normal(size=(60, 2))
Y = X @ [1.0, 2.0] + np.random.default_rng(1).normal(size=60)
RANDOM = np.random.default_rng(2)


def loss(w: Any, rows: Any) -> float:
    return float(np.mean((X[rows] @ w - Y[rows]) ** 2))


def mini_batches() -> Callable[[Any], float]:
    return lambda w: loss(w, RANDOM.integers(0, 60, 8))


def batches_in_turn(count: int, calls: int = 1) -> Callable[[Any], float]:
    """The next of `count` batches at every call, or at every so many calls."""
    counter = itertools.count()
    return lambda w: loss(w, slice(next(counter) // calls % count, None, count))


def from_an_iterator() -> Callable[[Any], float]:
    batches = itertools.cycle(np.arange(60).reshape(6, 10))
    return lambda w: loss(w, next(batches))


def pythons_random() -> Callable[[Any], float]:
    return lambda w: float(w @ w) + random.random()


def drop_out() -> Callable[[Any], float]:
    return lambda w: float(np.mean((X @ (w * RANDOM.choice([0.5, 2.0], 2)) - Y) ** 2))


def decaying() -> Callable[[Any], float]:
    """A penalty that grows with every call."""
    weight = itertools.count()
    return lambda w: float(w @ w) * (1 + 0.01 * next(weight))


def remembering() -> Callable[[Any], float]:
    """A running mean of its own values."""
    past: list[float] = []

    def mean(w: Any) -> float:
        past.append(float((w - 1) @ (w - 1)))
        return float(np.mean(past))

    return mean


CHANGING = [
    mini_batches,
    functools.partial(batches_in_turn, 2),
    functools.partial(batches_in_turn, 7),
    functools.partial(batches_in_turn, 5, calls=2),
    from_an_iterator,
    pythons_random,
    drop_out,
    decaying,
    remembering,
]


@pytest.mark.parametrize("make", CHANGING)
@pytest.mark.parametrize("gradient", ["auto", "autodiff", Perturbation(), Perturbation(scheme="central")])
def test_values_that_change_at_one_point_are_said_before_the_run(make: Any, gradient: Any) -> None:
    with pytest.raises(FalllineError, match=r"^objective \S.* gives \S+ and \S+ at the same point; ") as raised:
        minimize(make(), [0.5, 0.25], GradientDescent(0.1), gradient=gradient)
    for word in (".batches(size)", "gradient=", "Perturbation('noise')"):
        assert word in str(raised.value)
    assert str(raised.value).endswith(", whose step is fitted to the noise")
    assert "\n" not in str(raised.value)


def test_every_call_says_so() -> None:
    for call in (
        lambda f: compare(f, [0.5, 0.25], ["adam", "momentum"]),
        lambda f: sweep(f, [0.5, 0.25], "adam", {"learning_rate": [0.1, 0.2]}),
        lambda f: basins(f, [(-1, 1), (-1, 1)], "adam", resolution=2),
        lambda f: check_gradient(f, [0.5, 0.25]),
        # A gradient cannot be compared with such values either: what looks like a kink is none.
        lambda f: check_gradient(f, [0.5, 0.25], gradient=lambda w: 2 * w),
    ):
        with pytest.raises(FalllineError, match="at the same point"):
            call(mini_batches())


def test_a_given_gradient_and_a_chosen_step_are_the_users_own_choice() -> None:
    def noisy(w: Any) -> float:
        return float(w @ w) + 1e-3 * RANDOM.normal()

    assert minimize(noisy, [1.0, 2.0], GradientDescent(0.5), gradient=lambda w: 2 * w).final.x.tolist() == [0, 0]
    run = minimize(noisy, [1.0, 2.0], GradientDescent(0.1), gradient=Perturbation(0.5, "central"), max_steps=100)
    # Two values with noise of 0.001 over a step of 0.5.
    assert np.abs(run.final.x).max() < 0.01


@pytest.mark.parametrize(
    "same",
    [
        lambda w: float(w @ w) + np.random.default_rng(3).normal(),  # the same number at every call
        lambda w: float(w @ w) * (1 + RANDOM.choice([-1, 1]) * 2**-52),  # such as of a sum in parallel
        lambda w: np.log(w[0] - 5),
        lambda w: np.inf,
        lambda w: 0.0,
    ],
)
def test_values_that_repeat_to_rounding_are_tried_without_a_word(same: Any) -> None:
    assert tried(as_of(same, 2), np.array([0.5, 0.25])) is False


def as_of(function: Any, dimension: int) -> FunctionObjective:
    made = as_objective(function, dimension)
    assert isinstance(made, FunctionObjective)
    return made


def single(x: Any) -> Any:
    return np.sum((x.astype(np.float32) - np.float32(0.3)) ** 3)


@pytest.mark.parametrize(
    ("function", "precision"),
    [
        (single, "float32"),
        (lambda x: float(single(x)), "float32"),
        (lambda x: np.float64(single(x)), "float32"),
        (lambda x: [single(x)], "float32"),
        (lambda x: np.sum(x.astype(np.float16) ** 2), "float16"),
        (lambda x: jnp.sum(jnp.asarray(x, jnp.float16) ** 2), "float16"),
        (lambda x: np.sum(x**2), "float64"),
        (lambda x: float(x[0]), "float64"),
        # Round numbers tell nothing.
        (lambda x: 0.25, "float64"),
        # Nor does the plain 0 of a hinge's flat part.
        (lambda x: max(0, x[0] - 100), "float64"),
    ],
)
def test_the_precision_of_the_values_is_seen(function: Any, precision: str) -> None:
    objective = as_of(function, 2)
    tried(objective, np.array([3.0, 2.0]))
    assert objective.precision == precision


def quotient(x: Any) -> Any:
    """In float32; its NumPy calls are unknown to JAX."""
    y = np.frombuffer(x.tobytes()).astype(np.float32)
    return y[0] ** 2 / (np.float32(1) + y[1] ** 2)


@pytest.mark.parametrize(("scheme", "power"), [("forward", 1 / 2), ("central", 2 / 3)])
def test_the_step_of_a_difference_suits_float32(scheme: str, power: float) -> None:
    run = minimize(quotient, [1.1, 0.7], GradientDescent(0.1), max_steps=1, gradient=Perturbation(scheme=scheme))
    x, y = 1.1, 0.7
    slope = [2 * x / (1 + y**2), -2 * y * x**2 / (1 + y**2) ** 2]
    # The error of the best step is of the order of eps^(1/2) or eps^(2/3), with derivatives of size 1.
    np.testing.assert_allclose(run.gradient[0], slope, atol=10 * 2 ** (-23 * power))
    assert run.gradient_kind == f"{scheme} differences of float32 values"


def test_the_result_says_float32() -> None:
    assert minimize(quotient, [1.0, 1.0], "adam", max_steps=1).gradient_kind.startswith(
        "central differences of float32 values (.tobytes in test_trial.py:"
    )
    assert minimize(single, [1.0, 1.0], "adam", max_steps=1).gradient_kind == "autodiff of float32 values"


def test_sums_in_float32_are_carried_whatever_the_order_of_their_terms() -> None:
    data = np.random.default_rng(0).normal(size=2000).astype(np.float32)

    def squares(x: Any) -> Any:
        return np.sum((data - x[0].astype(np.float32)) ** 2)

    run = minimize(squares, [0.5], GradientDescent(1e-4), max_steps=1, gradient="autodiff")
    # 2000 terms, each rounded.
    assert run.gradient[0, 0] == pytest.approx(2 * np.sum(0.5 - data.astype(float)), rel=1e-4)


def test_check_gradient_allows_for_float32() -> None:
    assert [slope.verdict for slope in check_gradient(single, [1.0, 2.0]).slopes] == ["right"] * 2
    assert [slope.verdict for slope in check_gradient(quotient, [1.0, 2.0]).slopes] == ["right"] * 2
    wrong = check_gradient(single, [1.0, 2.0], gradient=lambda x: 1.01 * 3 * (x - 0.3) ** 2)
    assert [slope.verdict for slope in wrong.slopes] == ["wrong"] * 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (None, "objective loss returned None, as a function without a return statement does;"),
        (np.ones(2), r"objective loss returned an array of shape \(2,\);"),
        (np.ones((3, 1)), r"objective loss returned an array of shape \(3, 1\);"),
        ((1.0, np.ones(2)), "objective loss returned a tuple of length 2;"),
        ("1.5", "objective loss returned '1.5';"),
    ],
)
def test_what_is_not_one_number_is_named(wrong: Any, said: str) -> None:
    def loss(_x: Any) -> Any:
        return wrong

    with pytest.raises(FalllineError, match=f"^{said} it must return one number for a point$"):
        minimize(loss, [1.0, 2.0], "adam")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(x) + 1j,
        lambda x: np.emath.sqrt(-x[0]),
        lambda x: complex(x[0], x[1]),
        lambda x: np.exp(1j * x[0]),
    ],
)
@pytest.mark.parametrize("gradient", ["auto", Perturbation(), lambda x: x])
def test_a_complex_value_is_named(function: Any, gradient: Any) -> None:
    with pytest.raises(FalllineError, match=r"returned \S+j, a complex number, at \[2\.0, 1\.0\]; .*\.real or abs"):
        minimize(function, [2.0, 1.0], "adam", gradient=gradient)


def test_a_complex_gradient_is_named() -> None:
    with pytest.raises(FalllineError, match=r"gradient a function returned .*; it must return 2 numbers"):
        minimize(lambda x: x @ x, [2.0, 1.0], "adam", gradient=lambda x: x + 1j)


@pytest.mark.parametrize(
    "one", [lambda x: (x[:1] - 1) ** 2, lambda x: ((x - 1) ** 2).reshape(1, 1), lambda x: [(x[0] - 1) ** 2]]
)
def test_an_array_of_one_number_is_a_number(one: Any) -> None:
    assert minimize(one, [3.0], GradientDescent(0.5)).final.x.tolist() == [1.0]


@pytest.mark.parametrize(
    "steps",
    [
        lambda x: np.int64(x @ x),
        lambda x: int(x @ x),
        lambda x: round(float(x @ x)),
        lambda x: 10**9 + int(1e6 * x[0]),
        lambda x: np.uint64(10**9 + 1e6 * x[0]),
        lambda x: x[0] > 1,
        lambda x: bool(x[0] > 1000),
        lambda x: np.sum(X @ x > 0),
        lambda x: float(x[0] > 1),
        lambda x: np.floor(x[0]) ** 2,
        lambda x: np.sum(np.sign(x)),
        lambda x: np.where(x[0] > 2, 1.0, 0.0),
        lambda x: np.round(x @ x).astype(np.float32),
    ],
)
@pytest.mark.parametrize("gradient", ["auto", "autodiff", Perturbation(), Perturbation(scheme="central")])
def test_a_function_of_whole_numbers_is_refused_for_it_has_no_slope(steps: Any, gradient: Any) -> None:
    said = r"^objective .* gives whole numbers also where x is none, such as \S+ at \[.*\]: it has steps, no slope; "
    for start in ([3.0, 1.0], [0.0, 0.0]):
        with pytest.raises(FalllineError, match=said) as raised:
            minimize(steps, start, GradientDescent(0.1), gradient=gradient)
        assert "\n" not in str(raised.value)
    with pytest.raises(FalllineError, match=said):
        check_gradient(steps, [3.0, 1.0])


@pytest.mark.parametrize(
    ("function", "start", "slope"),
    [
        (lambda x: x * x, 3, 6.0),
        (lambda x: int(x) * x if x == 3 else x * x, 3.0, 6.0),
        (lambda x: 2 * abs(x), 3, 2.0),
        (lambda x: max(0, x - 1), 0.0, 0.0),
        (lambda x: max(0, x - 100), 0.0, 0.0),
        (lambda x: min(1, max(0, 1000 * x)), 3.0, 0.0),
        (lambda x: np.clip(1e6 * x, 0, 1), -1.0, 0.0),
        (lambda x: 0.0, 3.0, 0.0),
        (lambda x: 1e17 * x**2, 3.0, 6e17),
        (lambda x: np.float32(2**24) * np.float32(x), 3.0, 2.0**24),
    ],
)
def test_a_function_whose_values_are_whole_in_places_is_run(function: Any, start: float, slope: float) -> None:
    run = minimize(function, start, GradientDescent(1e-20), gradient=Perturbation(scheme="central"), max_steps=1)
    # Central differences: of a float64 to about 1e-10, of a float32 to about 1e-5.
    assert run.gradient[0, 0] == pytest.approx(slope, rel=1e-4, abs=1e-9)


def test_the_slope_of_steps_is_the_users_own_choice() -> None:
    run = minimize(lambda x: int(x * x), 3.0, GradientDescent(0.5), gradient=lambda x: 2 * x, max_steps=1)
    assert run.final.x.tolist() == [0.0]
    run = minimize(
        lambda x: round(x * x), 3.0, GradientDescent(0.1), gradient=Perturbation(2.0, "central"), max_steps=1
    )
    assert run.gradient[0].tolist() == [(25 - 1) / 4]


@pytest.mark.parametrize("gradient", ["auto", Perturbation(), lambda x: x])
@pytest.mark.parametrize(
    "function", [lambda x: 1j * np.sum(x), lambda x: np.sum(x) + 1j, lambda x: np.emath.sqrt(-x[0])]
)
def test_the_gradient_of_complex_values_is_not_checked(function: Any, gradient: Any) -> None:
    with pytest.raises(FalllineError, match=r"returned \S+j, a complex number, at \[1\.0, 1\.0\]; .*\.real or abs"):
        check_gradient(function, [1.0, 1.0], gradient=gradient)
    # A complex number without an imaginary part is real.
    assert check_gradient(lambda x: complex(x @ x), [1.0, 1.0], gradient=lambda x: 2 * x)


def squares(w: Any, X: Any, y: Any) -> Any:
    return np.mean((X @ w - y) ** 2)


def test_data_among_the_arguments_is_to_be_bound() -> None:
    said = r"x0 has 2 numbers; squares needs 3, for w, X, y; .* functools\.partial\(squares, X=X, y=y\)$"
    with pytest.raises(FalllineError, match=said):
        minimize(squares, [0.0, 0.0], "adam")
    # As many numbers as arguments: each gets one.
    said = r"^squares was given one number for each of w, X, y, and failed: .* functools\.partial\(squares, X=X, y=y\)$"
    with pytest.raises(FalllineError, match=said):
        minimize(squares, [0.0, 0.0, 0.0], "adam")
    with pytest.raises(
        FalllineError, match=r"args is not an argument of minimize; bind the data, as in functools\.partial"
    ):
        minimize(squares, [0.0, 0.0], "adam", args=(X, Y))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "of_arrays",
    [
        lambda w, X: w[0] * X,
        lambda w, X: w * len(X),
        lambda w, X: sum(X) * w,
        lambda w, X: np.linalg.norm(X, axis=1),
        lambda w, X: np.matmul(X, w),
    ],
)
def test_a_number_where_an_array_should_be_is_told(of_arrays: Any) -> None:
    with pytest.raises(FalllineError, match=r"^a function was given one number .* functools\.partial\(f, X=X\)$"):
        minimize(of_arrays, [1.0, 2.0], "adam")


@pytest.mark.parametrize("error", [ValueError("boom"), TypeError("boom"), IndexError("boom"), KeyError("x")])
def test_an_exception_of_the_functions_own_is_told_as_it_is(error: Exception) -> None:
    def boom(_x: float, _y: float) -> float:
        raise error

    with pytest.raises(type(error)) as raised:
        minimize(boom, [1.0, 2.0], "adam")
    assert raised.value is error
    assert raised.value.__notes__[0] == "boom was called at [1.0, 2.0]"


def scaled(w: Any, *, a: float, power: int = 2) -> Any:
    return a * np.sum(w**power)


def test_an_argument_that_must_be_named_is_to_be_bound() -> None:
    said = r"^{} is scaled, which must be given a by name; bind it: functools\.partial\(scaled, a=\.\.\.\)$"
    with pytest.raises(FalllineError, match=said.format("objective")):
        minimize(scaled, [1.0, 2.0], "adam")
    with pytest.raises(FalllineError, match=said.format("gradient")):
        minimize("x**2 + y**2", [1.0, 2.0], "adam", gradient=scaled)
    bound = functools.partial(scaled, a=2.0)
    assert minimize(bound, [1.0, 2.0], GradientDescent(0.25), max_steps=1).final.x.tolist() == [0.0, 0.0]


def test_a_bound_function_is_minimised() -> None:
    exact = np.linalg.lstsq(X, Y)[0]
    for bound in (functools.partial(squares, X=X, y=Y), lambda w: squares(w, X, Y)):
        run = minimize(bound, [0.0, 0.0], GradientDescent(0.3))
        # The condition of X is near 1: the steps end within rounding of the minimum.
        np.testing.assert_allclose(run.final.x, exact, atol=1e-10)
        assert run.gradient_kind == "autodiff"
    assert minimize(functools.partial(squares, X=X, y=Y), [0.0, 0.0], "adam", max_steps=1).title == "squares"


@pytest.mark.parametrize(
    ("roundings", "precision", "same"),
    [(50, "float64", True), (200, "float64", False), (50, "float32", True), (200, "float32", False)],
)
def test_values_repeat_within_a_hundred_roundings_of_their_precision(
    roundings: float, precision: str, same: bool
) -> None:
    rounding = {"float64": 2.0**-52, "float32": 2.0**-23}[precision]
    calls = itertools.count()

    def function(w: Any) -> Any:
        number = (3.7 + w[0]) * (1 + roundings * rounding * (next(calls) % 2))
        return number if precision == "float64" else np.float32(number)

    if same:
        objective = as_of(function, 1)
        tried(objective, np.array([0.123]))
        assert objective.precision == precision
    else:
        with pytest.raises(FalllineError, match=r"gives 3\.82\S* and 3\.82\S* at the same point"):
            tried(as_of(function, 1), np.array([0.123]))


def test_whether_the_values_are_of_jax_is_told() -> None:
    from jax import numpy as jnp

    assert tried(as_of(lambda x: jnp.sum(x**2), 2), np.array([0.5, 0.25]))
    assert not tried(as_of(lambda x: np.sum(x**2), 2), np.array([0.5, 0.25]))


def test_around_the_point_the_function_may_have_no_value() -> None:
    def alone(x: Any) -> Any:
        if x[0] != 2.0:
            raise LookupError(x[0])
        return 3.0

    assert not tried(as_of(alone, 1), np.array([2.0]))
    # Values that are whole on both sides, and none between.
    with pytest.raises(FalllineError, match=r"gives whole numbers also where x is none, such as -?1 at \["):
        tried(as_of(lambda x: 1.0 if x[0] > 2 else (-1.0 if x[0] < 2 else 1 / 0), 1), np.array([2.5]))


class Tensor:
    """A number as PyTorch has it in bfloat16."""

    dtype = "torch.bfloat16"
    detach = None

    def __init__(self, number: float) -> None:
        self.number = number

    def tolist(self) -> float:
        return self.number


@pytest.mark.parametrize(
    ("function", "precision"),
    [
        (lambda x: np.float32(np.pi), "float32"),
        (lambda x: float(np.float32(x[0] + 0.1)), "float32"),
        (lambda x: 1 + x[0] / 2**30, "float64"),
        (lambda x: float(np.float32(x[0]) ** 2) * 1e300, "float64"),
        (lambda x: np.nan, "float64"),
        (lambda x: 0.1234, "float64"),
        # Whole by rounding: numbers so large have no digits after the point.
        (lambda x: np.float16(4096 + 4 * x[0]), "float16"),
        (lambda x: Tensor(512 + 4 * round(x[0])), "bfloat16"),
    ],
)
def test_the_precision_is_read_from_type_or_digits(function: Any, precision: str) -> None:
    objective = as_of(function, 1)
    tried(objective, np.array([0.7]))
    assert objective.precision == precision
