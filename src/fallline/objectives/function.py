"""A Python function as an objective."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Verbatim, listed, shortened
from fallline.objectives.base import Objective

# What Python and NumPy say of a number that stands where an array should.
FOR_AN_ARRAY = re.compile(
    r"for @|matmul|float(64)?' (object )?(is not (subscriptable|iterable)|has no len|does not support item)|"
    r"non-iterable (numpy\.)?float|scalar variable|enough dimensions|dimension 0|(0|zero)-?(d\b|dim)|einstein sum"
)


class FunctionObjective(Objective):
    """A function `f(x)` of one vector, or `f(x, y, ...)` of one number for each coordinate.

    The function is called once for each point, so that a point's value never depends on its neighbours.

    Arguments:
        function: the Python function; it returns one number.
        names: the coordinates' names.
        vector: whether the function takes one vector instead of a number for each coordinate.
    """

    def __init__(self, function: Callable[..., Any], names: tuple[str, ...], *, vector: bool) -> None:
        self.function = function
        self.names = names
        self.vector = vector

    @classmethod
    def of(cls, function: Callable[..., Any], dimension: int | None) -> FunctionObjective:
        """Make the objective, with the way the function takes its coordinates read from its signature.

        Arguments:
            function: `f(x)` or `f(x, y, ...)`.
            dimension: the number of coordinates, which for `f(x)` is known only from the start; None for a
                start that is a single number.

        Raises:
            FalllineError: when the function takes no argument, or needs one by its name.
        """
        check_keywords(function, "objective")
        parameters = positional_parameters(function)
        if not parameters:
            raise FalllineError(
                "objective",
                Verbatim(title_of(function)),
                "it must take a vector, f(x), or numbers, f(x, y, ...)",
                problem="which names no arguments that must be given",
            )
        if len(parameters) > 1 or dimension is None:
            return cls(function, tuple(parameters), vector=False)
        names = tuple(f"{parameters[0]}{i}" for i in range(dimension)) if dimension > 1 else tuple(parameters)
        return cls(function, names, vector=True)

    @property
    def title(self) -> str:
        return title_of(self.function)

    def value(self, x: FloatArray) -> FloatArray:
        points = x.reshape(-1, self.dimension)
        values = np.array([self.number(called(self.function, point, vector=self.vector)) for point in points])
        if np.iscomplexobj(values) and not np.iscomplexobj(x):
            # A real point with a complex value, such as a root of a negative number, is outside the domain.
            values = np.where(values.imag == 0, values.real, np.nan)
        return values.reshape(x.shape[:-1])

    def raise_errors_at(self, x: FloatArray) -> None:
        for point in x.reshape(-1, self.dimension):
            self._check_real(called(self.function, point, vector=self.vector, or_nan=False), point)

    def check_real(self, x: FloatArray) -> None:
        """Refuse the function where its value at one of these points is a complex number."""
        for point in x.reshape(-1, self.dimension):
            self._check_real(called(self.function, point, vector=self.vector), point)

    def _check_real(self, result: Any, point: FloatArray) -> None:
        number = self.number(result)
        if isinstance(number, complex) and number.imag != 0 and not np.iscomplexobj(point):
            raise FalllineError(
                problem=f"objective {self.title} returned {number:.6g}, a complex number, "
                f"at {shortened(point.tolist())}",
                allowed="it must return a real one, such as its .real or abs(...)",
            )

    def number(self, result: Any) -> float | complex:
        """What the function returned, as a number.

        Raises:
            FalllineError: when it is not one number, saying what it is.
        """
        if isinstance(result, float):
            return result
        if isinstance(result, int):
            # Python's integers may exceed the largest float.
            return float(result) if abs(result) < 2**1023 else np.copysign(np.inf, result > 0 or -1)
        try:
            # Some of PyTorch's tensors, such as those that record a gradient, do not convert to arrays.
            number = np.asarray(result.tolist() if hasattr(result, "detach") else result)
        except ValueError:  # a ragged list
            number = np.empty(0)
        if number.size != 1 or number.dtype.kind not in "fiubc":
            raise FalllineError(
                problem=f"objective {self.title} returned {described(result)}",
                allowed="it must return one number for a point",
            )
        return complex(number.item()) if number.dtype.kind == "c" else float(number.item())


def described(result: Any) -> str:
    """What a function returned in place of a number.

    >>> described(np.zeros(3)), described((1.0, [2.0]))
    ('an array of shape (3,)', 'a tuple of length 2')
    """
    if result is None:
        return "None, as a function without a return statement does"
    if isinstance(shape := getattr(result, "shape", None), tuple) and shape:
        return f"an array of shape {tuple(shape)}"
    if isinstance(result, tuple):
        return f"a tuple of length {len(result)}"
    return shortened(result)


def called(function: Callable[..., Any], point: FloatArray, *, vector: bool, or_nan: bool = True) -> Any:
    """What a user's function returns for a point.

    Arguments:
        or_nan: give NaN where plain Python raises and NumPy would give inf or NaN (`math.exp(1000)`, `math.log(-1)`,
            `1 / 0`), so that a line search, a difference quotient or a picture may reach beyond the function's
            domain. A run that ends there raises the error after all: see `Objective.raise_errors_at`.

    Raises:
        FalllineError: when the function takes one of several numbers for an array.
        Exception: whatever else the function raises, with a note of the point.
    """
    try:
        # A copy, because the function may change its argument in place.
        return function(point.copy()) if vector else function(*point)
    except Exception as error:
        if or_nan and _is_beyond_numbers(error):
            return np.nan
        names = positional_parameters(function)
        if not vector and len(names) > 1 and isinstance(error, TypeError | ValueError | IndexError):
            told = " ".join(str(error).split())
            if FOR_AN_ARRAY.search(told):
                raise FalllineError(
                    problem=f"{title_of(function)} was given one number for each of {listed(names)}, and failed: "
                    f"{told}",
                    allowed=binding(function, names),
                ) from error
        error.add_note(f"{title_of(function)} was called at {shortened(point.tolist())}")
        raise


def binding(function: Callable[..., Any], names: Sequence[str]) -> str:
    """How data among the arguments of a function is bound, so that they are no coordinates.

    >>> binding(lambda w, X, y: 0, ["w", "X", "y"])
    'if all but w are data, bind them: functools.partial(f, X=X, y=y)'
    """
    return f"if all but {names[0]} are data, bind them: {_partial(function, {name: name for name in names[1:]})}"


def _partial(function: Callable[..., Any], bound: Mapping[str, str]) -> str:
    title = title_of(function)
    data = ", ".join(f"{name}={value}" for name, value in bound.items())
    return f"functools.partial({title if title.isidentifier() else 'f'}, {data})"


def check_keywords(function: Callable[..., Any], parameter: str) -> None:
    """Refuse a function that must be given an argument by its name, which no coordinate is."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is inspect.Parameter.empty]
    if names:
        raise FalllineError(
            parameter,
            Verbatim(title_of(function)),
            f"bind {'it' if len(names) == 1 else 'them'}: {_partial(function, dict.fromkeys(names, '...'))}",
            problem=f"which must be given {listed(names)} by name",
        )


def _is_beyond_numbers(error: Exception) -> bool:
    """Whether this is an error that plain Python raises where NumPy gives inf or NaN."""
    # The texts of `math` for arguments outside a domain, before Python 3.14 and since.
    outside = isinstance(error, ValueError) and str(error).startswith(("math domain error", "expected a "))
    return outside or isinstance(error, ArithmeticError)


def positional_parameters(function: Callable[..., Any]) -> list[str]:
    """The names of the required positional parameters."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        # Functions written in C may have no signature; nearly all take one array.
        return ["x"]
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in by_place and p.default is inspect.Parameter.empty]


def title_of(function: Callable[..., Any]) -> str:
    """The name of a function in tables and pictures."""
    if isinstance(function, functools.partial):
        return title_of(function.func)
    name = getattr(function, "__name__", type(function).__name__)
    return "a function" if name == "<lambda>" else str(name)
