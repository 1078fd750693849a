"""What can be done with arrays and numbers, operation by operation: `test_operations` compares every result."""

# mypy: ignore-errors
import cmath
import copy
import dataclasses
import enum
import functools
import math
import operator
import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg, stats

TABLE = np.array([[1.0, 2.0, 0.5, -0.3], [0.3, -1.0, 2.0, 0.7], [2.0, 0.1, -0.4, 1.1], [1.5, 1.2, 0.2, -0.6]])


def written(change, start=0.5):
    """What an array holds after a change."""

    def function(x):
        y = np.full(4, start)
        made = change(y, x)
        return y if made is None else (y, made)

    return function


def square(x):
    return x.reshape(2, 2)


def set_items(y, x):
    y[1:3] = x[:2] ** 2
    y[[0, 0]] = x[2:]
    y[3] = 7.0
    z = y[::-1]
    z[0] += x[1]
    y[1:1] = x[1:1]
    return z * 1


def set_in_views(y, x):
    square = y.reshape(2, 2)
    square.T[0] = x[:2]
    square[:, 1] = x[0] * x[1]
    square[0] += 1
    y[:2] = x[None, 1:3]
    whole = np.zeros((2, 2))
    whole[...] = x[3]
    whole[[0, 1], [1, 0]] = x[:2]
    return whole, square


def set_where(y, x):
    y[x > 0.5] = x[0]
    z = np.ones(4)
    z[x < 0.5] = x[x < 0.5] ** 2
    w = np.ones((2, 4))
    w[1][x > 0] = -1
    w[:, x > 1] = x[3]
    return z, w


def set_other_kinds(y, x):
    y[0] = np.float32(3)
    single, complexes = np.zeros(2, np.float32), np.zeros(2, complex)
    single[1] = x[1]
    complexes[0], complexes[1] = x[0], 1j * x[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        y[:2] = complexes + x[:2] * 1j
    return single, complexes


def in_place(y, x):
    a, b, c, d, e = (np.zeros(4) for _ in range(5))
    np.copyto(a, x)
    np.copyto(b, 2 * x, where=x > 0.5)
    np.put(c, [0, 2], x[:2])
    np.putmask(d, x > 0.5, x**2)
    np.place(e, np.array([True, False, True, True]), x[:2])
    f, g = np.ones((2, 2)), np.ones((2, 2))
    np.fill_diagonal(f, x[:2])
    np.put_along_axis(g, np.array([[1], [0]]), x[:2, None], axis=1)
    y.fill(x[0])
    z = x * 1
    np.copyto(z, 3.0, where=[True, False, False, True])
    z.sort()
    w = x.reshape(2, 2) * 1
    w.sort(axis=0)
    v = np.zeros(4)
    np.put(v, np.argmax(x), 7.0)
    return a, b, c, d, e, f, g, z, w, v


def at_indices(y, x):
    made = []
    for of in (np.add, np.subtract, np.maximum, np.minimum):
        z = np.full(4, 0.8)
        of.at(z, [1, 1, 3], x[:3])
        made.append(z)
    z = x * 1
    np.add.at(z, slice(1, 3), 2.0)
    np.add.at(z.reshape(2, 2), ([0, 0], [1, 1]), x[0])
    np.add.at(z, 2, x[1])
    np.add.at(z, np.argsort(x)[:2], [x[0], 5.0])
    np.add.at(y, [0], 2.0)
    return (*made, z)


def into_out(y, x):
    z, w, v, u = np.zeros(4), np.zeros(2), np.full(4, 9.0), x * 1
    np.multiply(x, 3, out=y)
    np.add(x, 1, z)
    np.sum(x.reshape(2, 2), axis=0, out=w)
    np.exp(x, out=v, where=x > 0.5)
    u += 1
    u *= x
    s = x[0]
    s += 1
    counts = np.zeros(4, int)
    try:
        counts += x
    except TypeError:
        counts = counts + 2 * x
    return z, w, v, u, s, counts, np.cumsum(x, out=np.zeros(4))


def flat(y, x):
    square, other = y.reshape(2, 2), np.zeros((2, 2))
    square.flat[2] = x[0]
    square.T.flat[[0, 1]] = x[1:3]
    other.flat = x
    z = x * 1
    z.shape = (2, 2)
    z[1] = 3.0
    return list(square.flat), len(other.flat), other.flat[1:3], other, z


def conversions(x):
    return (
        x.tolist(), square(x).tolist(), x[1].tolist(), x.item(1), square(x).item(1, 0), square(x).item(3),
        x[2].item(), np.float64(x[0]), float(x[1]), complex(x[0], x[1]).imag, complex(x[3]).real, np.complex128(x[2]),
        x.astype(np.float32), x.astype(complex), (x + 1j).astype(complex).real, np.array(x), np.asarray(x[1]),
        np.array([x[0], 2.0]), np.array([x, x**2]), np.array([[1, x[1]], [x[0], 2]], dtype=float), np.float64(x[:2]),
        float(x[:1][0]), np.zeros(2).tolist(), TABLE[0].item(1), np.ones(2).astype(int), np.ones(1).item(),
        square(x).astype(np.float32, "F"), x.astype(np.float32)[1:1],
    )  # fmt: skip


def kinds(x):
    return (
        isinstance(x, np.ndarray), isinstance(x[0], float), isinstance(x[0], np.floating), type(x) is np.ndarray,
        isinstance(1, float), isinstance(x[0], int), issubclass(float, float), issubclass(np.float64, float),
        issubclass(int, float), operator.eq(float, float), operator.eq(float, int), isinstance(float, type),
        str is str, len(type("Made", (), {"one": 1}).__mro__), hash(float) == hash(float), np.sin == np.sin,
        np.sin == np.cos, len({np.sin, np.sin, np.cos}), np.add.nin, len(x), x.ndim, x.size, x.nbytes, x.itemsize,
        x.flags.c_contiguous, x.T.shape[0], 0.4 in x, 7.0 in x, bool(x.any()), np.result_type(x, 1.0) == np.float64,
        np.zeros(2, dtype=float).dtype.num, np.zeros(2, float).size, len(repr(x)), len(str(x[0])), len(f"{x[1]:.3f}"),
        np.zeros_like(x, dtype=complex).dtype.num, np.count_nonzero(square(x) > 0.5, axis=0),
        np.unique(x > 0.5, return_counts=True), np.size(square(x), axis=1), np.sum(TABLE, axis=1),
    )  # fmt: skip


def decisions(x):
    whole = int(x[3]), math.floor(x[3]), math.ceil(x[3]), math.trunc(x[3]), round(x[3]), int(np.sum(x > 0.5))
    some = [number**2 for number in x if number > 0.5]
    return (
        whole, round(x[0], 1), some, x[np.argmax(x)], x[x > 0.5], x[np.argsort(x)], np.sort(x), TABLE[np.argmin(x)],
        TABLE[np.argsort(x), [0, 1, 2, 3]], TABLE[:, np.argmax(x)], x[: abs(int(x[3]))], np.flatnonzero(x > 0.5),
        x[np.nonzero(x > 0.5)], np.where(x > 0.5)[0], np.argwhere(x > 0.5), np.count_nonzero(x > 0.5),
        np.take(x, np.argmax(x)), x.take(np.argsort(x)[:2]), x.repeat((x > 0.5).astype(int)), np.unique(x > 0.5),
        x[0] * 2 if x[1] else x[2], len("positive" if x[2] > 0 else "no"), max(x), min(x[0], x[1], 0.5),
        max(x, key=lambda number: number**2), min(list(x)), max(x[0], 1.0), sorted(x), f"{x[0] > 0}" == "True",
        np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]), np.roll(x, int(x[3])), np.searchsorted([0.0, 1.0], x),
        np.take(TABLE, np.argmax(x), axis=0), np.roll(TABLE, np.argmin(x)), np.compress(x > 0.5, TABLE[0]),
        np.insert(TABLE[0], np.argmax(x), 2.0),
    )  # fmt: skip


def gone_through(x):
    """The second coordinate, or one of its sign, after it went through other arrays."""
    a, b, c, d, e, f = (np.zeros(4) for _ in range(6))
    a[0] = x[1]
    np.copyto(b, x)
    np.add.at(c, [0], x[1:2])
    np.add(x, 0, out=d)
    e.flat[1:3] = x[1]
    f[x > -9] = x[1]
    return (
        x.item(1), x.astype(complex)[1].real, np.array([x[1], 1.0])[0], np.concatenate([x, [1.0]])[1], a[0], b[1],
        c[0], d[1], e[1], f[2], x.reshape(2, 2).T[1, 0], np.where(x > 9, 0, x)[1],
        np.linalg.eigvalsh(np.diag(x[1:2]))[0], x[1:][0], np.sort(x[1:2])[0],
        x[[1, 0]][0], math.atan(x[1]), max(x[1], -9.0), np.append(1.0, x[1])[1],
        np.array([-1.0, 1.0])[(x[1] > 0) * 1],
    )  # fmt: skip


def decided_after(x):
    return [1 if number > 0 else 2 for number in gone_through(x)], TABLE[0][int(x[1] > 0)], x


def places(x):
    m = square(x)
    return (
        x[1], x[-1], x[1:3], x[::-1], x[::2], x[[2, 0, 2]], x[np.array([True, False, True, False])], x[..., None],
        x[()], x[1:1], m[:, 1], m.T[0], m[1, 0], m.T, m.mT, m.diagonal(), m.swapaxes(0, 1), m.flatten(), m.ravel("F"),
        m.squeeze(), m.reshape(4), m.reshape((4,), order="F"), m.transpose(1, 0), x.take([0, 3]), x.repeat(2),
        x.compress([1, 0, 1, 1]), x.view(), x.copy(), list(x), [*m], x[np.newaxis, 1:], m[[0, 1], [1, 0]],
        m[np.ix_([1, 0], [0])], x.reshape(1, 4)[0, ::3], x[2:0:-1], np.flip(m), m[::-1, ::-1], m.T[::-1].T,
        m[None].transpose(2, 0, 1), TABLE[1] * x,
    )  # fmt: skip


def moves(x):
    m = square(x)
    return (
        np.concatenate([x, [1.0], x[:2]]), np.concatenate([m, m], axis=1), np.stack([x, 2 * x], axis=1),
        np.vstack([x, x]), np.hstack([x, 1.0]), np.append(x, [x[0], 2.0]), np.insert(x, 1, x[2]), np.delete(x, 1),
        np.tile(x, 2), np.roll(x, 1), np.repeat(m, 2, axis=0), np.diag(x), np.diag(m), np.diagflat(x[:2], 1),
        np.triu(m), np.tril(m, -1), np.rot90(m), np.split(x, 2), np.array_split(x, 3), np.resize(x, 6),
        np.tril(m)[0, 1], np.triu(m[:1, :1], 1), *(
            made([x[0], 2.0, x[1]], np.float32) for made in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray,
                                                             np.asfortranarray, np.asarray_chkfinite, np.require)
        ),
        np.take_along_axis(m, np.array([[1], [0]]), 1), np.block([[m, m]]), np.broadcast_to(x, (2, 4)),
        np.atleast_2d(x, x[0]), np.atleast_1d(x[0]), np.broadcast_arrays(x[:2], 1.0), np.meshgrid(x[:2], [1.0, 2.0]),
        np.meshgrid(x[:2], x[2:], indexing="ij"), np.compress([True, False, True, True], x),
        np.extract([True, False, True, True], x), np.choose([0, 1, 0, 1], [x, 2 * x]), np.expand_dims(x, 1),
        np.moveaxis(m, 0, 1), np.r_[x, 1.0, x[:1]], np.c_[x, 2 * x], np.r_[0:2, x], np.r_[0:3], np.c_[[1.0, 2.0]],
        np.pad(x, 1), np.column_stack((x, x)), np.array(x, dtype=np.float32), np.array(x, copy=True),
        np.asanyarray(x, float), np.ascontiguousarray(x, float), np.asfortranarray(x, float), np.asarray(x, float),
        np.asarray(x, like=x), np.concatenate([x, x], dtype=np.float32, casting="same_kind"),
        np.asarray(m, order="F"), np.ravel(m, order="F"), np.squeeze(m[:1]), np.concatenate([x, 1j * x]),
        np.concatenate((x[:1], np.arange(2))), np.sum([part * 2 for part in np.split(x, 2)]),
    )  # fmt: skip


def sums(x):
    m = square(x)
    return (
        x.sum(), m.sum(0), m.mean(1, keepdims=True), x.prod(), x.std(ddof=1), m.var(axis=0), x.max(), m.min(axis=1),
        np.ptp(x), x.cumsum(), x.cumprod(), x.dot([1.0, 2.0, 3.0, 4.0]), m.dot(m), m @ m,
        x.trace() if x.ndim > 1 else m.trace(), x.conj(), x.clip(0, 1), x.clip(min=0.5), x.clip(max=0.5),
        np.clip(x, a_min=None, a_max=0.5), np.clip(x, 0.5, None), np.clip(x, x[2], x[1]), np.add.reduce(m),
        np.multiply.reduce(m, axis=1), np.maximum.reduce(x), np.minimum.reduce(m, axis=0),
        np.add.reduce(m, axis=None), np.add.reduce(m, keepdims=True), np.logical_and.reduce(x > 0), np.fmax.reduce(x),
        np.add.accumulate(m), np.multiply.accumulate(x), np.maximum.accumulate(x), np.minimum.accumulate(m, axis=-1),
        np.add.outer(x[:2], x), np.subtract.outer(m, x[:2]), np.multiply.outer(x[0], x),
        np.maximum.outer([0.0, 1.0], x), np.diff(x), np.gradient(x), np.median(x), np.quantile(x, 0.3),
        np.average(x, weights=[1, 2, 3, 4]), np.cov(m), np.convolve(x, x[:2]), np.trapezoid(x), np.nansum(x),
        np.round(x, 1), np.fabs(x), np.fix(x), np.full_like(x, x[1]), np.zeros_like(x), np.ones_like(x), np.around(x),
        np.amax(x), np.amin(m, axis=0), np.bincount([0, 2, 2, 1], weights=x), np.where(x > 0.5, x, 2 * x),
        np.select([x > 1, x > 0], [x, x**2], 0.5), np.isin(x, [0.4]),
        np.piecewise(x, [x < 0, x >= 0], [lambda t: -t, lambda t: t**3]), np.sum(x, where=[True, False, True, True]),
        np.sum((x[0], x[1], 1.0)), np.mean([x, x**2], axis=0), np.polyval([x[0], x[1], 1], 2.0),
        np.add(x, [1, 2, 3, 4], dtype=float, casting="same_kind", order="C", subok=True),
        np.apply_along_axis(lambda row: row @ row, 1, m), np.apply_along_axis(lambda row, by: row * by, 0, m, by=2),
        np.apply_along_axis(np.cumsum, 0, m), np.apply_along_axis(lambda row: np.array([row[1], 2.0]), 1, m[:1]),
        np.apply_along_axis(lambda row, by: row[1:] * by, 1, np.multiply.outer(m, [1.0, 2.0, 3.0]), 2.0),
        np.apply_over_axes(np.sum, m, [0]), np.median(m, axis=(0, 1)), np.quantile(m, 0.3, (0, 1)),
        np.fromfunction(lambda i, j: i * x[0] + j * x[1], (2, 3)), np.fromiter((number**2 for number in x), float),
        [i[0] * number for i, number in np.ndenumerate(x)], np.frompyfunc(lambda a, b: a * b, 2, 1)(x, 2.0)[1],
    )  # fmt: skip


SCALED = np.vectorize(lambda table, a: table[0] * a, excluded={0})


def vectorized(x):
    power = np.vectorize(lambda a, b: a**b)
    both = np.vectorize(lambda a: (a, 2 * a))
    scaled = np.vectorize(lambda table, a, by=1.0: table[0] * a * by, excluded={0})

    @np.vectorize(excluded={1})
    def shifted(a, table):
        return a + table[0]

    @np.vectorize
    def bent(a):
        return a if a > 0.5 else a**2

    return (
        power(square(x), 2),
        power(x[0] ** 2, 3),
        both(square(x)),
        scaled([x[1], 2.0], x[2:], by=3.0),
        bent(x),
        shifted(x, [x[3], 1.0]),
        SCALED([x[1], 2.0], x),
        power(x[:1], x[None, :2] * 0 + 2),
    )


def norms(x):
    m, norm = square(x), np.linalg.norm
    return (
        norm(x), norm(m), norm(m, "fro"), norm(x, 2), norm(x, 1), norm(m, axis=1), norm(m, axis=0, keepdims=True),
        norm(m, 2, 1), norm(m, 1, 1), norm(x, np.inf), norm(m, ord=1), norm(x.tolist()), norm(x * 0),
        norm(x * (1 + 1j)), norm(m[None], axis=(1, 2)), norm(m, ord=1, axis=0, keepdims=True),
        np.linalg.vector_norm(x), norm(m, 2), np.linalg.eig(m @ m.T)[0], np.roots([1.0, x[0], -3.0]),
        linalg.norm(m, 1), linalg.norm(m, np.inf), np.abs(np.linalg.eig(np.array([[2.0, x[0]], [x[1], -1.0]]))[1]),
    )  # fmt: skip


OF_ONE = (
    "sin", "asin", "acos", "atan", "tanh", "atanh", "asinh", "exp", "expm1", "sqrt", "erf", "erfc", "gamma", "lgamma",
    "fabs", "degrees", "log1p", "log2", "log10", "cbrt",
)  # fmt: skip


def numbers(x):
    a, b, c, d = x**2 / 20 + 0.1
    z = complex(a, b)
    return (
        *(getattr(math, name)(a) for name in OF_ONE), math.acosh(1 + a), math.log(a), math.log(a, 3), math.log(8, a),
        math.pow(a, b), math.atan2(a, b), math.hypot(a, b, c), math.fsum(x), math.fsum(number for number in x),
        math.prod(x), math.prod([a, b], start=c), math.dist((a, b), [c, d]), math.copysign(a, -1.0),
        bool(math.isclose(a, a + 1e-12)), bool(math.isclose(a, b)), bool(math.isclose(a, a + 0.01, abs_tol=0.1)),
        bool(math.isnan(a)), math.sin(2.0), math.comb(5, int(3 + a)), math.log(2.0, b), math.log(b, 2.0), math.pi * a,
        abs(cmath.exp(z)), cmath.phase(z), *cmath.polar(z), abs(cmath.rect(a, b)), cmath.sqrt(z).real, a % 0.07,
        a // 0.07, divmod(a, 0.07), -a, +a, abs(-a), a**b, 2**a, sum([a, b]), sum(x), pow(a, 2), math.fmod(a, 0.07),
        bool(math.isfinite(a)),
    )  # fmt: skip


class Base:
    scale = 2.0
    table = np.array([1.0, 2.0])
    kind = "base"

    def __init__(self, x):
        self.x = x
        self.own = self

    def value(self):
        return self.scale * np.sum(np.array([self.x[0], 1.0]) ** 2)

    @classmethod
    def made(cls, x):
        return cls(x)

    @staticmethod
    def sine(x):
        return math.sin(x)

    @property
    def half(self):
        return math.sqrt(self.x[1]) / 2

    @half.setter
    def half(self, new):
        self.x = np.array([new, 2 * new])


class Derived(Base):
    kind = "derived"
    __slots__ = ("slot",)

    def value(self):
        return super().value() + super().sine(self.x[1]) + len(super().kind) + np.zeros(1)[0]

    @functools.cached_property
    def cached(self):
        return np.zeros(2) + self.x[0]


class Implied(Base):
    def value(self):
        return math.sin(super().value()) + super().sine(self.x[1])


class Told(Implied):
    def value(self):
        return super(Told, self).value() + 3 * super(Implied, self).value()

    @classmethod
    def made(cls, x):
        return super(Told, cls).made(2 * x)


def inherited(x):
    return Implied(x).value(), Implied.made(x).half, Told(x).value(), Told.made(x).value()


class Pair(NamedTuple):
    first: Any
    second: Any = 3.0

    def product(self):
        return math.exp(self.first) * self.second


@dataclasses.dataclass
class Record:
    weight: Any
    others: list[Any] = dataclasses.field(default_factory=list)

    def total(self):
        return math.fsum([self.weight, *self.others])


@dataclasses.dataclass(slots=True)
class Slotted:
    weights: Any

    def total(self, x):
        return np.sum(np.array([x[0], 1.0]) * self.weights)


class Triple(tuple):
    def total(self):
        return self[0] @ self[1]


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@functools.lru_cache
def tabled(n):
    return np.arange(n) + 0.5


def helper(x, *, power=np.array([2.0]), table=TABLE[0]):
    """It has defaults that are arrays."""
    return np.zeros(1)[0] + x ** power[0] + table[1]


helper.factor = 3.0
LATER = 5.0
SELF = [np.array([1.0, 2.0])]
SELF.append(SELF)
NAMED = {"table": TABLE, "helper": helper, "pair": (np.sqrt, Pair(1.0)), "mode": "sum"}
PARTIAL = functools.partial(helper, power=np.array([3.0]))
ADDED = np.add.reduce
TWICE = np.vectorize(lambda number: 2 * math.sin(number))
TRIPLE = Triple((TABLE, TABLE[0]))
MADE = Derived(np.array([1.0, 4.0]))
FROZEN = stats.norm(0.5, scale=2.0)
SLOTTED = Slotted(np.array([2.0, 5.0]))
MADE.slot = np.array([3.0])


def closed(depth):
    def inner(x):
        return unset(x) if len(depth) else math.cos(x)

    def unset(x):
        return np.zeros(2) + depth * x

    return inner


INNER, OUTER = closed(np.array([1.0, 2.0])), closed(())


def objects(x):
    global LATER
    LATER = np.zeros(2)
    LATER[0] = x[0]
    import numpy.linalg as algebra
    from scipy import special

    from .helpers import MATRIX

    base, derived = Base(x), Derived.made(x)
    derived.slot = x[2]
    record, pair = Record(x[0], [x[1], 2.0]), Pair(x[0])
    base.half = x[3]
    SELF[0][1] = x[2]
    MADE.x[0] = x[1]
    MADE.slot[0] = x[3]
    types = [
        isinstance(derived, Base), isinstance(MADE, Derived), isinstance(base, Derived), issubclass(Derived, Base),
        type(derived) is Derived, isinstance(pair, tuple), isinstance(record, Record), Colour.RED is Colour(1),
        Colour.BLUE == Colour.RED, len(helper.__module__), len(helper.__qualname__), len(helper.__name__),
        len(str(helper.__doc__)), len(np.sin.__name__), len(str(np.sin.__doc__)) > 9, len(MADE.kind),
        len(Base.__name__), len(Derived.__qualname__), len(Derived.__module__), len(__name__), callable(np.sin),
        SELF[1] is SELF, MADE.own is MADE, len(np.linalg.__name__), len(NAMED["mode"]),
    ]  # fmt: skip
    return (
        types, LATER, algebra.norm(x), special.expit(x), special.logsumexp(x), special.xlogy(x[0], 2.0), base.value(),
        base.half, derived.value(), derived.half, derived.cached, derived.slot, derived.table * x[0], Base.sine(x[0]),
        record.total(), pair.product(), pair.first, pair[1], np.sum(pair), np.array(pair), ADDED([x[0], 1.0, x[1]]),
        dataclasses.replace(record, weight=x[3]).total(), pair._replace(first=x[1]).product(), tabled(4) * x,
        helper(x[1]), helper.factor * x[0], helper(x[1], power=[3]), PARTIAL(x[0]), TWICE(x), SELF[0], SELF[1][1][0],
        NAMED["table"] @ x, NAMED["helper"](x[0]), NAMED["pair"][0](x[0]), NAMED["pair"][1].product() * x[0],
        MADE.value(), MADE.x, MADE.slot, INNER(x[:2]), OUTER(x[0]), np.sin(x), vars(record)["weight"],
        TRIPLE.total() * x, SLOTTED.total(x), Slotted(x[:2]).total(x), MATRIX @ x[:2],
        copy.copy(x), copy.deepcopy([x, 1.0]), {"a": x[0]}["a"], [*map(math.sin, x)],
        list(zip(x, TABLE[0], strict=True)), functools.reduce(np.add, x), np.add.identity + x[0],
        operator.mul(x[0], x[1]), stats.norm.logpdf(x), stats.norm(x[0], scale=2.0).logpdf(x[1]),
        FROZEN.logpdf(x), stats.norm.cdf(x, loc=x[0]), stats.expon(scale=x[0]).pdf(2.0), stats.gamma.logpdf(x[0], 2.5),
        np.polynomial.Polynomial([x[0], 1.0, x[1]])(2.0), np.poly1d([x[0], 2.0])(x[1]),
    )  # fmt: skip


CHANGES = (set_items, set_in_views, set_where, set_other_kinds, in_place, at_indices, into_out, flat)
FUNCTIONS = {
    "places": places, "moves": moves, "sums": sums, "norms": norms, "numbers": numbers, "conversions": conversions,
    "decisions": decisions, "decided_after": decided_after, "kinds": kinds, "vectorized": vectorized,
    "objects": objects, "inherited": inherited,
    **{change.__name__: written(change) for change in CHANGES},
}  # fmt: skip
