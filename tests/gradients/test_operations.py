"""What can be done with arrays and numbers: a result as of NumPy, and the gradient that differences give."""

from __future__ import annotations

import decimal
import math
import pickle
import struct
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from scipy import special
from scipy.spatial import distance
from tests.gradients.corpus.operations import FUNCTIONS, gone_through
from tests.gradients.test_corpus import differences

from fallline.gradients import with_gradient
from fallline.gradients.autodiff import AutodiffObjective
from fallline.gradients.rebinding import World
from fallline.gradients.traced import NotCarried, Trace, as_traced, constant, leaves, root_of
from fallline.objectives import FunctionObjective, as_objective

# At the other points what is decided by the values, such as an order, is decided otherwise.
POINTS = np.array([[0.4, 0.9, -0.7, 2.3], [2.6, -1.2, 0.35, 0.8], [-0.43, 1.7, 3.2, -2.1]])


def told(results: Any) -> Any:
    """A number that depends on every element of nested results, on their shapes, dtypes and types."""
    parts: list[Any] = []
    known = 0.0

    def gather(result: Any) -> None:
        nonlocal known
        known += 1
        if isinstance(result, (list, tuple)):
            for part in result:
                gather(part)
        elif isinstance(result, (bool, int)):
            parts.append([float(result)])
        else:
            known += sum(math.sin(len(parts) + i) * size for i, size in enumerate(np.shape(result)))
            kind = getattr(result, "dtype", np.dtype(float))
            known += math.cos(len(parts)) * (kind.num + 0.1 * isinstance(result, np.ndarray))
            flat = np.ravel(result)
            parts.extend([flat.real, flat.imag] if kind.kind == "c" else [flat])

    gather(results)
    flat = np.concatenate(parts)
    return flat @ np.cos(1.7 * np.arange(flat.size)) + known


# They take seconds to compile.
LONG = ("decided_after", "decisions", "norms", "numbers", "objects", "sums")


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in FUNCTIONS]
)
def test_the_result_is_numpys_and_the_gradient_that_of_differences(name: str) -> None:
    function = FUNCTIONS[name]
    objective = as_of(lambda x: told(function(x)))
    points = POINTS[: 2 if name.startswith("deci") else 1]
    values, gradients = AutodiffObjective(objective, points[0]).value_and_gradient(points)
    np.testing.assert_allclose(values, objective.value(points), rtol=1e-12)
    for point, gradient in zip(points, gradients, strict=True):
        expected = differences(objective, point)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_code_sees_numpys_values_and_types_while_it_is_traced(name: str) -> None:
    function, found = FUNCTIONS[name], []

    def run(x: Any) -> list[Any]:
        result = World().stand_in(function)(root_of(POINTS[0].copy(), x, Trace()))
        found.append(constant(result))
        parts = leaves(result)
        assert [(part.value.shape, part.value.dtype) for part in parts] == [(part.shape, part.dtype) for part in parts]
        return [part.value for part in parts]

    with jax.enable_x64(True):
        jax.make_jaxpr(run)(POINTS[0])
    assert told(found[0]) == pytest.approx(told(function(POINTS[0].copy())), rel=1e-12)


def test_every_number_that_went_through_other_arrays_is_still_decided_by() -> None:
    trace, counts = Trace(), []

    def run(x: Any) -> list[Any]:
        for number in World().stand_in(gone_through)(root_of(POINTS[0].copy(), x, trace)):
            before = len(trace.decided)
            assert number > 0
            counts.append(len(trace.decided) - before)
        return [x]

    with jax.enable_x64(True):
        jax.make_jaxpr(run)(POINTS[0])
    assert counts == [1] * 20


@pytest.mark.parametrize("combine", [np.multiply, np.add])
def test_a_result_goes_into_an_array_of_fewer_digits(combine: Any) -> None:
    def function(x: Any) -> Any:
        out = x.astype(np.float32)
        combine(x, x, out=out)
        return out.sum()

    at = np.array([1.0, 2.0, 3.0])
    slope = 2 * at if combine is np.multiply else np.full(3, 2.0)
    found = with_gradient(as_objective(function, 3), "autodiff", at).gradient(at)
    np.testing.assert_allclose(found, slope, rtol=1e-6)  # float32


class Own(np.ndarray[Any, Any]):
    """A class of arrays of the user's own, which is not traced."""


PLAIN = np.zeros(4).view(Own)
SAFER = "write it with functions that jax.numpy has, or use gradient='auto' or a Perturbation"


def copied(x: Any) -> Any:
    np.copyto(PLAIN, x)
    return x[0]


def added_at(array: Any, of: Any = np.add) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        of.at(array if array is PLAIN else x * 1, [0], x[:1])
        return x.sum()

    return function


@pytest.mark.parametrize(
    ("function", "call", "advice"),
    [
        (lambda x: np.add(x, 1, out=PLAIN)[0], "np.add into a plain array", SAFER),
        (lambda x: np.sum(x.reshape(2, 2), 0, out=PLAIN[:2])[0], "np.sum into a plain array", SAFER),
        (copied, "np.copyto into a plain array", SAFER),
        (added_at(PLAIN), "np.add.at into a plain array", SAFER),
        (added_at(None, np.multiply), "np.multiply.at", SAFER),
        (lambda x: np.exp(x, where=x > -9).sum(), "np.exp with where= and no out=", SAFER),
        (lambda x: pickle.loads(pickle.dumps(x)).sum(), "pickle", "leave it out of the objective"),
        (lambda x: [x[0], (x * 1).partition(1)][0], ".partition", SAFER),
        (lambda x: x.put([0], 1.0) or x.sum(), ".put", SAFER),
        (lambda x: PLAIN.__setitem__(slice(None), x) or PLAIN[0], "a conversion to a plain array",
         "write it with np.* on what the function was given, or give gradient= yourself"),
        (lambda x: float(decimal.Decimal(float(x[0])) + 0), "decimal.Decimal(...)", SAFER),
        (lambda x: struct.unpack("d", struct.pack("d", x[0]))[0], "struct.pack(...)", SAFER),
        (lambda x: np.vectorize(np.sum, signature="(n)->()")(x), "np.vectorize with signature=", SAFER),
        (lambda x: special.jv(1.5, x[0]), "scipy.special.jv", SAFER),
        (lambda x: distance.pdist(x.reshape(2, 2), "canberra")[0], "scipy.spatial.pdist_canberra", SAFER),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
def test_what_cannot_be_carried_is_named_with_what_to_write_instead(function: Any, call: str, advice: str) -> None:
    with pytest.raises(NotCarried) as raised:
        AutodiffObjective(as_of(function), np.array([0.5, 1.5, 2.5, 3.5]))
    said = str(raised.value)
    assert said.startswith(f"gradient is 'autodiff', but {call} in test_operations.py:")
    assert " cannot be carried to JAX" in said
    assert said.endswith(f"; {advice}")
    assert (raised.value.parameter, raised.value.value) == ("gradient", "autodiff")
    assert raised.value.call.startswith(f"{call} in test_operations.py:")
    assert (f"{call} in " in said) == (raised.value.call in said)


def test_what_jax_says_is_in_brackets_and_a_call_without_a_place_stands_alone() -> None:
    with pytest.raises(NotCarried, match=r"JAX \(\S+ got an unexpected keyword argument 'signature'\); write it with "):
        AutodiffObjective(as_of(lambda x: np.add(x, 1, signature="dd->d").sum()), np.ones(4))
    assert NotCarried("unique", place="").call == "np.unique"
    assert NotCarried("unique", place="model.py:3").call == "np.unique in model.py:3"


def as_of(function: Any) -> FunctionObjective:
    objective = as_objective(function, 4)
    assert isinstance(objective, FunctionObjective)
    return objective


def test_values_that_do_not_depend_on_x_are_a_plain_array_where_one_is_asked_for() -> None:
    constants = as_traced([1.5, 2.5])
    assert constants.__array__(np.int8).dtype == np.int8
    assert np.asarray(constants).tolist() == [1.5, 2.5]
    made = np.asarray(constants)
    made[0] = 7
    assert constants.concrete[0] == 1.5


def test_views_are_recorded_as_slices_and_a_loop_over_elements_as_one_split() -> None:
    # A gather compiles to slow code, and n slices of n elements take long to compile.
    def recorded(function: Any) -> list[str]:
        with jax.enable_x64(True):
            jaxpr = jax.make_jaxpr(lambda x: as_traced(function(root_of(np.arange(1.0, 13.0), x, Trace()))).value)(
                np.arange(1.0, 13.0)
            )
        return [equation.primitive.name for equation in jaxpr.jaxpr.eqns]

    for view in (
        lambda x: x[2:5],
        lambda x: x[::3],
        lambda x: x[2:8:3],
        lambda x: x.reshape(3, 4)[1],
        lambda x: x.reshape(3, 4).T[1],
        lambda x: x[5],
        lambda x: x.reshape(3, 4)[:, 2],
        lambda x: x.reshape(3, 2, 2).transpose(2, 0, 1),
    ):
        assert "gather" not in recorded(view), view
    assert "gather" in recorded(lambda x: x[[3, 1, 1]])
    looped = recorded(lambda x: sum(x[i] for i in range(12)))
    assert (looped.count("split"), looped.count("slice")) == (1, 4)

    def written(x: Any) -> Any:
        x[2:5] = 0.5
        return x

    assert "scatter" not in recorded(written)


def test_a_trace_holds_where_what_was_decided_is_the_same() -> None:
    def held(given: Any, found: Any) -> bool:
        trace = Trace()
        trace.decided = [(np.array([1.0]), np.array([1.0])), (np.array(found), np.array(given))]
        return bool(trace.holds())

    assert held([1.0, np.nan], [1.0, np.nan])
    assert held(True, True)
    for given, found in (
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.nan]),
        ([1.0, 2.0], [3.0, 2.0]),
        (True, False),
    ):
        assert not held(given, found)
    assert bool(Trace().holds())
