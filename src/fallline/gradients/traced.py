"""Traced arrays: a NumPy array together with the JAX array of the same values, so that JAX can differentiate.

A NumPy function is *carried* to JAX when it runs on a traced array: NumPy computes the values at the point, JAX the
traced ones.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from fallline.errors import FalllineError
from fallline.gradients.carrying import (
    COUNTING,
    IN_PLACE,
    MOVES,
    NONZERO,
    SHAPES,
    TYPED,
    advice,
    jax_rule,
    name_of,
    spelled,
)
from fallline.gradients.places import users_line


class NotCarried(FalllineError):
    """A call that JAX cannot follow; the text names it, the line of the user's file, and what to write instead.

    Arguments:
        call: the name of the function of NumPy or SciPy, or a description of the operation.
        reason: a detail, in brackets.
        place: the user's file and line; None: taken from the current stack.

    Attributes:
        call: the call with its place: "np.unique in model.py:12".
    """

    def __init__(self, call: str, reason: str = "", place: str | None = None) -> None:
        call = spelled(call)
        place = users_line() if place is None else place
        self.call = f"{call} in {place}" if place else call
        super().__init__(
            "gradient", "autodiff", advice(call), problem=f"but {self.call} cannot be carried to JAX{reason}"
        )


class Trace:
    """One run of a function at one point, recorded by JAX.

    Where the function needs a concrete value (`if x[0] > 0`, `range(int(x[1]))`), it gets the value at that point. The
    recording is then valid at every point where these values are the same.

    Attributes:
        decided: pairs of a value as JAX computes it and the concrete value that was used.
    """

    def __init__(self) -> None:
        self.decided: list[tuple[Any, Any]] = []

    def holds(self) -> Any:
        """Whether every concrete value that was used is the same at the point JAX evaluates: a JAX boolean."""
        from jax import numpy as jnp

        holds = jnp.asarray(True)
        for traced, given in self.decided:
            same = (traced == given) | ((traced != traced) & (given != given))
            holds = holds & jnp.all(same)
        return holds


class Buffer:
    """The memory that an array and its views share.

    Attributes:
        root: the values at the point of the trace, contiguous.
        value: the same as a JAX array; None as long as they do not depend on x.
        trace: the run they belong to; None as long as they do not depend on x.
    """

    __slots__ = ("pieces", "root", "trace", "value")

    def __init__(self, root: Any, value: Any = None, trace: Trace | None = None) -> None:
        self.root = root
        self.value = value
        self.trace = trace
        self.pieces: tuple[Any, list[Any]] = (None, [])

    def read(self, index: Any) -> Any:
        """The traced values at these flat indices, in the shape of `index`; 0 where an index is -1."""
        from jax import lax
        from jax import numpy as jnp

        if index.size == 0:
            return jnp.zeros(index.shape)
        if index.size == 1 and index.min() >= 0 and 1 < self.value.size <= 4096:
            return self._single(index.item()).reshape(index.shape)
        # With the axes in memory order most views are one slice.
        order = sorted(range(index.ndim), key=lambda axis: -abs(index.strides[axis]))
        lined = index.transpose(order)
        flat = lined.ravel()
        step = int(flat[1] - flat[0]) if flat.size > 1 else 1
        if step > 0 and flat[0] >= 0 and (np.diff(flat) == step).all():
            part = lax.slice(self.value.ravel(), (int(flat[0]),), (int(flat[-1]) + 1,), (step,))
            return part.reshape(lined.shape).transpose(np.argsort(order))
        part = self.value.ravel().at[np.maximum(index, 0)].get(mode="promise_in_bounds")
        return part if index.min() >= 0 else jnp.where(index < 0, 0, part)

    def _single(self, position: int) -> Any:
        """One element. A loop over all of them would record n slices, so the buffer is then unpacked once."""
        from jax import lax

        of, parts = self.pieces
        if of is not self.value:
            parts = []
            self.pieces = (self.value, parts)
        flat = self.value.ravel()
        if len(parts) < 4:
            parts.append(None)
            return lax.slice(flat, (position,), (position + 1,))
        if len(parts) == 4:
            parts[:] = [None] * 5 + lax.split(flat, (1,) * flat.size)
        return parts[5 + position]

    def write(self, index: Any, new: Any) -> None:
        """Write traced values at flat indices; everywhere if index is None."""
        from jax import lax
        from jax import numpy as jnp

        if index is None:
            self.value = jnp.broadcast_to(new, self.root.shape)
            return
        flat = self.value.ravel()
        places, new = index.ravel(), jnp.broadcast_to(new, index.shape).ravel()
        if places.size == 0:
            return
        if (np.diff(places) == 1).all():
            flat = lax.dynamic_update_slice(flat, new, (int(places[0]),))
        else:
            # If an index occurs twice, the last value stays, as in NumPy.
            last = len(places) - 1 - np.unique(places[::-1], return_index=True)[1]
            flat = flat.at[places[last]].set(new[last], mode="promise_in_bounds")
        self.value = flat.reshape(self.root.shape)


def _number_method(function: Callable[[Any], Any], call: str) -> Callable[[TracedArray], Any]:
    """A conversion to a Python number, which cannot carry a derivative."""

    def convert(self: TracedArray) -> Any:
        if self.depends:
            raise NotCarried(call)
        return function(self.concrete)

    return convert


def _whole_method(function: Callable[[Any], int]) -> Callable[..., int]:
    """A conversion to an integer: it is piecewise constant, so it only decides the path."""

    def convert(self: TracedArray) -> int:
        whole = function(self.concrete)
        if self.depends:
            carry(np.trunc, (self,), {}).decide()
        return whole

    return convert


class TracedArray(NDArrayOperatorsMixin):
    """Stands for a NumPy array or scalar whose elements may depend on x.

    NumPy computes the values at the point (`concrete`), JAX the traced ones (`value`). NumPy's functions and operators
    dispatch here by its protocols (NEP 13 and 18). Views share memory, as in NumPy: an array is a buffer and the flat
    position of each element in it.

    Arguments:
        concrete: the values at the point: an array or a NumPy scalar.
        buffer: the memory it shares with its views.
        index: the flat position of each element in the buffer; None: the whole buffer.
    """

    __slots__ = ("buffer", "cached", "concrete", "places")

    def __init__(self, concrete: Any, buffer: Buffer, index: Any = None) -> None:
        self.concrete = concrete
        self.buffer = buffer
        self.places = index
        self.cached: tuple[Any, Any] = (None, None)

    @property
    def __class__(self) -> Any:
        # So that isinstance(x, np.ndarray) and isinstance(x[0], float) give the same as without tracing.
        return type(self.concrete)

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError("the class of an array cannot be set")

    @property
    def depends(self) -> bool:
        """Whether the elements depend on x."""
        return self.buffer.value is not None

    @property
    def index(self) -> Any:
        """The flat position of each element in the buffer."""
        if self.places is None:
            self.places = np.arange(self.buffer.root.size).reshape(self.buffer.root.shape)
        return self.places

    @property
    def value(self) -> Any:
        """The elements as a JAX array."""
        if not self.depends:
            # A copy, because JAX keeps it and the user's code may change the array later.
            return np.array(self.concrete)
        of, value = self.cached
        if of is not self.buffer.value:
            whole = self.places is None
            value = self.buffer.value if whole else self.buffer.read(self.places)
            # A NumPy scalar has shape (), the buffer may have another.
            value = value.reshape(np.shape(self.concrete))
            self.cached = (self.buffer.value, value)
        return value

    def decide(self) -> None:
        """Record that the concrete values were used: the trace is valid only where they are the same."""
        if self.buffer.trace is not None:
            self.buffer.trace.decided.append((self.value, np.array(self.concrete)))

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        return carry(ufunc if method == "__call__" else getattr(ufunc, method), inputs, settings)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Any, settings: Any) -> Any:
        return carry(function, inputs, settings)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.depends:
            raise NotCarried("a conversion to a plain array")
        return np.array(self.concrete, dtype=dtype)

    # Python's protocols.

    __hash__ = None  # type: ignore[assignment]
    __float__ = _number_method(float, "float(...)")
    __complex__ = _number_method(complex, "complex(...)")
    __int__ = _whole_method(int)
    __trunc__ = _whole_method(int)
    __index__ = _whole_method(operator.index)

    def __floor__(self) -> int:
        return int(carry(np.floor, (self,), {}))

    def __ceil__(self) -> int:
        return int(carry(np.ceil, (self,), {}))

    def __round__(self, digits: int | None = None) -> Any:
        rounded = carry(np.round, (self, digits or 0), {})
        return int(rounded) if digits is None else rounded

    def __bool__(self) -> bool:
        answer = bool(self.concrete)
        if self.depends:
            carry(np.not_equal, (self, 0), {}).decide()
        return answer

    def __len__(self) -> int:
        return len(self.concrete)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self.concrete)))

    def __contains__(self, item: Any) -> bool:
        return bool(carry(np.any, (self == item,), {}))

    def __repr__(self) -> str:
        return repr(self.concrete)

    def __str__(self) -> str:
        return str(self.concrete)

    def __format__(self, style: str) -> str:
        return format(self.concrete, style)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        raise NotCarried("pickle")

    # Indexing.

    def __getitem__(self, key: Any) -> Any:
        key_depends = any(part.depends for part in leaves(key))
        whole_numbers = key_depends and all(part.concrete.dtype.kind in "iu" for part in leaves(key) if part.depends)
        at = constant(key)
        if whole_numbers and not self.depends:
            self._follow(first(key).buffer.trace)
        if whole_numbers:
            return paired(self.concrete[at], self.value[followed(key)], self.buffer.trace)
        if key_depends:
            decided(key)
        return self._at(self.concrete[at], self.index[at])

    def __setitem__(self, key: Any, new: Any) -> None:
        at = constant(key)
        new = as_traced(new)
        mask = key if type(key) is TracedArray and key.depends and key.concrete.dtype == bool else None
        if first((self, key, new)) is None:
            self.concrete[at] = new.concrete
            return
        self._follow(first((self, key, new)).buffer.trace)
        if mask is not None and new.concrete.size == 1 and mask.shape == self.shape:
            from jax import numpy as jnp

            selected = jnp.where(mask.value, new.value.astype(self.dtype).reshape(()), self.value)
            self.buffer.write(self.places, selected)
        else:
            decided(key)
            target = self.index[at]
            shape = np.shape(target)
            moved = new.value.reshape(new.shape[max(0, new.ndim - len(shape)) :])
            if self.dtype.kind != "c" and new.dtype.kind == "c":
                moved = moved.real
            self.buffer.write(np.asarray(target), moved.astype(self.dtype))
        self.concrete[at] = new.concrete

    def _follow(self, trace: Trace | None) -> None:
        """Trace the elements from here on, because some will depend on x."""
        if not self.depends:
            from jax import numpy as jnp

            self.buffer.value, self.buffer.trace = jnp.asarray(np.array(self.buffer.root)), trace

    def _at(self, concrete: Any, index: Any) -> Any:
        """The elements at these positions of the buffer: a view if NumPy made one."""
        if isinstance(concrete, np.ndarray) and np.may_share_memory(concrete, self.buffer.root):
            return TracedArray(concrete, self.buffer, index)
        if not self.depends:
            return concrete if isinstance(concrete, np.generic) else array_of(concrete)
        return paired(concrete, self.buffer.read(np.asarray(index)), self.buffer.trace)

    # Attributes and methods.

    @property
    def shape(self) -> Any:
        return self.concrete.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self.concrete.shape = shape
        self.places = self.index.reshape(shape)
        self.cached = (None, None)

    @property
    def ndim(self) -> int:
        return int(self.concrete.ndim)

    @property
    def size(self) -> int:
        return int(self.concrete.size)

    @property
    def dtype(self) -> Any:
        return self.concrete.dtype

    @property
    def T(self) -> Any:
        return self._at(self.concrete.T, self.index.T)

    @property
    def mT(self) -> Any:
        return self._at(self.concrete.mT, self.index.mT)

    @property
    def flat(self) -> Any:
        return Flat(self)

    @flat.setter
    def flat(self, new: Any) -> None:
        self.flat[:] = new

    @property
    def real(self) -> Any:
        return carry(np.real, (self,), {}) if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        return carry(np.imag, (self,), {})

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        concrete = self.concrete.astype(dtype)
        if not self.depends:
            return array_of(concrete)
        return paired(concrete, self.value, self.buffer.trace)

    def item(self, *position: Any) -> Any:
        concrete = self.concrete.item(*position)
        index = np.array(self.index.item(*position))
        return (
            paired(np.asarray(concrete)[()], self.buffer.read(index), self.buffer.trace) if self.depends else concrete
        )

    def tolist(self) -> Any:
        if not self.depends:
            return self.concrete.tolist()
        return [part.tolist() for part in self] if self.ndim else self

    def fill(self, new: Any) -> None:
        self[...] = new

    def sort(self, axis: int = -1, **settings: Any) -> None:
        self[...] = carry(np.sort, (self, axis), settings)

    def clip(self, min: Any = None, max: Any = None, **settings: Any) -> Any:
        return carry(np.clip, (self, min, max), settings)

    def dot(self, other: Any) -> Any:
        return carry(np.dot, (self, other), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.concrete, name)
        if not callable(found):
            return found
        if name in METHODS:

            def moved(*parts: Any, **settings: Any) -> Any:
                parts = decided(parts)
                concrete = found(*parts, **settings)
                return self._at(concrete, getattr(self.index, name)(*parts, **settings))

            return moved
        function = getattr(np, name, None)
        if function is None:
            if not self.depends:
                return found
            raise NotCarried(f".{name}")
        if name in ("put", "partition"):
            raise NotCarried(f".{name}")
        return functools.partial(_called, function, self)


def _called(function: Callable[..., Any], array: TracedArray, *parts: Any, **settings: Any) -> Any:
    return carry(function, (array, *parts), settings)


# Methods that only move elements.
METHODS = ("reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "diagonal", "repeat", "take", "copy",
           "compress", "view")  # fmt: skip


class Flat:
    """`x.flat`: the elements of an array in C order, for reading and writing."""

    def __init__(self, array: TracedArray) -> None:
        self.array = array

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])

    def __len__(self) -> int:
        return self.array.size

    def __getitem__(self, key: Any) -> Any:
        return self.array.ravel()[key]

    def __setitem__(self, key: Any, new: Any) -> None:
        places = np.unravel_index(np.arange(self.array.size)[key], self.array.shape)
        self.array[places] = new


def array_of(concrete: Any) -> TracedArray:
    """Values that do not depend on x as a traced array, so that traced values can be written into it."""
    root = np.ascontiguousarray(concrete).reshape(np.shape(concrete))
    return TracedArray(root, Buffer(root))


def root_of(concrete: Any, value: Any, trace: Trace) -> TracedArray:
    """Values that depend on x as a traced array with a new buffer."""
    if not isinstance(concrete, np.generic):
        concrete = np.ascontiguousarray(concrete).reshape(np.shape(concrete))
    return TracedArray(concrete, Buffer(np.asarray(concrete), value, trace))


def leaves(thing: Any) -> list[TracedArray]:
    """The traced arrays in nested lists and tuples."""
    if type(thing) is TracedArray:
        return [thing]
    if isinstance(thing, list | tuple):
        return [leaf for part in thing for leaf in leaves(part)]
    if isinstance(thing, slice):
        return leaves((thing.start, thing.stop, thing.step))
    if isinstance(thing, dict):
        return leaves(list(thing.values()))
    return []


def first(thing: Any) -> Any:
    """The first array in nested lists and tuples that depends on x, or None."""
    return next((leaf for leaf in leaves(thing) if leaf.depends), None)


def mapped(function: Callable[[Any], Any], thing: Any) -> Any:
    """The same nested lists and tuples with `function` applied to every leaf."""
    if type(thing) is not TracedArray and isinstance(thing, list | tuple):
        parts = [mapped(function, part) for part in thing]
        if hasattr(thing, "_fields"):
            return type(thing)(*parts)
        return type(thing)(parts)
    return function(thing)


def constant(thing: Any) -> Any:
    """The nested argument with each traced array replaced by its concrete values."""

    def leaf(part: Any) -> Any:
        if type(part) is slice:
            return slice(*map(constant, (part.start, part.stop, part.step)))
        return part.concrete if type(part) is TracedArray else part

    return mapped(leaf, thing)


def followed(thing: Any) -> Any:
    """The nested argument with each traced array replaced by its JAX array."""

    def leaf(part: Any) -> Any:
        if type(part) is TracedArray:
            return part.value
        return part.copy() if type(part) is np.ndarray else getattr(part, "stands_for", part)

    return mapped(leaf, thing)


def decided(thing: Any, call: str = "an index") -> Any:
    """The concrete integers and booleans at the point; the trace is valid only where they are the same.

    Raises:
        NotCarried: for floats that depend on x; their derivative would be lost.
    """
    for leaf in leaves(thing):
        if leaf.depends and leaf.dtype.kind not in "biu":
            raise NotCarried(call)
        leaf.decide()
    return constant(thing)


def paired(concrete: Any, value: Any, trace: Any) -> Any:
    """NumPy's result and JAX's as one traced array; or, if they are tuples or lists of arrays, as such a nest."""
    if isinstance(concrete, list | tuple):
        parts = map(functools.partial(paired, trace=trace), concrete, value)
        return type(concrete)(*parts) if hasattr(concrete, "_fields") else type(concrete)(parts)
    if isinstance(concrete, bool | str) or concrete is None:
        return concrete
    from jax import numpy as jnp

    concrete = np.asarray(concrete)[()] if not isinstance(concrete, np.ndarray) else concrete
    value = jnp.asarray(value)
    if value.dtype.kind == "c" and concrete.dtype.kind != "c":
        value = value.real
    if value.dtype != concrete.dtype:
        value = value.astype(concrete.dtype)
    if value.shape != concrete.shape:
        if concrete.size == 0:
            # Such as the residuals of np.linalg.lstsq, which NumPy returns empty where there are none.
            value = jnp.zeros(concrete.shape, concrete.dtype)
        if value.size != concrete.size:
            raise NotCarried("a call", f" (JAX gives the shape {value.shape} for {concrete.shape})")
        value = value.reshape(concrete.shape)
    return root_of(concrete, value, trace)


def as_traced(thing: Any) -> TracedArray:
    """A number, an array or nested lists as one traced array."""
    if type(thing) is TracedArray:
        return thing
    if leaves(thing):
        made = carry(np.array, (thing,), {})
        assert type(made) is TracedArray
        return made
    return array_of(np.asarray(thing))


def carry(function: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """Call a function of NumPy or SciPy on traced arrays.

    Raises:
        NotCarried: when JAX has no counterpart.
    """
    settings = dict(settings)
    name = name_of(function)
    if name in IN_PLACE:
        return move_in_place(function, inputs, settings, IN_PLACE[name])
    if name.endswith(".at"):
        return _at(function, name, *inputs)
    out = settings.pop("out", None)
    if isinstance(function, np.ufunc) and len(inputs) > function.nin:
        inputs, out = inputs[: function.nin], inputs[function.nin]
    if out is not None:
        return _carry_into(out[0] if isinstance(out, tuple) else out, function, inputs, settings)
    dependent = first((inputs, settings))
    arguments, keywords = constant(inputs), {key: constant(part) for key, part in settings.items()}
    if dependent is None:
        return standing(function(*arguments, **keywords))
    trace = dependent.buffer.trace
    if name in NONZERO and (name != "where" or len(inputs) == 1):
        carry(np.not_equal, (inputs[0], 0), {}).decide()
        return standing(function(*arguments, **keywords))
    if name in COUNTING:
        decided(inputs, name)
    if name in COUNTING or name in SHAPES:
        return standing(function(*arguments, **keywords))
    if name in MOVES:
        return move(function, inputs, settings, MOVES[name])
    rule = jax_rule(name)
    if rule is None:
        raise NotCarried(name)
    concrete = function(*arguments, **keywords)
    return paired(concrete, _by_rule(rule, function, inputs, settings), trace)


def _by_rule(
    rule: Callable[..., Any], function: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]
) -> Any:
    """The result of the JAX function on the traced values."""
    name = name_of(function)
    named = {key: followed(part) for key, part in settings.items() if key not in ("dtype", "casting", "order", "subok")}
    if isinstance(function, np.ufunc) and named.pop("where", True) is not True:
        raise NotCarried(f"{name} with where= and no out=")
    try:
        return rule(*followed(inputs), **named)
    except Exception:
        # jax.numpy does not take lists where NumPy does.
        try:
            named = {key: _listless(settings[key]) for key in named}
            return rule(*(_listless(part) for part in inputs), **named)
        except Exception as error:
            raise NotCarried(name, f" ({' '.join(str(error).split())[:100]})") from error


def _carry_into(target: Any, function: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """`carry` with `out=target`."""
    where = settings.pop("where", True) if isinstance(function, np.ufunc) else True
    result = carry(function, inputs, settings)
    if type(target) is not TracedArray:
        if first(result) is not None:
            raise NotCarried(f"{name_of(function)} into a plain array")
        target[...] = constant(result)
        return target
    if isinstance(target.concrete, np.generic):
        return result
    if not np.can_cast(constant(result).dtype, target.dtype, "same_kind"):
        raise TypeError(f"Cannot cast output of {name_of(function)} from {constant(result).dtype} to {target.dtype}")
    target[...] = result if where is True else carry(np.where, (where, result, target), {})
    return target


def _listless(part: Any) -> Any:
    return as_traced(part).value if isinstance(part, list | tuple) else followed(part)


def standing(result: Any) -> Any:
    """The result with plain numeric arrays made traced, so that values that depend on x can be written into them."""

    def leaf(part: Any) -> Any:
        return array_of(part) if type(part) is np.ndarray and part.dtype.kind in "biufc" else part

    return mapped(leaf, result) if type(result) in (list, tuple, np.ndarray) else result


def _positions(things: tuple[Any, ...], data: tuple[int, ...] | None) -> tuple[list[TracedArray], list[Any]]:
    """The arrays among the arguments whose elements are moved, and the arguments with positions in place of elements.

    A position is 1 plus the flat index into all these arrays concatenated; so 0 means "none of them".
    """
    arrays: list[TracedArray] = []
    offset = 0

    def leaf(part: Any) -> Any:
        nonlocal offset
        if isinstance(part, str) or part is None:
            return part
        array = part if type(part) is TracedArray else array_of(np.asarray(part))
        arrays.append(array)
        positions = array.index + (offset + 1)
        offset += array.buffer.root.size
        return positions[()] if np.ndim(array.concrete) == 0 else positions

    chosen = [
        mapped(leaf, thing) if data is None or place in data else decided(thing) for place, thing in enumerate(things)
    ]
    return arrays, chosen


def _joined(arrays: list[TracedArray]) -> Buffer:
    """One buffer with the elements of all the arrays, concatenated."""
    from jax import numpy as jnp

    kind = np.result_type(*(array.dtype for array in arrays))
    parts = [
        (array.buffer.value if array.depends else jnp.asarray(np.array(array.buffer.root))).astype(kind).ravel()
        for array in arrays
    ]
    trace = next(array.buffer.trace for array in arrays if array.depends)
    joined = jnp.concatenate(parts)
    return Buffer(np.empty(joined.shape, bool), joined, trace)


def move(
    function: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any], data: tuple[int, ...] | None
) -> Any:
    """Call a function that only moves elements: running it on their positions too shows where each one went."""
    concrete = function(*constant(inputs), **{key: constant(part) for key, part in settings.items()})
    arrays, chosen = _positions(inputs, data)
    if function.__name__ in TYPED:
        chosen = chosen[:1]
    keywords = {key: decided(part) for key, part in settings.items() if key not in ("dtype", "like")}
    if first(arrays) is None:
        # Only the places depend on x.
        return standing(concrete)
    moved = function(*chosen, **keywords)
    buffer: Buffer | None = None

    def result(one: Any, positions: Any) -> Any:
        nonlocal buffer
        if type(one) in (list, tuple):
            return type(one)(map(result, one, positions))
        if len(arrays) == 1:
            return arrays[0]._at(one, np.asarray(positions) - 1)
        buffer = buffer or _joined(arrays)
        return paired(one, buffer.read(np.asarray(positions) - 1), buffer.trace)

    return result(concrete, moved)


def move_in_place(
    function: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any], data: tuple[int, ...]
) -> None:
    """`move` for a function that moves elements into its first argument, in place."""
    target = inputs[0]
    keywords = {key: decided(part) for key, part in settings.items()}
    arrays, chosen = _positions(inputs, data)
    if first(arrays) is None:
        function(*constant(inputs), **keywords)
        return
    if type(target) is not TracedArray:
        raise NotCarried(f"{name_of(function)} into a plain array")
    chosen[0] = np.array(chosen[0])
    function(*chosen, **keywords)
    buffer = _joined([target, *arrays[1:]])
    moved = buffer.read(chosen[0] - 1)
    concrete = np.array(target.concrete)
    function(concrete, *constant(inputs[1:]), **keywords)
    target[...] = paired(concrete, moved, buffer.trace)


def _at(function: Callable[..., Any], name: str, target: Any, key: Any, *others: Any) -> None:
    """`ufunc.at`: an operation at indices that may repeat."""
    if first((target, others)) is None:
        function(*constant((target, decided(key), *others)))
        return
    if type(target) is not TracedArray:
        raise NotCarried(f"{name} into a plain array")
    # JAX does not differentiate the others.
    method = {"add": "add", "subtract": "subtract", "maximum": "max", "minimum": "min"}.get(name.removesuffix(".at"))
    if method is None:
        raise NotCarried(name)
    target._follow(first((target, others)).buffer.trace)
    places = np.asarray(decided(key)) if isinstance(key, list) else decided(key)
    new = getattr(target.value.at[places], method)(*(followed(as_traced(part)) for part in others))
    concrete = np.array(target.concrete)
    function(concrete, constant(key), *constant(others))
    target[...] = paired(concrete, new, target.buffer.trace)
