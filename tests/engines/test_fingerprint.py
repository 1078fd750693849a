"""A fingerprint is the same in every process, and another where a run would be."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import Adam, GradientDescent
from fallline.engines.fingerprint import fingerprint

SCALE = np.array([1.0, 2.0])
CALLS = 0


def scaled(x: Any) -> Any:
    return SCALE @ x


def through_another(x: Any) -> Any:
    return [scaled(part) for part in x]


def counting(x: Any) -> Any:
    global CALLS
    CALLS += 1
    return x


def other_default(x: Any, power: int = 3) -> Any:
    return x**power


class Holder:
    """Any value, under a public name and a private one."""

    def __init__(self, thing: Any, hidden: Any = None) -> None:
        self.thing = thing
        self._hidden = hidden

    def method(self) -> Any:
        return self.thing


@dataclass(frozen=True)
class Settings:
    rate: float
    inner: Any = None


def itself() -> list[Any]:
    inside: list[Any] = [1]
    inside.append(inside)
    return inside


THINGS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "zero": lambda: 0,
    "false": lambda: False,
    "float": lambda: 0.0,
    "minus zero": lambda: -0.0,
    "text": lambda: "0",
    "bytes": lambda: b"0",
    "texts": lambda: ["ab", "c"],
    "other texts": lambda: ["a", "bc"],
    "nested": lambda: [["ab"], "c"],
    "tuple": lambda: ("ab", "c"),
    "mapping": lambda: {"ab": "c"},
    "set": lambda: {"ab", "c", "d", "e"},
    "path": lambda: Path("ab"),
    "array": lambda: np.arange(6.0),
    "of other shape": lambda: np.arange(6.0).reshape(2, 3),
    "of other type": lambda: np.arange(6),
    "transposed": lambda: np.arange(6.0).reshape(3, 2).T,
    "one bit off": lambda: np.array([0, 1, 2, 3, 4, np.nextafter(5, 6)]),
    "empty": lambda: np.empty((0, 3)),
    "a number of NumPy's": lambda: np.float64(0.0),
    "objects": lambda: np.array(["a", None], object),
    "rule": lambda: Adam(0.1),
    "other rule": lambda: GradientDescent(0.1),
    "settings": lambda: Settings(0.1),
    "deep settings": lambda: Settings(0.1, Settings(0.2)),
    "holder": lambda: Holder(1),
    "function": lambda: scaled,
    "function of a function": lambda: through_another,
    "lambda": lambda: lambda x: x + 1,
    "other lambda": lambda: lambda x: x + 2,
    "nested lambda": lambda: lambda x: [y + 1 for y in x],
    "default": lambda: other_default,
    "partial": lambda: functools.partial(other_default, power=4),
    "method": lambda: Holder(1).method,
    "ufunc": lambda: np.add,
    "builtin": lambda: abs,
    "type": lambda: Adam,
    "module": lambda: np,
    "itself": itself,
}


def test_all_differ_and_each_is_the_same_when_made_again() -> None:
    prints = {name: fingerprint(make()) for name, make in THINGS.items()}
    assert len(set(prints.values())) == len(THINGS)
    assert {name: fingerprint(make()) for name, make in THINGS.items()} == prints


def test_in_another_process_they_are_the_same() -> None:
    program = (
        "from tests.engines.test_fingerprint import *\n"
        "import json, sys; json.dump({name: fingerprint(make()) for name, make in THINGS.items()}, sys.stdout)"
    )
    # The order of sets differs from process to process.
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {name: fingerprint(make()) for name, make in THINGS.items()}


def test_the_data_that_a_function_reads_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before, of_another = fingerprint(scaled), fingerprint(through_another)
    monkeypatch.setitem(scaled.__globals__, "SCALE", np.array([1.0, 3.0]))
    assert fingerprint(scaled) != before
    assert fingerprint(through_another) != of_another


def test_what_a_function_changes_itself_does_not_count() -> None:
    def own() -> Callable[[], int]:
        calls = 0

        def count() -> int:
            nonlocal calls
            calls += 1
            return calls

        return count

    for function, arguments in ((own(), ()), (counting, (1,))):
        before = fingerprint(function)
        function(*arguments)
        assert fingerprint(function) == before


class Tensor:
    """As another library's array, which gives its numbers once it is detached."""

    def __init__(self, numbers: Any, attached: bool = True) -> None:
        self._numbers = numbers
        self._attached = attached

    def detach(self) -> Tensor:
        return Tensor(self._numbers, attached=False)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        assert not self._attached
        return np.array(self._numbers, dtype, copy=copy)


def test_the_arrays_of_other_libraries_count() -> None:
    for kind in (Tensor, pandas.Series, lambda numbers: pandas.DataFrame({"a": numbers})):
        assert fingerprint(kind([1.0, 2.0])) == fingerprint(kind([1.0, 2.0]))
        assert fingerprint(kind([1.0, 2.0])) != fingerprint(kind([1.0, 3.0]))


def test_private_attributes_do_not_count() -> None:
    assert fingerprint(Holder(1, hidden=2)) == fingerprint(Holder(1, hidden=3))
    assert fingerprint(Holder(1)) != fingerprint(Holder(2))


@given(st.lists(st.floats(), max_size=8), st.integers(0, 7), st.integers(0, 63))
def test_every_bit_of_an_array_counts(numbers: list[float], place: int, bit: int) -> None:
    array = np.array(numbers)
    other = array.copy()
    assert fingerprint(other) == fingerprint(array)
    if place < len(other):
        other.view(np.uint64)[place] ^= np.uint64(1) << np.uint64(bit)
        assert fingerprint(other) != fingerprint(array)


@given(st.integers(1, 5), st.integers(1, 5))
def test_the_layout_of_an_array_does_not_count(rows: int, columns: int) -> None:
    array = np.arange(float(rows * columns)).reshape(rows, columns)
    assert fingerprint(np.asfortranarray(array)) == fingerprint(array)
    assert fingerprint(np.repeat(array, 2, axis=0)[::2]) == fingerprint(array)


def test_what_changes_as_a_thing_is_used_counts_only_if_asked_for() -> None:
    random, hidden = np.random.default_rng(0), Holder(None, hidden=[0])
    for thing, use in (
        (counting, lambda: counting(1)),
        (hidden, lambda: hidden._hidden.append(1)),
        (lambda x: x * random.random(), random.random),
    ):
        plain, changing = fingerprint(thing), fingerprint(thing, changing=True)
        assert fingerprint(thing, changing=True) == changing
        use()
        assert fingerprint(thing) == plain
        assert fingerprint(thing, changing=True) != changing
