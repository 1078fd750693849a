"""Runs plain NumPy code on another library, by proxies for its arrays or symbols."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from fallline.errors import FalllineError
from fallline.state import map_state

# As operators these mean the same in every library, and accept Python numbers on either side.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "matmul": operator.matmul,
    "negative": operator.neg,
    "positive": operator.pos,
    "absolute": operator.abs,
    "square": lambda x: x * x,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}

Library = Mapping[str, Callable[..., Any]]


def _operator(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    """An operator of proxies that calls the library directly; the mixin's own goes through NumPy."""

    def on_proxy(proxy: Proxy, other: Any) -> Any:
        return proxy._carried(name, (other, proxy) if reflected else (proxy, other), {})

    return on_proxy


class Proxy(NDArrayOperatorsMixin):
    """Stands for a value of another library; NumPy's functions and operators on it become the library's.

    NumPy lets operands of other types override its functions (`__array_ufunc__`, `__array_function__`, NEP 13 and 18),
    so code that calls `np.sqrt` works on every library.

    Arguments:
        value: the array, tensor or symbol.
        library: the library's functions by NumPy's names.
    """

    __slots__ = ("library", "value")

    def __init__(self, value: Any, library: Library) -> None:
        self.value = value
        self.library = library

    # The operators that rules and models use most.
    __add__, __radd__ = _operator("add"), _operator("add", reflected=True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", reflected=True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", reflected=True)
    __truediv__, __rtruediv__ = _operator("divide"), _operator("divide", reflected=True)
    __pow__ = _operator("power")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return self._carried(name, inputs, settings)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, inputs: tuple[Any, ...], settings: dict[str, Any]
    ) -> Any:
        return self._carried(function.__name__, inputs, settings)

    def _carried(self, name: str, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        function = self.library.get(name) or OPERATORS.get(name)
        if function is None:
            raise FalllineError(problem=f"np.{name} cannot be carried over to {type(self.value).__module__}")
        return type(self)(function(*[plain(part) for part in inputs], **settings), self.library)

    def __bool__(self) -> bool:
        raise FalllineError(
            problem="a condition on what the code computes with has no one answer here",
            allowed="choose with np.where instead of if",
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise FalllineError(
            problem=f".{name} cannot be carried over to {type(self.value).__module__}", allowed=f"write np.{name}(...)"
        )

    def __repr__(self) -> str:
        return f"Proxy({self.value!r})"


class ArrayProxy(Proxy):
    """Stands for an array of a library whose arrays have NumPy's methods, shape and indices, as JAX's have.

    What is no array of it, such as a shape, is returned as it is.
    """

    __slots__ = ()

    # Such arrays do not change in place: the name on the left gets a new one.
    __iadd__, __isub__ = Proxy.__add__, Proxy.__sub__
    __imul__, __itruediv__ = Proxy.__mul__, Proxy.__truediv__

    def _carried(self, name: str, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        function = self.library.get(name) or OPERATORS.get(name)
        if function is None:
            raise FalllineError(problem=f"np.{name} cannot be carried over to {type(self.value).__module__}")
        return self._wrapped(function(*map(unwrapped, inputs), **{key: unwrapped(settings[key]) for key in settings}))

    def _wrapped(self, made: Any) -> Any:
        if isinstance(made, bool | int | str) or made is None:
            return made
        return tuple(map(self._wrapped, made)) if isinstance(made, tuple | list) else type(self)(made, self.library)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self.value, name)
        if name in ("dtype", "shape"):
            return found
        if not callable(found) or hasattr(found, "shape"):
            return self._wrapped(found)

        def method(*inputs: Any, **settings: Any) -> Any:
            return self._wrapped(found(*map(unwrapped, inputs), **settings))

        return method

    def __getitem__(self, place: Any) -> Any:
        return self._wrapped(self.value[unwrapped(place)])

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


def unwrapped(part: Any) -> Any:
    """The value inside a proxy, also within lists and tuples.

    >>> unwrapped([Proxy(2, {}), (3, Proxy(4, {}))])
    [2, (3, 4)]
    """
    if isinstance(part, list):
        return [unwrapped(each) for each in part]
    return tuple(unwrapped(each) for each in part) if isinstance(part, tuple) else plain(part)


class Stack(NDArrayOperatorsMixin):
    """Proxies that stand for the rows of one array: NumPy's functions and operators are applied to each row.

    Other operands with as many rows, arrays or stacks, are split into rows; all others are used for every row.

    >>> from fractions import Fraction
    >>> rows = Stack([Proxy(Fraction(1, 2), {}), Proxy(Fraction(1, 3), {})])
    >>> [row.value for row in rows * np.array([2, 1]) + 1]
    [Fraction(2, 1), Fraction(4, 3)]
    """

    __slots__ = ("parts",)
    ndim = 1

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Stack:
        return self._each(ufunc if method == "__call__" else getattr(ufunc, method), inputs, settings)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, inputs: tuple[Any, ...], settings: dict[str, Any]
    ) -> Stack:
        return self._each(function, inputs, settings)

    def _each(self, function: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]) -> Stack:
        rows = [list(part) if isinstance(part, Stack | np.ndarray) and part.ndim else [part] for part in inputs]
        count = max(map(len, rows))
        rows = [row * count if len(row) == 1 else row for row in rows]
        return Stack([function(*parts, **settings) for parts in zip(*rows, strict=True)])


def plain(part: Any) -> Any:
    """The value inside a proxy, or a NumPy scalar as a Python number, for use in another library."""
    if isinstance(part, Proxy):
        return part.value
    return part.item() if isinstance(part, np.generic) else part


def unless(usual: Any, sure: Any, exact: Callable[[], Any]) -> Any:
    """`usual` where the mask `sure` is true, and `exact()` elsewhere, which on arrays is computed only if needed.

    >>> unless(np.array([1.0, 2.0]), np.array([True, False]), lambda: np.array([5.0, 6.0]))
    array([1., 6.])
    """
    if isinstance(sure, Proxy):
        return sure._carried("unless", (usual, sure, exact()), {})
    return usual if sure.all() else np.where(sure, usual, exact())


def carried(function: Callable[..., Any], library: Library, kind: type[Proxy] = Proxy) -> Callable[..., Any]:
    """The same function, run on the values of another library.

    Every argument that is not a Python number, or nested tuples of such, is passed as a proxy of this kind, and proxies
    in the result are unwrapped.

    >>> import math
    >>> root = carried(lambda x: np.sqrt(x) + 1, {"sqrt": math.sqrt})
    >>> from fractions import Fraction
    >>> root(Fraction(9, 4))
    2.5
    """

    def on_library(*arguments: Any) -> Any:
        return map_state(plain, function(*(map_state(wrapped, argument) for argument in arguments)))

    def wrapped(leaf: Any) -> Any:
        return leaf if isinstance(leaf, int | float | str) else kind(leaf, library)

    return on_library
