"""Classical test functions, as people write them: whole arrays, slices, loops, separate arguments."""

# mypy: ignore-errors
import math
from math import cos, exp, pi, sqrt

import numpy as np
from numpy import abs, arange, cumsum, prod
from tests.gradients.corpus.cases import at

A3 = np.array([[3.0, 10, 30], [0.1, 10, 35], [3.0, 10, 30], [0.1, 10, 35]])
P3 = 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
C = [1.0, 1.2, 3.0, 3.2]


@at(0.3, -0.4, 1.1)
def sphere(x):
    return (x**2).sum()


@at(-1.2, 1.0, 0.4, 0.8)
def rosenbrock_slices(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


@at(-1.2, 1.0, 0.4)
def rosenbrock_loop(x):
    total = 0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


@at(-1.2, 1.0)
def rosenbrock_separate(x, y):
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


@at(0.7, -1.3, 2.2)
def rastrigin(x):
    n = len(x)
    return 10 * n + sum(x**2 - 10 * np.cos(2 * np.pi * x))


@at(0.7, -1.3, 2.2)
def rastrigin_comprehension(x):
    return 10 * len(x) + sum([xi**2 - 10 * cos(2 * pi * xi) for xi in x])


@at(0.5, -1.4, 0.9)
def ackley(x, a=20, b=0.2, c=2 * np.pi):
    x = np.asarray_chkfinite(x)
    n = len(x)
    s1 = sum(x**2)
    s2 = sum(np.cos(c * x))
    return -a * np.exp(-b * np.sqrt(s1 / n)) - np.exp(s2 / n) + a + np.exp(1)


@at(0.5, -1.4)
def ackley_math(x, y):
    return -20.0 * exp(-0.2 * sqrt(0.5 * (x**2 + y**2))) - exp(0.5 * (cos(2 * pi * x) + cos(2 * pi * y))) + math.e + 20


@at(1.2, 3.4, -2.1)
def griewank(x, fr=4000):
    x = np.asarray_chkfinite(x)
    n = len(x)
    j = np.arange(1.0, n + 1)
    s = np.sum(x**2)
    p = prod(np.cos(x / np.sqrt(j)))
    return s / fr - p + 1


@at(1.2, 3.4, -2.1)
def griewank_loop(x):
    s, p = 0.0, 1.0
    for i, xi in enumerate(x, start=1):
        s += xi**2
        p *= np.cos(xi / math.sqrt(i))
    return 1 + s / 4000 - p


@at(0.3, 1.4, -0.6)
def levy(x):
    x = np.asarray_chkfinite(x)
    z = 1 + (x - 1) / 4
    return (
        np.sin(np.pi * z[0]) ** 2
        + np.sum((z[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * z[:-1] + 1) ** 2))
        + (z[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * z[-1]) ** 2)
    )


@at(1.2, 2.4, 0.5)
def michalewicz(x, michalewicz_m=0.5):
    x = np.asarray_chkfinite(x)
    n = len(x)
    j = np.arange(1.0, n + 1)
    return -sum(sin_all(x) * sin_all(j * x**2 / pi) ** (2 * 10))


def sin_all(x):
    return np.sin(x)


@at(0.3, 0.6, 1.4)
def perm(x, b=0.5):
    n = len(x)
    j = np.arange(1.0, n + 1)
    xbyj = np.fabs(x) / j
    return np.mean([np.mean((j**k + b) * (xbyj**k - 1)) ** 2 for k in j / n])


@at(0.3, 0.6, 1.4, 1.1)
def powersum(x, b=(8, 18, 44, 114)):
    x = np.asarray_chkfinite(x)
    n = len(x)
    s = 0
    for k in range(1, n + 1):
        bk = b[min(k - 1, len(b) - 1)]
        s += (np.sum(x**k) - bk) ** 2
    return s


@at(0.3, 0.6, -1.4, 1.1)
def powell_singular(x):
    x = np.asarray_chkfinite(x)
    n = len(x)
    n4 = ((n + 3) // 4) * 4
    if n < n4:
        x = np.append(x, np.zeros(n4 - n))
    x = x.reshape((4, -1))
    f = np.empty_like(x)
    f[0] = x[0] + 10 * x[1]
    f[1] = np.sqrt(5) * (x[2] - x[3])
    f[2] = (x[1] - 2 * x[2]) ** 2
    f[3] = np.sqrt(10) * (x[0] - x[3]) ** 2
    return np.sum(f**2)


@at(0.3, 0.6, -1.4, 1.1, 0.2)
def powell_padded(x):
    n = len(x)
    n4 = ((n + 3) // 4) * 4
    if n < n4:
        x = np.append(x, np.zeros(n4 - n))
    x = x.reshape((4, -1))
    return np.sum((x[0] + 10 * x[1]) ** 2) + np.sum((x[1] - 2 * x[2]) ** 4)


@at(120.3, -310.6, 401.4)
def schwefel(x):
    n = len(x)
    return 418.9829 * n - np.sum(x * np.sin(np.sqrt(abs(x))))


@at(0.3, 0.6, -1.4)
def schwefel_222(x):
    return np.sum(np.abs(x)) + np.prod(np.abs(x))


@at(0.3, 0.6, -1.4)
def schwefel_12(x):
    return (cumsum(x) ** 2).sum()


@at(0.3, 0.6, -1.4)
def schwefel_221(x):
    return np.max(np.abs(x))


@at(0.3, 0.6, -1.4)
def zakharov(x):
    j = arange(1.0, len(x) + 1)
    s2 = sum(j * x) / 2
    return sum(x**2) + s2**2 + s2**4


@at(0.3, 0.6, -1.4)
def dixon_price(x):
    n = len(x)
    j = np.arange(2, n + 1)
    x2 = 2 * x**2
    return sum(j * (x2[1:] - x[:-1]) ** 2) + (x[0] - 1) ** 2


@at(0.3, 0.6, -1.4)
def trid(x):
    return sum((x - 1) ** 2) - sum(x[:-1] * x[1:])


@at(0.3, 0.6, -1.4)
def sum_of_powers(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += abs(x[i]) ** (i + 2)
    return total


@at(-0.3, 1.6, -1.4)
def styblinski_tang(x):
    return 0.5 * np.sum(np.power(x, 4) - 16 * np.power(x, 2) + 5 * x, axis=0)


@at(1.3, 0.7)
def himmelblau(v):
    x, y = v
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@at(1.3, 0.2)
def beale(x):
    y = [1.5, 2.25, 2.625]
    return sum((y[i] - x[0] * (1 - x[1] ** (i + 1))) ** 2 for i in range(3))


@at(1.3, 0.2)
def booth(x, y):
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


@at(2.3, 3.2)
def easom(x, y):
    return -np.cos(x) * np.cos(y) * np.exp(-((x - np.pi) ** 2 + (y - np.pi) ** 2))


@at(-0.3, 0.5)
def goldstein_price(x, y):
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return a * b


@at(2.1, 7.2)
def branin(X):
    x1, x2 = X[0], X[1]
    a, b, c, r, s, t = 1, 5.1 / (4 * np.pi**2), 5 / np.pi, 6, 10, 1 / (8 * np.pi)
    return a * (x2 - b * x1**2 + c * x1 - r) ** 2 + s * (1 - t) * np.cos(x1) + s


@at(0.4, -0.9)
def six_hump_camel(x):
    return (4 - 2.1 * x[0] ** 2 + x[0] ** 4 / 3.0) * x[0] ** 2 + x[0] * x[1] + (-4 + 4 * x[1] ** 2) * x[1] ** 2


@at(0.4, -0.9)
def matyas(x, y):
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


@at(-4.4, -2.9)
def bukin6(x, y):
    return 100 * np.sqrt(np.abs(y - 0.01 * x**2)) + 0.01 * np.abs(x + 10)


@at(1.4, 2.9)
def cross_in_tray(x, y):
    fact = np.abs(np.sin(x) * np.sin(y) * np.exp(np.abs(100 - np.sqrt(x**2 + y**2) / np.pi)))
    return -0.0001 * (fact + 1) ** 0.1


@at(1.4, 2.9)
def eggholder(x, y):
    return -(y + 47) * np.sin(np.sqrt(np.abs(x / 2 + (y + 47)))) - x * np.sin(np.sqrt(np.abs(x - (y + 47))))


@at(1.4, 2.9)
def holder_table(x):
    return -np.abs(np.sin(x[0]) * np.cos(x[1]) * np.exp(np.abs(1 - np.linalg.norm(x) / np.pi)))


@at(0.4, 0.9)
def schaffer2(x, y):
    return 0.5 + (np.sin(x**2 - y**2) ** 2 - 0.5) / (1 + 0.001 * (x**2 + y**2)) ** 2


@at(0.4, 0.9)
def drop_wave(x):
    r2 = np.dot(x, x)
    return -(1 + np.cos(12 * np.sqrt(r2))) / (0.5 * r2 + 2)


@at(0.4, 0.9)
def three_hump_camel(x):
    x, y = x[0], x[1]
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


@at(0.2, 0.5, 0.7)
def hartmann3(x):
    inner = np.sum(A3 * (x - P3) ** 2, axis=1)
    return -np.dot(C, np.exp(-inner))


@at(0.2, 0.5, 0.7)
def hartmann3_loops(xx):
    outer = 0
    for ii in range(4):
        inner = 0
        for jj in range(3):
            inner = inner + A3[ii, jj] * (xx[jj] - P3[ii, jj]) ** 2
        outer = outer + C[ii] * np.exp(-inner)
    return -outer


@at(3.2, 4.5, 4.7, 3.9)
def shekel(x):
    beta = np.array([1, 2, 2, 4, 4]) / 10
    c = np.array([[4, 1, 8, 6, 3], [4, 1, 8, 6, 7], [4, 1, 8, 6, 3], [4, 1, 8, 6, 7]])
    return -np.sum([1 / (np.sum((x - c[:, i]) ** 2) + beta[i]) for i in range(5)])


@at(0.2, 0.5, -0.7)
def langermann(x):
    total = 0
    for k, c in enumerate([1, 2, 5]):
        d = np.linalg.norm(x - k) ** 2
        total -= c * np.exp(-d / np.pi) * np.cos(np.pi * d)
    return total


@at(0.2, 0.5, -0.7, 0.1)
def wood(x):
    x1, x2, x3, x4 = x
    return (
        100 * (x1**2 - x2) ** 2
        + (x1 - 1) ** 2
        + (x3 - 1) ** 2
        + 90 * (x3**2 - x4) ** 2
        + 10.1 * ((x2 - 1) ** 2 + (x4 - 1) ** 2)
        + 19.8 * (x2 - 1) * (x4 - 1)
    )


@at(-0.7, 0.4, 1.2)
def helical_valley(x):
    theta = np.arctan2(x[1], x[0]) / (2 * np.pi)
    r = np.hypot(x[0], x[1])
    return 100 * ((x[2] - 10 * theta) ** 2 + (r - 1) ** 2) + x[2] ** 2


@at(-0.7, 0.4, 1.2)
def helical_valley_branch(x):
    theta = math.atan(x[1] / x[0]) / (2 * math.pi) if x[0] > 0 else math.atan(x[1] / x[0]) / (2 * math.pi) + 0.5
    return 100 * ((x[2] - 10 * theta) ** 2 + (math.hypot(x[0], x[1]) - 1) ** 2) + x[2] ** 2


@at(0.6, 0.4, 1.2)
def broyden_tridiagonal(x):
    r = (3 - 2 * x) * x + 1
    r[:-1] -= 2 * x[1:]
    r[1:] -= x[:-1]
    return r.dot(r)


@at(0.6, 0.4, 1.2)
def chained_wood(x):
    f = 0.0
    i = 0
    while i < len(x) - 1:
        f += (x[i] - 1) ** 2 + 50 * np.square(x[i + 1] - x[i] ** 2)
        i += 1
    return f


@at(0.6, 1.4, 1.2)
def alpine1(x):
    return np.sum(np.abs(x * np.sin(x) + 0.1 * x))


@at(0.6, 1.4, 1.2)
def alpine2(x):
    return np.prod(np.sqrt(x) * np.sin(x))


@at(0.6, 1.4, 1.2)
def salomon(x):
    norm = np.sqrt(np.sum(np.square(x)))
    return 1 - np.cos(2 * np.pi * norm) + 0.1 * norm


@at(0.6, 1.4, -1.2)
def exponential(x):
    return -np.exp(-0.5 * np.sum(np.power(np.atleast_1d(x), 2)))


@at(0.6, 1.4, -1.2)
def ellipsoid(x):
    n = x.size
    weights = 1e3 ** (np.arange(n) / (n - 1))
    return weights @ x**2


@at(0.6, 1.4, -1.2)
def discus_cigar(x):
    return 1e3 * x[0] ** 2 + np.sum(x[1:] ** 2) + 10 * np.inner(x, x) ** 2


@at(0.6, 1.4, -1.2)
def weierstrass(x):
    a, b, kmax = 0.5, 3, 6
    k = np.arange(kmax + 1)
    total = sum(np.sum(a**k * np.cos(2 * np.pi * b**k * (xi + 0.5))) for xi in x)
    return total - len(x) * np.sum(a**k * np.cos(np.pi * b**k))


@at(0.6, 1.4, -1.2)
def happy_cat(x):
    n = float(x.size)
    r2 = np.sum(x**2)
    return np.abs(r2 - n) ** 0.25 + (0.5 * r2 + x.sum()) / n + 0.5


@at(0.6, 1.4)
def mccormick(x):
    return np.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1


@at(0.2, 0.6, -0.3, 0.4)
def penalty_1(x):
    def u(x, a, k, m):
        return np.where(x > a, k * (x - a) ** m, np.where(x < -a, k * (-x - a) ** m, 0))

    y = 1 + (x + 1) / 4
    n = len(x)
    out = 10 * np.sin(np.pi * y[0]) ** 2
    out += np.sum((y[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * y[1:]) ** 2)) + (y[-1] - 1) ** 2
    return np.pi / n * out + u(20 * x, 5, 100, 4).sum()


@at(0.2, 0.6, -0.3)
def box_betts(x):
    i = np.arange(1, 11)
    g = np.exp(-0.1 * i * x[0]) - np.exp(-0.1 * i * x[1]) - (np.exp(-0.1 * i) - np.exp(-i)) * x[2]
    return (g**2).sum(axis=0)


@at(0.2, 0.6, -0.3)
def variably_dimensioned(x):
    n = len(x)
    f = np.zeros(n + 2)
    f[:n] = x - 1
    f[n] = sum(i * (x[i - 1] - 1) for i in range(1, n + 1))
    f[n + 1] = f[n] ** 2
    return np.sum(f**2)
