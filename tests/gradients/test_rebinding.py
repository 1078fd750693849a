"""What the user's code sees in place of the objects that it reaches, while it is traced."""

from __future__ import annotations

import collections
import decimal
import enum
import fractions
import json
import operator
import os
import statistics
import types
import xml.etree.ElementTree as tree
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import pytest
from scipy import special, stats
from tests.gradients.test_operations import Own

import fallline
from fallline.gradients.rebinding import Carried, World
from fallline.gradients.traced import Trace, TracedArray, root_of


class Colour(enum.Enum):
    """It cannot be subclassed."""

    RED = 1

    def bright(self) -> float:
        return float(np.sqrt(self.value))


class Plain:
    """It has nothing that could compute with arrays."""

    kind = "plain"


class Ordered(collections.OrderedDict[str, float]):
    """Only the standard library computes here."""


@pytest.mark.parametrize(
    "thing",
    [
        None, 3, 2.5, "text", b"bytes", 1j, np.float64(2), np.float32(2), np.int8(1), len, operator.add, int, str, list,
        statistics.mean, json.dumps, jax.nn.relu, jax.numpy.sum, fallline.minimize, json, os, os.path, tree, np.ndarray,
        jax.numpy, decimal.Decimal, fractions.Fraction, fractions.Fraction(1, 2), Colour, Colour.RED, ValueError, Plain,
        Plain(), Ordered, np.float32, np.random.Generator, np.random.default_rng(0), np.array(["a"]), frozenset([1]),
        np.zeros(2).view(Own), iter([1]), object(), slice(1, 2), (1, "a", Colour.RED), np.dtype(float), np.finfo,
        np.recarray, np.ma.MaskedArray,
    ],
)  # fmt: skip
def test_what_does_not_compute_with_arrays_is_left_as_it_is(thing: Any) -> None:
    assert World().stand_in(thing) is thing


SCALE = np.array([3.0])


def outer() -> Any:
    class Inner:
        table = np.array([1.0, 2.0])

        def total(self, scale: Any = SCALE) -> Any:
            return np.sum(self.table) * scale[0]

    return Inner


INNER = outer()


def test_the_same_object_has_the_same_stand_in() -> None:
    world, data, table = World(), {"a": [np.zeros(2)]}, np.zeros(2)
    for thing in (INNER, INNER.total, INNER(), data, data["a"], table, np, np.sum, [data, data], (table,)):
        made = world.stand_in(thing)
        assert made is not thing
        assert world.stand_in(thing) is made
    twice = world.stand_in([data, data])
    assert twice[0] is twice[1] is world.stand_in(data)
    assert world.stand_in(data)["a"] is world.stand_in(data["a"])


def test_a_class_and_its_instances_keep_their_names_and_kinds() -> None:
    world = World()
    made, one = world.stand_in(INNER), world.stand_in(INNER())
    for name in ("__name__", "__qualname__", "__module__"):
        assert getattr(made, name) == getattr(INNER, name)
        assert getattr(made.total, name) == getattr(INNER.total, name)
    assert isinstance(INNER(), made)
    assert isinstance(one, made)
    assert isinstance(one, INNER)
    assert issubclass(INNER, made)
    assert issubclass(made, INNER)
    assert not isinstance(3, made)
    assert not issubclass(int, made)
    assert type(made.table) is TracedArray
    assert one.total() == 9


class Slots:
    """Of its slots one is not set."""

    __slots__ = ("__dict__", "__weakref__", "table", "unset")

    def total(self: Any) -> Any:
        return np.sum(self.table)


def test_slots_are_filled_where_they_are_set() -> None:
    own: Any = Slots()
    own.table = np.array([1.0, 2.0])
    own.other = np.array([3.0])
    made = World().stand_in(own)
    assert (type(made.table), type(made.other), made.total()) == (TracedArray, TracedArray, 3)
    assert not hasattr(made, "unset")


def test_a_subclass_of_the_standard_librarys_keeps_what_it_inherits() -> None:
    class Counted(collections.UserDict[str, float]):
        def total(self) -> Any:
            return np.sum(np.array(list(self.values())))

    one = World().stand_in(Counted(a=1.0, b=2.0))
    assert (one.total(), len(one), "a" in one) == (3.0, 2, True)
    assert type(one).__len__ is Counted.__len__


def test_functions_of_numpy_are_named_and_compared_as_they_are() -> None:
    world = World()
    for function in (np.sum, np.sin, special.logsumexp, special.erf, np.linalg.norm):
        made = world.stand_in(function)
        assert type(made) is Carried
        assert (made.__name__, made.__doc__) == (function.__name__, function.__doc__)
        assert made == function == made
        assert made == World().stand_in(function)
        assert made != np.cos
        assert len({made, World().stand_in(function)}) == 1
    assert type(world.stand_in(np.add).reduce) is Carried
    for thing in (np.sum, np):
        assert not hasattr(world.stand_in(thing), "no_such_function")
    assert not hasattr(world.stand_in(np.sum), "__len__")


def test_a_number_is_of_its_class_and_of_no_other() -> None:
    world = World()
    whole = world.builtins["type"]
    kinds = {kind: world.stand_in(kind) for kind in (float, complex, np.float64, np.complex128)}
    for kind, made in kinds.items():
        assert made.__name__ == kind.__name__
        assert hash(made) == hash(kind)
        assert made == kind
        assert isinstance(kind(1), made)
        assert not isinstance("1", made)
        assert issubclass(kind, made)
        assert not issubclass(str, made)
        assert [other for other in kinds if made == other] == [kind]
        assert made != 1
        assert np.zeros(1, made).dtype == kind
        assert (made("2"), type(made("2"))) == (2, kind)
        assert isinstance(made, whole)
    assert kinds[float](root_of(np.array([2.0]), jax.numpy.array([2.0]), Trace())).shape == ()


def test_a_distribution_has_the_properties_of_scipys() -> None:
    for own, frozen in ((stats.norm, stats.norm(1.0, scale=2.0)), (stats.gamma, stats.gamma(2.5))):
        made, of_frozen = World().stand_in(own), World().stand_in(frozen)
        assert (made.name, made.numargs, made.badvalue is own.badvalue) == (own.name, own.numargs, True)
        assert of_frozen.name == own.name
        assert made.logpdf(0.5, *frozen.args, **frozen.kwds) == of_frozen.logpdf(0.5) == frozen.logpdf(0.5)
        assert made(*frozen.args, **frozen.kwds).cdf(0.5) == frozen.cdf(0.5)
        assert not hasattr(made, "no_such_function")


def test_the_largest_of_traced_numbers_decides_nothing() -> None:
    world, trace = World(), Trace()
    x = root_of(np.array([1.0, 3.0]), jax.numpy.array([1.0, 3.0]), trace)
    largest, least = world.builtins["max"], world.builtins["min"]
    for given, high, low in (
        ((x[0], x[1]), 3, 1),
        ((x[1], x[0]), 3, 1),
        ((x,), 3, 1),
        (([x[1], 2.0],), 3, 2),
        ((iter([x[0], x[1]]),), 3, 1),
        ((2.0, x[0], 5.0), 5, 1),
    ):
        if not isinstance(given[0], Iterator):
            assert (float(largest(*given).value), largest(*given).concrete) == (high, high)
        found = least(*given)
        assert (float(found.value), found.concrete) == (low, low)
    assert trace.decided == []
    # Where it is another order than theirs, or of arrays, Python compares them.
    assert largest(x, key=lambda number: -number).concrete == 1
    assert least(x[:1], x[1:]).concrete.tolist() == [1]
    assert len(trace.decided) == 2
    assert (largest(1, 2), least([3, 1]), largest("ab"), largest([], default=7)) == (2, 1, "b", 7)


def test_of_a_function_compiled_by_numba_the_python_code_is_traced() -> None:
    def double(x: Any) -> Any:
        return np.array([2 * x[0], 0.0])

    x = root_of(np.array([1.0]), jax.numpy.array([1.0]), Trace())
    found = World().stand_in(types.SimpleNamespace(py_func=double))(x)
    assert found.value.tolist() == found.concrete.tolist() == [2, 0]


def test_a_function_without_a_module_is_traced() -> None:
    alone = types.FunctionType((lambda x: np.array([x[0], 1.0])).__code__, {"np": np})
    x = root_of(np.array([2.0]), jax.numpy.array([2.0]), Trace())
    found = World().stand_in(alone)(x)
    assert found.value.tolist() == found.concrete.tolist() == [2, 1]


def test_a_name_around_a_function_that_is_not_yet_set_hides_no_other() -> None:
    table = np.array([3.0])

    def partly(x: Any) -> Any:
        return np.array([x[0], table[0]]) if x[0] < 9 else after

    x = root_of(np.array([2.0]), jax.numpy.array([2.0]), Trace())
    found = World().stand_in(partly)(x)
    after = found.value.tolist()
    assert after == found.concrete.tolist() == [2, 3]


def test_modules_and_their_members_are_seen_through_stand_ins() -> None:
    world = World()
    seen = world.stand_in(np)
    assert (seen.__name__, seen.__doc__) == (np.__name__, np.__doc__)
    assert seen.linalg is world.stand_in(np.linalg)
    assert seen.pi is np.pi
    assert world.builtins["__import__"]("math").sqrt(4.0) == 2
    assert world.builtins["__import__"]("math").pi == world.stand_in(np).pi
