"""Run a user's function with other globals, so that NumPy, `math` and built-ins work on traced arrays.

NumPy's dispatch protocols reach only calls that are given an array: not `np.zeros(3)`, `np.array([x[0], 1])`,
`math.sin(x[0])` or `float(x[0])`. So a copy of the function runs, with the same code but with globals in which these
names refer to stand-ins that trace. The user's own module, functions and objects are never changed.
"""

from __future__ import annotations

import builtins
import cmath
import functools
import math
import operator
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fallline.gradients.carrying import jax_rule, name_of
from fallline.gradients.rewritten import REWRITTEN
from fallline.gradients.traced import (
    NotCarried,
    array_of,
    as_traced,
    carry,
    constant,
    first,
    followed,
    move,
    paired,
    standing,
)

# Functions that take a callback: run from NumPy's Python source, so that the callback gets traced arrays.
CALLING_BACK = ("apply_over_axes", "piecewise", "fromfunction")

# Packages whose functions are never replaced: they do not compute with the user's arrays, or trace them already.
LEFT_ALONE = {*sys.stdlib_module_names, "jax", "jaxlib", "fallline", "matplotlib", "torch", "sympy", "mpmath"}
LEFT_ALONE -= {"math", "cmath"}

# NumPy's classes that are written in Python and compute with whatever they are given.
POLYNOMIALS = ("numpy.polynomial", "numpy.poly1d")


class Globals(dict[str, Any]):
    """A copy of a module's globals, each value replaced by its stand-in; assignments change only the copy."""

    def __init__(self, world: World, own: dict[str, Any]) -> None:
        # Classes and relative imports read these names directly, not through __getitem__.
        named = {name: own[name] for name in ("__name__", "__package__", "__spec__") if name in own}
        super().__init__(__builtins__=world.builtins, **named)
        self.world = world
        self.own = own

    def __getitem__(self, name: str) -> Any:
        if name in self:
            return super().__getitem__(name)
        return self.world.stand_in(self.own[name])


class World:
    """What the user's code sees during one trace: the stand-in of each object it can reach."""

    def __init__(self) -> None:
        # By id; the object is kept alive too, so that its id is not reused.
        self.known: dict[int, tuple[Any, Any]] = {}
        self.globals: dict[int, Globals] = {}
        own_import = builtins.__import__

        def importing(*parts: Any, **settings: Any) -> Any:
            return self.stand_in(own_import(*parts, **settings))

        self.builtins = {
            **builtins.__dict__,
            "__import__": importing,
            "super": lambda *given: self._super(given, sys._getframe(1)),
            "type": Type,
            "float": Float,
            "complex": Complex,
            "max": functools.partial(_extreme, builtins.max, np.greater),
            "min": functools.partial(_extreme, builtins.min, np.less),
        }

    def stand_in(self, thing: Any) -> Any:
        """What the user's code sees in place of an object; most objects stay as they are."""
        if thing is None or isinstance(thing, int | float | str | bytes | complex):
            return thing
        known = self.known.get(id(thing))
        if known is None:
            made = self._made(thing)
            # An object that contains itself was registered while its stand-in was made.
            known = self.known.setdefault(id(thing), (thing, made))
        return known[1]

    def _made(self, thing: Any) -> Any:
        if isinstance(thing, types.ModuleType):
            return self._module(thing)
        if isinstance(thing, type):
            return self._class(thing)
        in_scipy = str(getattr(thing, "__module__", None)).startswith("scipy.")
        rewritten: Any = REWRITTEN.get(name_of(thing)) if in_scipy else None
        if rewritten is not None:
            return self._rebound(rewritten)
        if isinstance(thing, types.FunctionType):
            return self._function(thing)
        if isinstance(thing, types.MethodType):
            return types.MethodType(self.stand_in(thing.__func__), self.stand_in(thing.__self__))
        if isinstance(thing, functools.partial):
            keywords = {name: self.stand_in(part) for name, part in thing.keywords.items()}
            return functools.partial(self.stand_in(thing.func), *map(self.stand_in, thing.args), **keywords)
        if isinstance(thing, functools._lru_cache_wrapper):
            return self.stand_in(thing.__wrapped__)
        if isinstance(thing, np.vectorize):
            return Vectorized(self.stand_in(thing.pyfunc), excluded=thing.excluded, signature=thing.signature)
        if isinstance(thing, np.ndarray):
            return array_of(np.array(thing)) if type(thing) is np.ndarray and thing.dtype.kind in "biufc" else thing
        if isinstance(thing, np.ufunc) or _of_numpy(thing):
            return Carried(self, thing)
        if thing is np.r_ or thing is np.c_:
            return Joined(thing)
        if hasattr(thing, "py_func"):  # a function compiled by Numba
            return self.stand_in(thing.py_func)
        if isinstance(thing, types.BuiltinFunctionType):
            return MATH_FUNCTIONS.get(thing, thing)
        return self._container(thing)

    def _container(self, thing: Any) -> Any:
        if type(thing) is tuple or (isinstance(thing, tuple) and hasattr(thing, "_fields")):
            parts = [self.stand_in(part) for part in thing]
            if all(map(operator.is_, parts, thing)):
                return thing
            return type(thing)(*parts) if hasattr(thing, "_fields") else tuple(parts)
        if type(thing) is list:
            made: Any = []
            self.known[id(thing)] = (thing, made)
            made.extend(self.stand_in(part) for part in thing)
            return made
        if type(thing).__module__.startswith("scipy.stats.") and hasattr(thing, "logpdf"):
            frozen = hasattr(thing, "dist")
            return self.stand_in(thing.dist)(*thing.args, **thing.kwds) if frozen else Distribution(thing)
        if type(thing) is dict:
            made = {}
            self.known[id(thing)] = (thing, made)
            made.update((name, self.stand_in(part)) for name, part in thing.items())
            return made
        return self._object(thing)

    def _object(self, thing: Any) -> Any:
        """The stand-in of an instance of a Python class: the same attributes, in a class with rebound methods."""
        kind = type(thing)
        stand_in = self.stand_in(kind)
        if stand_in is kind:
            return thing
        try:
            made = object.__new__(stand_in)
        except TypeError:
            return thing
        self.known[id(thing)] = (thing, made)
        made.__dict__.update({name: self.stand_in(part) for name, part in getattr(thing, "__dict__", {}).items()})
        for each in kind.__mro__:
            for name in getattr(each, "__slots__", ()):
                if hasattr(thing, name) and name != "__weakref__":
                    object.__setattr__(made, name, self.stand_in(getattr(thing, name)))
        return made

    def _function(self, function: types.FunctionType) -> Any:
        package = function.__module__.partition(".")[0] if function.__module__ else ""
        if package in LEFT_ALONE or isinstance(function.__globals__, Globals):
            return function
        # A method is not a module function, even if it has the same name.
        alone = "." not in function.__qualname__
        if package in ("numpy", "scipy") and alone and jax_rule(name_of(function)) is not None:
            return Carried(self, function)
        return self._rebound(function)

    def _rebound(self, function: types.FunctionType) -> types.FunctionType:
        """The same code with other globals."""
        own = function.__globals__
        seen = self.globals.setdefault(id(own), Globals(self, own))
        cells = [(types.CellType(), old) for old in function.__closure__ or ()]
        made = types.FunctionType(function.__code__, seen, function.__name__, None, tuple(cell for cell, _ in cells))
        self.known[id(function)] = (function, made)
        made.__defaults__ = self.stand_in(function.__defaults__)
        made.__kwdefaults__ = self.stand_in(function.__kwdefaults__)
        made.__dict__.update(function.__dict__)
        made.__module__ = function.__module__
        made.__qualname__ = function.__qualname__
        for cell, old in cells:
            try:
                inside = old.cell_contents
            except ValueError:  # not yet set
                continue
            # The class in a method's own cell stays, because super() asks for it.
            cell.cell_contents = inside if isinstance(inside, type) else self.stand_in(inside)
        return made

    def _class(self, kind: type) -> Any:
        if kind in CLASSES:
            return CLASSES[kind]
        package = kind.__module__.partition(".")[0]
        arrays = package == "numpy" and not f"{kind.__module__}.{kind.__name__}".startswith(POLYNOMIALS)
        if package in LEFT_ALONE or arrays:
            return kind
        members: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        for each in reversed(kind.__mro__):
            if each.__module__.partition(".")[0] in LEFT_ALONE:
                continue
            for name, member in vars(each).items():
                new = self._member(member)
                if new is not member:
                    members[name] = new
                elif name != "__module__":
                    # A subclass overrides it.
                    members.pop(name, None)
        if len(members) == 2:
            return kind
        members["__stands_for__"] = kind
        try:
            made: type = _like(type(kind))(kind.__name__, (kind,), members)
        except Exception:
            # Enumerations and other classes that cannot be subclassed.
            return kind
        return made

    def _member(self, member: Any) -> Any:
        if isinstance(member, types.FunctionType):
            return self.stand_in(member)
        if isinstance(member, staticmethod | classmethod):
            return type(member)(self.stand_in(member.__func__))
        if isinstance(member, property):
            return property(*(self.stand_in(part) for part in (member.fget, member.fset, member.fdel)))
        if isinstance(member, functools.cached_property):
            return property(self.stand_in(member.func))
        if isinstance(member, np.ndarray | np.vectorize):
            return self.stand_in(member)
        return member

    def _super(self, given: tuple[Any, ...], frame: types.FrameType) -> Any:
        """`super()` whose methods are stand-ins; without arguments it inspects the caller's frame, as Python's does."""
        kind, instance = given or (frame.f_locals["__class__"], frame.f_locals[frame.f_code.co_varnames[0]])
        # A stand-in is above its class, in which the same method would be found again.
        return Above(self, super(vars(kind).get("__stands_for__", kind), instance), instance)

    def _module(self, module: types.ModuleType) -> Any:
        package = module.__name__.partition(".")[0]
        return module if package in LEFT_ALONE else SeenModule(self, module)


@functools.cache
def _like(meta: Any) -> Any:
    """The metaclass of stand-ins for classes: instances of the user's class count as instances of the stand-in."""

    class Like(meta):  # type: ignore[misc]
        def __instancecheck__(cls, thing: Any) -> bool:
            return type.__instancecheck__(cls.__dict__.get("__stands_for__", cls), thing)

        def __subclasscheck__(cls, other: type) -> bool:
            return type.__subclasscheck__(cls.__dict__.get("__stands_for__", cls), other)

    return Like


class Above:
    """The result of `super()`: what the base classes have, as stand-ins."""

    def __init__(self, world: World, own: Any, instance: Any) -> None:
        self._parts = (world, own, instance)

    def __getattribute__(self, name: str) -> Any:
        world, own, instance = object.__getattribute__(self, "_parts")
        found = getattr(own, name)
        if isinstance(found, types.MethodType) and found.__self__ is instance:
            return types.MethodType(world.stand_in(found.__func__), instance)
        return world.stand_in(found)


class SeenModule(types.ModuleType):
    """A module whose members are replaced by their stand-ins."""

    def __init__(self, world: World, module: types.ModuleType) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.__dict__["_seen"] = (world, module)

    def __getattr__(self, name: str) -> Any:
        world, module = self.__dict__["_seen"]
        return world.stand_in(getattr(module, name))


class Carried:
    """A function of NumPy or SciPy, called on traced arrays."""

    def __init__(self, world: World, function: Any) -> None:
        self._world = world
        self._function = function
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        function = self._function
        source = getattr(function, "_implementation", function)
        name = name_of(function)
        if name in CALLING_BACK:
            return self._world._rebound(source)(*inputs, **settings)
        if name == "fromiter":
            return carry(np.array, (list(inputs[0]),), {})
        if name == "frompyfunc":
            return Vectorized(inputs[0])
        if name == "apply_along_axis":
            return _along_axis(*inputs, **settings)
        try:
            return carry(function, inputs, settings)
        except NotCarried:
            # JAX has no such function; try to trace NumPy's own Python source of it.
            if not isinstance(source, types.FunctionType):
                raise
            try:
                return self._world._rebound(source)(*inputs, **settings)
            except Exception:
                pass
            raise

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._function, name)
        return Carried(self._world, found) if callable(found) else found

    def __eq__(self, other: object) -> bool:
        return bool(self._function == other)

    def __hash__(self) -> int:
        return hash(self._function)


class Vectorized:
    """`np.vectorize`: a function called for each element of its arguments."""

    def __init__(
        self, function: Any = None, otypes: Any = None, *_: Any, signature: Any = None, excluded: Any = ()
    ) -> None:
        self.function = function
        self.signature = signature
        self.excluded = excluded or ()

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if self.function is None:  # a decorator with settings
            return Vectorized(inputs[0], signature=self.signature, excluded=self.excluded)
        if self.signature is not None:
            raise NotCarried("np.vectorize with signature=")
        inputs = tuple(part if place in self.excluded else as_traced(part) for place, part in enumerate(inputs))
        shape = np.broadcast_shapes(*(part.shape for place, part in enumerate(inputs) if place not in self.excluded))
        spread = [
            part if place in self.excluded else carry(np.broadcast_to, (part, shape), {}).ravel()
            for place, part in enumerate(inputs)
        ]
        results = [
            self.function(
                *(part if place in self.excluded else part[i] for place, part in enumerate(spread)), **settings
            )
            for i in range(math.prod(shape))
        ]
        if results and isinstance(results[0], tuple):
            return tuple(carry(np.array, (list(column),), {}).reshape(shape) for column in zip(*results, strict=True))
        return carry(np.array, (results,), {}).reshape(shape)


class Joined:
    """`np.r_` and `np.c_`: arrays joined by indexing."""

    def __init__(self, own: Any) -> None:
        self.own = own

    def __getitem__(self, key: Any) -> Any:
        if first(key) is None:
            return standing(self.own[constant(key)])
        parts = key if isinstance(key, tuple) else (key,)
        parts = tuple(self.own[part] if isinstance(part, slice) else part for part in parts)

        def joined(*pieces: Any) -> Any:
            return self.own[pieces]

        return move(joined, parts, {}, None)


class Distribution:
    """A distribution of `scipy.stats`, frozen or not, with the functions of `jax.scipy.stats`."""

    def __init__(self, own: Any, inputs: tuple[Any, ...] = (), settings: Any = None) -> None:
        self.own = own
        self.inputs = inputs
        self.settings = settings or {}

    def __call__(self, *inputs: Any, **settings: Any) -> Distribution:
        return Distribution(self.own, inputs, settings)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.own, name)
        if not callable(found):
            return found

        def of_distribution(*parts: Any, **settings: Any) -> Any:
            return found(*parts, **settings)

        of_distribution.__name__ = name
        of_distribution.__module__ = f"scipy.stats.{self.own.name}"

        def on_traced(*parts: Any, **settings: Any) -> Any:
            return carry(of_distribution, (*parts, *self.inputs), {**self.settings, **settings})

        return on_traced


def _along_axis(func1d: Any, axis: int, arr: Any, *others: Any, **settings: Any) -> Any:
    """`np.apply_along_axis`, with NumPy's argument names."""
    rows = carry(np.moveaxis, (as_traced(arr), axis, -1), {})
    results = [as_traced(func1d(rows[place], *others, **settings)) for place in np.ndindex(rows.shape[:-1])]
    made = carry(np.array, (results,), {}).reshape(rows.shape[:-1] + results[0].shape)
    return carry(np.moveaxis, (made, -1, axis), {}) if results[0].ndim == 1 else made


def _enumerated(array: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    array = as_traced(array)
    return ((place, array[place]) for place in np.ndindex(array.shape))


def _of_numpy(thing: Any) -> bool:
    """Whether an object is a function of NumPy or SciPy that is written in C or dispatches by NumPy's protocol."""
    package = str(getattr(thing, "__module__", None)).partition(".")[0]
    owner = getattr(thing, "__self__", None)
    if isinstance(owner, np.ufunc):
        return True
    return package in ("numpy", "scipy") and isinstance(thing, types.BuiltinFunctionType | type(np.sum))


def _extreme(own: Callable[..., Any], better: np.ufunc, *things: Any, **settings: Any) -> Any:
    """Python's `max` and `min` on traced numbers; of equal ones the first is returned."""
    if len(things) == 1 and not settings:
        things = (list(things[0]),)
    numbers = things[0] if len(things) == 1 else things
    simple = not settings and first(list(numbers)) is not None and all(np.ndim(constant(part)) == 0 for part in numbers)
    if not simple:
        return own(*things, **settings)
    best, *others = numbers
    for other in others:
        best = carry(np.where, (carry(better, (other, best), {}), other, best), {})[()]
    return best


class KindOfType(type):
    """The metaclass of the stand-in for `type`, which gives for a traced array the NumPy type it stands for."""

    def __call__(cls, *parts: Any, **settings: Any) -> Any:
        return parts[0].__class__ if len(parts) == 1 else type(*parts, **settings)

    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, type)


class Type(type, metaclass=KindOfType):
    """The stand-in for `type`."""


class NumberKind(type):
    """The metaclass of the stand-ins for number classes: called on a traced number, they return it as it is."""

    stands_for: type

    def __call__(cls, *inputs: Any, **settings: Any) -> Any:
        if first(inputs) is None:
            return cls.stands_for(*constant(inputs), **settings)
        number = as_traced(inputs[0])
        if cls.stands_for in (complex, np.complex128):
            imaginary = inputs[1] if len(inputs) > 1 else 0
            return number.astype(complex) + 1j * imaginary
        return (number if number.size > 1 else number.reshape(())).astype(cls.stands_for)[()]

    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, cls.stands_for)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return issubclass(kind, cls.stands_for)

    def __eq__(cls, other: object) -> bool:
        # A dtype decides itself whether it equals this class.
        return cls.stands_for is getattr(other, "stands_for", other) if isinstance(other, type) else NotImplemented

    def __hash__(cls) -> int:
        return hash(cls.stands_for)


def _number_class(kind: Any) -> Any:
    """A stand-in for a number class such as `float`, which can also be used as a dtype."""
    return NumberKind(kind.__name__, (kind,), {"stands_for": kind, "dtype": np.dtype(kind)})


Float = _number_class(float)
Complex = _number_class(complex)
CLASSES: dict[type, Any] = {
    float: Float,
    complex: Complex,
    np.float64: _number_class(np.float64),
    np.complex128: _number_class(np.complex128),
    np.vectorize: Vectorized,
    np.ndenumerate: _enumerated,
}


# Functions of `math` and `cmath` that have another name in NumPy, or no counterpart.
MATH: dict[str, Callable[..., Any]] = {
    "fsum": lambda parts: carry(np.sum, (list(parts),), {}),
    "sumprod": lambda a, b: carry(np.dot, (as_traced(a), as_traced(b)), {}),
    "prod": lambda parts, start=1: carry(np.prod, (list(parts),), {}) * start,
    "dist": lambda a, b: carry(np.linalg.norm, (as_traced(a) - as_traced(b),), {}),
    "hypot": lambda *parts: carry(np.linalg.norm, (as_traced(list(parts)),), {}),
    "log": lambda x, base=None: _called(np.log, x) if base is None else _called(np.log, x) / _called(np.log, base),
    "isclose": lambda a, b, rel_tol=1e-9, abs_tol=0.0: (
        abs(a - b) <= carry(np.maximum, (rel_tol * carry(np.maximum, (abs(a), abs(b)), {}), abs_tol), {})
    ),
    "polar": lambda z: (abs(z), _called(np.angle, z)),
    "phase": lambda z: _called(np.angle, z),
    "rect": lambda r, phi: r * _called(np.exp, 1j * phi),
}
IN_NUMPY = {"pow": "power", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}  # fmt: skip
IN_SCIPY = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}
# Functions that need an integer, to which a traced number converts itself.
WHOLE = ("floor", "ceil", "trunc", "comb", "perm", "factorial", "gcd", "lcm", "isqrt")


def _called(ufunc: Any, *inputs: Any) -> Any:
    return carry(ufunc, inputs, {})


def _math_function(own: Any) -> Any:
    """A function of `math` or `cmath` that accepts traced numbers."""
    name = own.__name__
    if name in WHOLE:
        return own

    @functools.wraps(own)
    def on_traced(*inputs: Any, **settings: Any) -> Any:
        inputs = tuple(list(part) if isinstance(part, Iterator) else part for part in inputs)
        if first(inputs) is None:
            return own(*constant(inputs), **settings)
        if name in MATH:
            return MATH[name](*inputs, **settings)
        if name in IN_SCIPY:
            rule = jax_rule(f"scipy.special.{IN_SCIPY[name]}")
            assert rule is not None
            return paired(own(*constant(inputs)), rule(*followed(inputs)), first(inputs).buffer.trace)
        function = getattr(np, IN_NUMPY.get(name, name), None)
        if function is None:
            raise NotCarried(f"{own.__module__}.{name}")
        return carry(function, tuple(map(as_traced, inputs)), {})

    return on_traced


MATH_FUNCTIONS: dict[Any, Any] = {
    member: _math_function(member)
    for module in (math, cmath)
    for member in vars(module).values()
    if isinstance(member, types.BuiltinFunctionType)
}
