"""What NumPy offers: joining, shaping, choosing, reducing, linear algebra, transforms."""

# mypy: ignore-errors
import functools
import itertools

import numpy as np
import numpy.linalg as la
from numpy.linalg import norm
from tests.gradients.corpus.cases import at

X = (0.4, 0.9, -0.7)
DATA = np.array([[1.0, 2.0, 0.5], [0.3, -1.0, 2.0], [2.0, 0.1, -0.4], [1.5, 1.5, 1.5]])


@at(*X)
def einsum_quadratic(x):
    return np.einsum("i,ij,j->", x, DATA[:3], x) + np.einsum("ij,j->i", DATA, x).sum()


@at(*X)
def matmul_chain(x):
    return (DATA @ x) @ (DATA @ x) + np.matmul(DATA.T, DATA @ x).sum() + DATA.dot(x).max()


@at(*X)
def outer_product(x):
    return np.outer(x, x**2).sum() + np.multiply.outer(x, x)[0, 1] + np.subtract.outer(x, x).std()


@at(*X)
def ufunc_reduce(x):
    return np.add.reduce(x**2) * np.multiply.reduce(x) + np.maximum.reduce(x) + np.logaddexp.reduce(x)


@at(*X)
def ufunc_accumulate(x):
    return np.add.accumulate(x) @ np.multiply.accumulate(x) + np.maximum.accumulate(x).sum()


@at(*X)
def functools_reduce(x):
    return functools.reduce(lambda a, b: a * b + 1, x) + functools.reduce(np.add, list(x))


@at(*X)
def pairs(x):
    return sum((a - b) ** 2 for a, b in itertools.combinations(x, 2)) + sum(a * b for a, b in zip(x[:-1], x[1:]))


@at(*X)
def broadcasting(x):
    d = x[:, None] - x[None, :]
    k = np.exp(-0.5 * d**2)
    return k.sum(axis=0) @ k.mean(axis=1) + np.sum(d[np.newaxis, ..., 0] ** 2)


@at(*X)
def where_choice(x):
    return np.sum(np.where(x > 0, x**2, -3 * x)) + np.where(x[0] > 0, np.exp(x[1]), 0.0)


@at(0.4, 0.1, -0.7)
def where_guards_log(x):
    return np.sum(np.where(x > 0, x * np.log(np.where(x > 0, x, 1)), x)) + np.where(x < 0, 0, np.sqrt(x + 1)).sum()


@at(*X)
def where_hides_nan(x):
    with np.errstate(invalid="ignore"):
        return np.sum(np.where(x > 0, np.sqrt(x), x**2))


@at(*X)
def select_and_piecewise(x):
    a = np.select([x < 0, x < 0.5], [x**2, np.sin(x)], default=3 * x)
    b = np.piecewise(x, [x < 0, x >= 0], [lambda t: -t, lambda t: t**3])
    return a.sum() * b.sum()


@at(*X)
def clipping(x):
    return np.clip(x, -0.5, 0.5).sum() + x.clip(0).sum() + np.clip(x * 2, a_min=None, a_max=1.0).prod()


@at(*X)
def maximum_minimum(x):
    return np.maximum(x, 0).sum() + np.minimum(x, x[0]).sum() + np.fmax(x, 0.1).sum() + max(x) * min(x[0], x[1])


@at(*X)
def stacking(x):
    a = np.stack([x, x**2])
    b = np.vstack((a, np.ones(3)))
    c = np.hstack([x, 1.0, [2.0, x[0]]])
    d = np.column_stack((x, x[::-1]))
    return a.sum() + (b**2).sum() + np.prod(c[:4]) + np.sum(d[:, 0] * d[:, 1])


@at(*X)
def joined_by_index(x):
    y = np.r_[x, 1.0, x[0] * 2]
    z = np.c_[x, x**2]
    return np.sum(y**2) + np.sum(z[:, 1] * z[:, 0]) + np.r_[0:3] @ x


@at(*X)
def padding(x):
    y = np.pad(x, (1, 2))
    z = np.pad(x, 1, mode="edge")
    w = np.concatenate(([0.0], x, [1.0]))
    return np.sum(np.diff(y) ** 2) + np.sum(z**3) + np.sum(w[1:] * w[:-1])


@at(*X)
def rolling(x):
    return np.sum(x * np.roll(x, 1)) + np.flip(x) @ np.arange(3) + np.tile(x, 2)[3] ** 2 + np.repeat(x, 2).var()


@at(*X)
def fancy(x):
    i = np.array([0, 2, 2, 1])
    return np.sum(x[i] ** np.arange(1, 5)) + x[[0, 1]].prod() + np.take(x, [1, 1]).sum() + x[..., -1]


@at(*X)
def boolean(x):
    return np.sum(x[x > 0] ** 2) + np.exp(x[np.abs(x) > 0.5]).sum() + np.count_nonzero(x > 0) * x[0]


@at(*X)
def statistics(x):
    return x.mean() + x.std(ddof=1) + np.var(x) + np.median(x) + np.percentile(x, 30) + np.average(x, weights=[1, 2, 3])


@at(*X)
def norms(x):
    return (
        norm(x)
        + norm(x, 1)
        + la.norm(x, np.inf)
        + np.linalg.norm(x, ord=3)
        + norm(DATA * x, "fro")
        + norm(DATA * x, axis=1).sum()
    )


@at(*X)
def determinant(x):
    m = np.diag(x) + np.ones((3, 3)) * 0.1
    return np.linalg.det(m) + np.trace(np.linalg.inv(m)) + np.linalg.slogdet(m @ m.T)[1]


@at(*X)
def eigenvalues(x):
    m = np.outer(x, x) + np.diag([1.0, 2.0, 3.0])
    w, v = np.linalg.eigh(m)
    return w[0] * w[-1] + np.linalg.eigvalsh(m).max() + np.abs(v[0, 0])


@at(*X)
def cholesky_likelihood(x):
    k = np.exp(-0.5 * (np.arange(3)[:, None] - np.arange(3)) ** 2 * np.exp(x[0])) + np.eye(3) * np.exp(x[1])
    chol = np.linalg.cholesky(k)
    y = np.array([1.0, -1.0, 0.5]) - x[2]
    alpha = np.linalg.solve(chol.T, np.linalg.solve(chol, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(chol)))


@at(*X)
def least_squares(x):
    a = DATA * x
    q, *_ = np.linalg.lstsq(a, np.ones(4), rcond=None)
    return np.sum(q**2) + np.linalg.svd(a, compute_uv=False)[0]


@at(*X)
def polynomials(x):
    return np.polyval([1, 2, 3], x[0]) + np.polyval(x, 2.0) + np.polynomial.polynomial.polyval(x[1], [1.0, 2.0, 3.0])


@at(*X)
def polynomial_objects(x):
    p = np.poly1d([1.0, -2.0, 3.0])
    q = np.polynomial.Polynomial([1.0, 0.0, 2.0])
    return p(x[0]) * q(x[1])


@at(*X)
def interpolation(x):
    return np.interp(x[0], [0, 1, 2], [0, 1, 4]) + np.interp([0.2, 0.5], [0.0, 1.0], x[:2]).sum()


@at(*X)
def integration(x):
    t = np.linspace(0, 1, 11)
    y = np.exp(-x[0] * t) * np.sin(x[1] * t)
    return np.trapezoid(y, t) + np.trapezoid(y, dx=0.1) ** 2 + np.gradient(y, t).max()


@at(*X)
def convolution(x):
    return np.sum(np.convolve(x, [1, 2, 1], mode="same") ** 2) + np.correlate(x, x, "full").max()


@at(*X)
def spectrum(x):
    f = np.fft.fft(x)
    return np.sum(np.abs(f) ** 2 * np.arange(3)) + np.fft.rfft(x).real.sum() + np.fft.ifft(f).real[0]


@at(*X)
def complex_numbers(x):
    z = x[0] + 1j * x[1]
    w = z**2 + x[2]
    return abs(w) + w.real * w.imag + np.abs(np.exp(1j * x)).sum() + np.angle(z) + np.real(np.conj(z) * w)


@at(*X)
def logsumexp_by_hand(x):
    m = x.max()
    return m + np.log(np.sum(np.exp(x - m)))


@at(*X)
def sorting(x):
    return np.sort(x) @ [1, 2, 3] + x[np.argsort(-x)][0] ** 2 + sorted(x)[1] + x[np.argmax(x)] * x[x.argmin()]


@at(*X)
def cumulative(x):
    return np.cumsum(x)[-1] ** 2 + np.cumprod(1 + x).sum() + x.cumsum().max() + np.nansum(x) + np.nanmax(x)


@at(*X)
def axes(x):
    m = np.reshape(np.concatenate([x, x**2, 2 * x, x - 1]), (2, 2, 3))
    t = m.transpose(2, 0, 1)
    return t.sum(axis=(0, 2)).prod() + m.swapaxes(0, 1)[0].sum() + np.moveaxis(m, 0, -1).squeeze().max() + m.T[0].sum()


@at(*X)
def vectorized_function(x):
    @np.vectorize
    def relu(t):
        return t if t > 0 else 0.1 * t

    return relu(x).sum() + np.vectorize(lambda a, b: a * b)(x, 2.0).prod()


@at(*X)
def along_axis(x):
    m = np.outer(x, [1.0, 2.0])
    return np.apply_along_axis(lambda row: np.sum(row**2) + row[0], 1, m).sum()


@at(*X)
def meshes(x):
    a, b = np.meshgrid(x, [1.0, 2.0])
    i, j = np.mgrid[0:2, 0:3]
    return np.sum(a * b**2) + np.sum((i + 1) * x[j]) + np.ix_([0, 1])[0].sum() * x[0]


@at(*X)
def tensor_products(x):
    return np.kron(x, x).sum() + np.cross(x, [1, 0, 2]).sum() + np.vdot(x, x) + np.tensordot(x, DATA, axes=(0, 1)).max()


@at(*X)
def triangles(x):
    m = np.outer(x, x)
    return np.triu(m, 1).sum() + np.tril(m).prod(axis=0).sum() + np.diagonal(m).sum() + np.trace(m) + np.diag(m, 1)[0]


@at(*X)
def splitting(x):
    a, b, c = np.split(x, 3)
    head, tail = x[:1], x[1:]
    first, *rest = x
    return (a * b).item() + c[0] + head @ tail[:1] + first * sum(rest) + np.array_split(x, 2)[0].sum()


@at(0.4, 0.95, -0.7)
def many_ufuncs(x):
    return (
        np.sinh(x) + np.cosh(x) + np.tanh(x) + np.arctan(x) + np.arcsinh(x) + np.expm1(x) + np.log1p(x) + np.exp2(x)
        + np.cbrt(x) + np.reciprocal(x) + np.sign(x) * x + np.sinc(x) + np.deg2rad(x) + np.square(x) + np.hypot(x, 1)
        + np.logaddexp(x, 0) + np.copysign(2.0, x) * x + np.floor(x) * x + np.mod(x, 0.3) + np.heaviside(x, 0.5) * x
        + np.float_power(np.abs(x), 1.5) + np.arcsin(x) + np.arccos(x) + np.log2(x + 2) + np.nan_to_num(x)
    ).sum()  # fmt: skip


@at(*X)
def bases(x):
    return (
        np.sum(2.0**x) + np.sum(np.e ** (-x)) + np.power(3, x).sum() + (x**2.5 if x[0] < 0 else np.abs(x) ** 2.5).sum()
    )


@at(*X)
def floor_and_divmod(x):
    q, r = divmod(x[0] * 10, 3)
    return q * r + x[1] // 0.2 + x[2] % 0.4 + np.round(x[0]) * x[1] + np.trunc(x[1] * 5) * x[0]


@at(*X)
def covariances(x):
    d = DATA * x
    return np.cov(d.T).trace() + np.corrcoef(d[:, 0], d[:, 1] + x[2])[0, 1]


@at(*X)
def from_function(x):
    m = np.fromfunction(lambda i, j: np.cos(i * x[0]) + j * x[1], (3, 3))
    return np.sum(m**2) + np.fromiter((xi**2 for xi in x), dtype=float).sum()


@at(*X)
def looks_at_types(x):
    x = np.asarray(x)
    assert isinstance(x, np.ndarray)
    assert isinstance(x[0], float)
    assert x.dtype == float and x.ndim == 1 and np.isscalar(x[0])
    if isinstance(x, (list, tuple)):
        return 0.0
    return np.atleast_2d(x) @ np.atleast_1d(x) if np.ndim(x) == 2 else (np.atleast_2d(x) @ x)[0]


@at(*X)
def enumerates(x):
    total = 0.0
    for (i, j), v in np.ndenumerate(np.outer(x, x)):
        total += v * (i + 1) ** j
    for i in np.ndindex(2, 2):
        total += x[i[0]] * x[i[1]]
    return total


@at(*X)
def allclose_and_any(x):
    if np.any(x > 0.8) and not np.all(x > 0) and not np.allclose(x, 0):
        return np.sum(x**3)
    return 0.0
