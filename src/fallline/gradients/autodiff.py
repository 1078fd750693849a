"""The exact gradient of a Python function written in plain NumPy: run on traced arrays, differentiated by JAX."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.gradients.places import blamed, defined_at
from fallline.gradients.rebinding import World
from fallline.gradients.side_by_side import at_each
from fallline.gradients.subgradients import evaluated, kink_at, with_subgradients
from fallline.gradients.traced import NotCarried, Trace, TracedArray, as_traced, root_of
from fallline.libraries import jax_library
from fallline.objectives.base import Objective, of_values
from fallline.objectives.function import FunctionObjective

# The most points, and the most numbers, in one call of the compiled code: for a few points, and for many, that is for
# more than CALLS calls' worth of the small size.
FEW, FEW_NUMBERS, MANY, MANY_NUMBERS, CALLS = 16, 1 << 12, 1 << 10, 1 << 17, 4
# The relative and absolute tolerance within which the traced function must give the plain function's value.
SAME = (1e-8, 1e-10)
# The same in roundings of the values, which in float32 is more.
SUMMED = 100
# Above this many operations (an unrolled loop) fusion is turned off: XLA may take ten times as long to compile with it,
# and the code gets no faster.
LONG = 400
# In the second column of a row, in place of 1: the value is finite but the gradient is NaN.
HIDDEN = 2.0
# The most compiled paths kept for one function.
PATHS = 256


class Path:
    """One execution path through a function, compiled: value, gradient, and whether a point takes this path.

    Arguments:
        function: takes a JAX array of n numbers, returns the value and whether the point takes this path.
        dimension: n.
        operations: the number of operations in the function.
    """

    def __init__(self, function: Callable[[Any], tuple[Any, Any]], dimension: int, operations: int) -> None:
        self.function = function
        self.dimension = dimension
        self.options = {"xla_disable_hlo_passes": "fusion"} if operations > LONG else {}
        self.few = max(1, min(FEW, FEW_NUMBERS // (dimension + 2)))
        self.many = max(self.few, min(MANY, MANY_NUMBERS // (dimension + 2)))
        # By the function's name and the shapes that it takes.
        self.compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def rows(self, points: FloatArray) -> FloatArray:
        """For each point a row: the value, 1 if the point takes this path, the gradient.

        A compiled loop computes the points one by one, so that a point's result never depends on the batch it is in:
        XLA's code for one batch size may round differently from that for another.
        """
        size = self.few if len(points) <= CALLS * self.few else self.many
        return np.concatenate(
            [self._rows(points[begin : begin + size], size) for begin in range(0, max(1, len(points)), size)]
        )

    def _rows(self, points: FloatArray, size: int) -> FloatArray:
        """The same for at most `size` points, in one call."""
        import jax

        with jax.enable_x64(True):
            block = self._compiled(self._block, (size, self.dimension), ())
            padded = np.zeros((size, self.dimension))
            padded[: len(points)] = points
            rows: FloatArray = np.asarray(block(padded, np.int64(len(points))))[: len(points)]
            if (rows[:, 1] == HIDDEN).any():
                rows = rows.copy()
                forward = self._compiled(self._forward, (self.dimension,))
                for i in np.flatnonzero(rows[:, 1] == HIDDEN):
                    slopes = rows[i, 2:]
                    rows[i, 1:] = 1, *np.where(np.isnan(slopes), np.asarray(forward(points[i])), slopes)
        return rows

    def hessian(self, point: FloatArray) -> FloatArray:
        """The matrix of second derivatives at a point."""
        return np.asarray(self._compiled(self._hessian, (self.dimension,))(point))

    def hessian_vector(self, point: FloatArray, vector: FloatArray) -> FloatArray:
        """The product of the Hessian and a vector, without forming the matrix."""
        return np.asarray(self._compiled(self._product, (self.dimension,), (self.dimension,))(point, vector))

    def side_by_side(self, points: Any) -> tuple[Any, Any, Any]:
        """Value, gradient, and whether it takes this path, of each point of a JAX array: to be traced by JAX."""
        return at_each(self.function, self._forward, points)

    def kink(self, point: FloatArray) -> str | None:
        """The first root of 0 at a point."""
        return kink_at(self._value, point)

    def _value(self, x: Any) -> Any:
        return self.function(x)[0]

    def _hessian(self, x: Any) -> Any:
        import jax

        return jax.hessian(self._value)(x)

    def _product(self, x: Any, v: Any) -> Any:
        import jax

        return jax.jvp(jax.grad(self._value), (x,), (v,))[1]

    def _forward(self, x: Any) -> Any:
        """The gradient in forward mode, with flat roots: in reverse mode, a branch that `np.where` discards gives NaN
        (0 times inf) where it has no derivative; and so does a root at 0."""
        import jax

        return jax.jacfwd(with_subgradients(self._value, flat_roots=True))(x)

    def _block(self, points: Any, count: Any) -> Any:
        import jax
        from jax import numpy as jnp

        derivative = jax.value_and_grad(self.function, has_aux=True)

        def one(i: Any, rows: Any) -> Any:
            (value, holds), slopes = derivative(points[i])
            hidden = jnp.isnan(slopes).any() & jnp.isfinite(value)
            mark = jnp.where(hidden, HIDDEN, 1.0) * holds
            return rows.at[i].set(jnp.concatenate([jnp.stack([value, mark]), slopes]))

        return jax.lax.fori_loop(0, count, one, jnp.zeros((len(points), self.dimension + 2)))

    def _compiled(self, function: Callable[..., Any], *shapes: tuple[int, ...]) -> Callable[..., Any]:
        import jax

        key = function.__name__, shapes
        if key not in self.compiled:
            kinds = [jax.ShapeDtypeStruct(shape, np.float64 if shape else np.int64) for shape in shapes]
            self.compiled[key] = jax.jit(function).lower(*kinds).compile(self.options)
        return self.compiled[key]


class Program:
    """A function and the compiled paths through it that have been seen so far.

    Arguments:
        objective: the user's function as an objective.
    """

    def __init__(self, objective: FunctionObjective) -> None:
        self.objective = objective
        self.paths: list[Path] = []
        self.lock = threading.RLock()

    def parted(self, points: FloatArray) -> Iterator[tuple[Path, npt.NDArray[np.intp], FloatArray]]:
        """The points grouped by the path they take: path, indices of the points, and their rows."""
        pending = np.arange(len(points))
        for path in tuple(self.paths):
            rows = path.rows(points[pending])
            holds = rows[:, 1] == 1
            if holds.any():
                yield path, pending[holds], rows[holds]
                pending = pending[~holds]
            if not len(pending):
                return
        while len(pending):
            path = self.traced(points[pending[0]])
            rows = path.rows(points[pending])
            holds = rows[:, 1] == 1
            # The path was traced at this point, so it holds there even if JAX rounds differently.
            holds[0] = True
            yield path, pending[holds], rows[holds]
            pending = pending[~holds]

    def rows(self, points: FloatArray) -> FloatArray:
        """For each point a row: the value, 1, the gradient."""
        paths = self.paths
        if len(points) == 1 and paths:
            rows = paths[0].rows(points)
            if rows[0, 1] == 1:
                return rows
        rows = np.empty((len(points), self.objective.dimension + 2))
        for path, chosen, found in self.parted(points):
            rows[chosen] = found
            if path is not self.paths[0]:
                with self.lock:
                    # The path used last is the likeliest to be used next.
                    self.paths = [path, *(other for other in self.paths if other is not path)][:PATHS]
        return rows

    def traced(self, point: FloatArray) -> Path:
        """Run the function once on traced numbers and compile what it did as a path.

        Raises:
            NotCarried: when JAX cannot follow it, or gives another value or gradient than the plain function.
        """
        import jax

        plain = float(self.objective.value(point))
        at_point = []

        def run(x: Any) -> tuple[Any, Any]:
            trace = Trace()
            try:
                result = self._result(root_of(point.copy(), x, trace))
            except NotCarried:
                raise
            except ArithmeticError:
                result = x.sum() * np.nan
                at_point.append(np.nan)
                return result, trace.holds()
            except Exception as error:
                # The plain function did not raise this error.
                said = f"{type(error).__name__}: {' '.join(str(error).split())}"
                raise self._not_carried(said, *blamed(error)) from error
            result = as_traced(result).reshape(())
            value = result.value
            if result.dtype.kind == "c":
                value = jnp.where(value.imag == 0, value.real, np.nan)
            at_point.append(np.real(result.concrete).item())
            return jnp.asarray(value, float), trace.holds()

        with np.errstate(all="ignore"), jax.enable_x64(True):
            from jax import numpy as jnp

            recorded = jax.make_jaxpr(run)(point)

        def followed(x: Any) -> tuple[Any, Any]:
            value, holds = evaluated(recorded, [x])
            return jnp.asarray(value), jnp.asarray(holds)

        path = Path(followed, self.objective.dimension, len(recorded.jaxpr.eqns))
        try:
            row = path.rows(point[None, :])[0]
        except Exception as error:
            said = " ".join(str(error).split())[:200]
            raise self._not_carried(f"{type(error).__name__}: {said}") from error
        for found in (at_point[0], row[0]):
            if not same(found, plain, self.objective.rounding):
                raise self._not_carried(f"its value is {plain:.17g}, but {found:.17g} when JAX follows it")
        if contradicted(self.objective, point, row[2:]):
            raise self._not_carried("its values have another slope than JAX finds")
        with self.lock:
            self.paths = [path, *self.paths][:PATHS]
        return path

    def _not_carried(self, reason: str, call: str = "", place: str = "") -> NotCarried:
        """The error that names what failed and its line, or else the function and the line where it is written."""
        function = self.objective.function
        return NotCarried(call or self.objective.title, f" ({reason})", place or defined_at(function))

    def _result(self, x: TracedArray) -> Any:
        seen = World().stand_in(self.objective.function)
        return seen(x) if self.objective.vector else seen(*x)


def same(found: float, plain: float, rounding: float) -> bool:
    """Whether two values are equal within the rounding of sums of them."""
    relative, absolute = (max(tolerance, SUMMED * rounding) for tolerance in SAME)
    return found == plain or bool(np.isclose(found, plain, rtol=relative, atol=absolute, equal_nan=True))


def contradicted(objective: Objective, point: FloatArray, gradient: FloatArray) -> bool:
    """Whether difference quotients of the values contradict the gradient.

    A number that JAX did not trace would silently contribute 0 to the gradient; this catches it. It tests one
    direction only, and decides nothing where two step lengths or the two sides give different slopes.
    """
    direction = np.random.default_rng(0).uniform(0.5, 1, len(point)) * np.maximum(1, np.abs(point))
    far, near = 1e-4, 1e-5
    offsets = np.array([far, -far, near, -near, 0.0])
    with np.errstate(all="ignore"):
        a, b, c, d, here = objective.value(point + offsets[:, None] * direction)
        coarse, fine, right, left = (a - b) / (2 * far), (c - d) / (2 * near), (c - here) / near, (here - d) / near
        claimed = float(gradient @ direction)
        size = max(abs(fine), max(1e-10, 10 * objective.rounding) * abs(here) / near)
        smooth = abs(coarse - fine) <= 1e-3 * size and abs(right - left) <= 1e-2 * size
        return bool(smooth and abs(claimed - fine) > 1e-2 * max(size, abs(claimed)))


@functools.lru_cache(maxsize=64)
def program_of(function: Callable[..., Any], names: tuple[str, ...], vector: bool) -> Program:
    """The program of a function, cached so that later runs reuse its compiled paths."""
    return Program(FunctionObjective(function, names, vector=vector))


class AutodiffObjective(Objective):
    """A Python function in plain NumPy, with its exact gradient.

    The function is run once on traced numbers for each path through it; after that XLA's compiled code replaces it. So
    side effects (counting calls, printing) happen only while tracing, and data it reads must not change during a run.

    Arguments:
        objective: the function.
        at: a point at which to trace it; None: the first point it is evaluated at.
        fallback: the objective used at points where the function cannot be carried to JAX; None: raise an error.

    Raises:
        FalllineError: when JAX is not installed, or the function cannot be carried to JAX at the point.
    """

    def __init__(
        self, objective: FunctionObjective, at: FloatArray | None = None, fallback: Objective | None = None
    ) -> None:
        self.objective = objective
        self.names = objective.names
        self.precision = objective.precision
        self.fallback = fallback
        self.not_carried: str | None = None
        jax_library()
        try:
            self.program = program_of(objective.function, objective.names, objective.vector)
        except TypeError:  # a callable without a hash
            self.program = Program(objective)
        if at is not None:
            # The function may be infinite or NaN at the start; the run reports that.
            with np.errstate(all="ignore"):
                program, plain = self.program, float(objective.value(at))
                for _ in range(2):
                    if same(program.rows(at[None, :])[0, 0], plain, objective.rounding):
                        return
                    # The data that the function reads has changed since it was traced.
                    program.paths = []

    def __reduce__(self) -> tuple[Any, ...]:
        # Compiled code cannot be pickled.
        return AutodiffObjective, (self.objective, None, self.fallback)

    @property
    def gradient_kind(self) -> str:  # type: ignore[override]
        kind = "autodiff" + of_values(self.precision)
        if self.fallback is None or self.not_carried is None:
            return kind
        return f"{kind}; {self.fallback.gradient_kind} where {self.not_carried}"

    @property
    def title(self) -> str:
        return self.objective.title

    def value(self, x: FloatArray) -> FloatArray:
        # The traced function takes real numbers only.
        return self.objective.value(x) if np.iscomplexobj(x) else self._rows(x)[..., 0]

    def gradient(self, x: FloatArray) -> FloatArray:
        return self._rows(x)[..., 2:]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        rows = self._rows(x)
        return rows[..., 0], rows[..., 2:]

    def raise_errors_at(self, x: FloatArray) -> None:
        self.objective.raise_errors_at(x)

    def kink(self, x: FloatArray) -> str | None:
        try:
            ((path, _, _),) = self.program.parted(x.reshape(1, -1))
        except NotCarried:
            return None
        return path.kink(x)

    def hessian(self, x: FloatArray) -> FloatArray:
        """The matrix of second derivatives at each point: shape (..., n) to (..., n, n)."""
        import jax

        points = x.reshape(-1, self.dimension)
        found = np.empty((len(points), self.dimension, self.dimension))
        with jax.enable_x64(True):
            for path, chosen, _ in self.program.parted(points):
                for i in chosen:
                    found[i] = path.hessian(points[i])
        return found.reshape(*x.shape, self.dimension)

    def hessian_vector(self, x: FloatArray, vector: FloatArray) -> FloatArray:
        """The product of the Hessian and a vector at each point, at the cost of a few gradients."""
        import jax

        points, vectors = x.reshape(-1, self.dimension), np.broadcast_to(vector, x.shape).reshape(-1, self.dimension)
        found = np.empty(points.shape)
        with jax.enable_x64(True):
            for path, chosen, _ in self.program.parted(points):
                for i in chosen:
                    found[i] = path.hessian_vector(points[i], vectors[i])
        return found.reshape(x.shape)

    def _rows(self, x: FloatArray) -> FloatArray:
        points = x.reshape(-1, self.dimension)
        try:
            rows = self.program.rows(points)
        except NotCarried as error:
            if self.fallback is None:
                raise
            rows = np.stack([self._row(point) for point in points])
            self.not_carried = error.call
        return rows.reshape(*x.shape[:-1], self.dimension + 2)

    def _row(self, point: FloatArray) -> FloatArray:
        """One point alone, so that a point JAX cannot follow does not affect the others."""
        assert self.fallback is not None
        try:
            row: FloatArray = self.program.rows(point[None, :])[0]
            return row
        except NotCarried:
            value, gradient = self.fallback.value_and_gradient(point)
            return np.concatenate([[float(value), 1.0], gradient])
