"""Hashes of Python objects, functions included: the same in every process, different once the content differs."""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import os
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# The depth to which nested objects are hashed; below it only their type counts.
DEEPEST = 30
# Bytes of an array that are hashed at a time.
BLOCK = 2**24
PLAIN = (bool, int, float, complex, str, bytes, type(None))
# Packages whose classes are taken not to change between a run and its continuation.
LIBRARIES = ("fallline", "builtins", "abc", "typing", "numpy")


def fingerprint(thing: Any, *, changing: bool = False) -> str:
    """A hash by which objects are distinguished.

    It covers every bit of arrays and other data; the code and defaults of a function, and the outer data and functions
    that it reads, but not variables that it assigns itself, such as a count of its calls; the type and the public
    attributes of an object, and the methods of a user's own class. Modules and compiled functions count by name only.

    Arguments:
        thing: any object.
        changing: include also what changes in use: variables that a function assigns itself, variables of other modules
            that it names, private attributes, attributes of functions and of the user's classes, and the positions of
            iterators and random generators.

    >>> def multiplied(scale): return lambda x: scale * x
    >>> fingerprint(multiplied(2.0)) == fingerprint(multiplied(2.0)), fingerprint(multiplied(3.0)) == fingerprint(
    ...     multiplied(2.0)
    ... )
    (True, False)
    """
    return _Fingerprints(changing).of(thing)


class _Fingerprints:
    """The fingerprints of an object and of all its parts."""

    def __init__(self, changing: bool) -> None:
        self.changing = changing
        self.depth = 0
        # The object is kept too, so that its id is not reused.
        self.known: dict[int, tuple[str, Any]] = {}

    def of(self, thing: Any) -> str:
        kind = f"{type(thing).__module__}.{type(thing).__qualname__}"
        if isinstance(thing, PLAIN):
            return f"{kind} {thing!r}"
        if id(thing) in self.known:
            return self.known[id(thing)][0]
        if self.depth == DEEPEST:
            return kind
        # Ends the recursion in an object that contains itself.
        self.known[id(thing)] = "again", thing
        import hashlib  # loads OpenSSL

        told = hashlib.blake2b(kind.encode(), digest_size=16)
        self.depth += 1
        for part in self._parts(thing):
            data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            # The length first, so that "ab", "c" differs from "a", "bc".
            told.update(b"%d:" % len(data))
            told.update(data)
        self.depth -= 1
        self.known[id(thing)] = told.hexdigest(), thing
        return told.hexdigest()

    def _parts(self, thing: Any) -> Iterator[str | memoryview]:
        if isinstance(thing, np.ndarray | np.generic):
            yield from self._array(np.asarray(thing))
        elif hasattr(type(thing), "__array__"):
            yield from self._array(np.asarray(thing.detach() if hasattr(thing, "detach") else thing))
        elif isinstance(thing, Mapping):
            for key, value in thing.items():
                yield self.of(key)
                yield self.of(value)
        elif isinstance(thing, list | tuple):
            yield from map(self.of, thing)
        elif isinstance(thing, set | frozenset):
            yield from sorted(map(self.of, thing))
        elif isinstance(thing, os.PathLike):
            yield str(os.fspath(thing))
        elif isinstance(thing, types.CodeType):
            yield thing.co_code.hex()
            yield self.of((thing.co_consts, thing.co_names, thing.co_varnames, thing.co_freevars, thing.co_cellvars))
        elif isinstance(thing, types.FunctionType):
            yield from self._function(thing)
        elif isinstance(thing, types.MethodType):
            yield from (self.of(thing.__func__), self.of(thing.__self__))
        elif isinstance(thing, functools.partial):
            yield self.of((thing.func, thing.args, thing.keywords))
        elif isinstance(thing, types.ModuleType | type | np.ufunc) or _is_named_routine(thing):
            yield f"{getattr(thing, '__module__', '')} {getattr(thing, '__qualname__', thing.__name__)}"
            if isinstance(thing, type):
                yield from self._methods(thing)
        else:
            yield from self._methods(type(thing))
            attributes = getattr(thing, "__dict__", {}).items()
            yield self.of({name: value for name, value in attributes if self.changing or not name.startswith("_")})
            if self.changing and not attributes:
                with contextlib.suppress(Exception):  # an object that cannot be pickled may raise anything
                    yield self.of(thing.__reduce_ex__(2)[1:])

    def _array(self, array: npt.NDArray[Any]) -> Iterator[str | memoryview]:
        yield f"{array.dtype} {array.shape}"
        if array.dtype.hasobject:
            yield self.of(array.tolist())
            return
        # In blocks, because a contiguous copy of the whole array may be large.
        rows = np.atleast_1d(array)
        many = max(1, BLOCK * len(rows) // max(1, rows.nbytes))
        for first in range(0, len(rows) if rows.size else 0, many):
            yield np.ascontiguousarray(rows[first : first + many]).view(np.uint8).reshape(-1).data

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        parts = list(_nested(function.__code__))
        yield self.of(function.__code__)
        yield self.of((function.__defaults__, function.__kwdefaults__))
        if self.changing:
            yield self.of(function.__dict__)
        changed = (
            set()
            if self.changing
            else {
                instruction.argval
                for part in parts
                for instruction in dis.get_instructions(part)
                if instruction.opname in ("STORE_GLOBAL", "STORE_DEREF")
            }
        )
        names = {name for part in parts for name in part.co_names}
        around = {name: function.__globals__[name] for name in names if name in function.__globals__}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # the variable is not assigned yet
                around[name] = cell.cell_contents
        if self.changing:
            around |= _in_modules(around, names)
        yield self.of({name: around[name] for name in sorted(around.keys() - changed)})

    def _methods(self, kind: type) -> Iterator[str]:
        for owner in kind.__mro__:
            if owner.__module__.partition(".")[0] not in LIBRARIES:
                for name, value in sorted(vars(owner).items()):
                    if isinstance(value, types.FunctionType) or (self.changing and not name.startswith("__")):
                        yield from (name, self.of(value))


def _in_modules(around: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """The variables that code with these names may read in modules other than libraries."""
    found: dict[str, Any] = {}
    waiting = [*around.values(), *(sys.modules[name] for name in names if name in sys.modules)]
    while waiting:
        module = waiting.pop()
        if isinstance(module, types.ModuleType) and module.__name__.partition(".")[0] not in LIBRARIES:
            read = {f"{module.__name__}.{name}": vars(module)[name] for name in names & vars(module).keys()}
            waiting += [thing for name, thing in read.items() if name not in found]
            found |= read
    return found


def _is_named_routine(thing: Any) -> bool:
    """Whether it is a compiled function or the like. (`inspect.isroutine` accepts cached properties, without names.)"""
    return inspect.isroutine(thing) and hasattr(thing, "__name__")


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code and that of all functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)
