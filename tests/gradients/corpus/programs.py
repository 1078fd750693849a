"""Branches, helpers, classes, closures and small models."""

# mypy: ignore-errors
import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import rosen
from tests.gradients.corpus import helpers
from tests.gradients.corpus.cases import at
from tests.gradients.corpus.helpers import penalised, smooth_hinge

RNG = np.random.default_rng(7)
FEATURES = RNG.normal(size=(20, 2))
LABELS = (FEATURES @ [1.0, -2.0] + RNG.normal(size=20) > 0).astype(float)
TIMES = np.linspace(0, 2, 15)
DECAY = 2.0 * np.exp(-1.3 * TIMES) + 0.05 * np.sin(9 * TIMES)


@at(0.4, -0.9)
def branch(x):
    if x[0] > 0 and x[1] < 0:
        return x[0] ** 2 * x[1]
    elif x[0] == 0:
        return 0.0
    return x[0] - x[1]


@at(0.4, -0.9)
def branch_in_loop(x):
    total = 0
    for xi in x:
        if xi < 0:
            total += xi**2
        else:
            total -= 3 * xi**3
    return total


@at(2.4, 1.9)
def newton_iteration(x):
    guess = x[0]
    while abs(guess * guess - x[0] - x[1]) > 1e-10:
        guess = 0.5 * (guess + (x[0] + x[1]) / guess)
    return guess**3


@at(2.4, 1.9)
def count_from_value(x):
    return sum(x[1] ** k / math.factorial(k) for k in range(int(x[0]) + 2)) + x[0] * round(x[1])


@at(2.4, -1.9)
def early_return(x, y):
    if x < 0:
        return np.inf
    penalty = 0
    if y < 0:
        penalty = 100 * y**2
    return x**2 + y + penalty


@at(2.4, -1.9)
def rejects_bad_input(x):
    if not np.all(np.isfinite(x)):
        raise ValueError("x must be finite")
    try:
        return math.log(x[0]) * x[1]
    except ValueError:
        return float("inf")


@at(0.7)
def one_number(x):
    return math.sin(3 * x) + x * abs(x) + math.pow(x, 3) + math.exp(-x) * math.tanh(x) + math.log(x, 2) + math.erf(x)


@at(0.7, 0.4, 1.9)
def math_module(x, y, z):
    return (
        math.sqrt(x * x + y * y) * math.atan2(y, x) + math.fsum([x, y, z]) + math.prod([x, y])
        + math.dist([x, y], [z, 1]) + math.degrees(x) + math.floor(z) * x + math.fabs(y) + math.gamma(z) + math.copysign(x, -1)
        + math.lgamma(z)
    )  # fmt: skip


@at(0.7, 0.4)
def uses_helpers(x):
    return penalised(x, lambda v: np.sum(v**2), 10.0) + smooth_hinge(x[0] - 1) + helpers.quadratic_form(x)


@at(0.7, 0.4)
def imports_inside(x):
    import numpy
    from numpy import cos, zeros
    from numpy.linalg import norm

    y = zeros(2)
    y[0] = cos(x[0])
    y[1] = numpy.sin(x[1])
    return norm(y) ** 2 * y[0]


def _closure():
    weights = np.array([1.0, 3.0])
    shift = [0.5, -0.5]

    def inner(x):
        return weights @ (x - np.array(shift)) ** 4

    return inner


def _scaled(scale, x, offset=0.0):
    return scale * np.sum((x - offset) ** 2) ** 1.5


@at(0.7, 0.4)
def closure(x):
    return _closure()(x)


in_closure = _closure()
in_closure.__name__ = "in_closure"
at(0.7, 0.4)(in_closure)
partial = functools.partial(_scaled, 3.0, offset=np.array([1.0, 2.0]))
partial.__name__ = "partial"
at(0.7, 0.4)(partial)


class Ridge:
    """A model with its data, called as a function."""

    def __init__(self, features, targets, strength=0.1):
        self.features = features
        self.targets = targets
        self.strength = strength

    def residual(self, w):
        return self.features @ w - self.targets

    @property
    def count(self):
        return len(self.targets)

    @staticmethod
    def squared(r):
        out = np.zeros(1)
        out[0] = np.sum(r**2)
        return out[0]

    def loss(self, w):
        return self.squared(self.residual(w)) / self.count + self.strength * np.dot(w, w)

    def __call__(self, w):
        return self.loss(w)


at(0.7, 0.4)(Ridge(FEATURES, LABELS))
ridge_method = Ridge(FEATURES, LABELS).loss
at(0.7, 0.4)(ridge_method)


class Spring:
    def __init__(self, stiffness):
        self.stiffness = stiffness
        self.nodes = np.zeros(3)

    def energy(self, x):
        self.nodes[1:] = x
        return 0.5 * self.stiffness * np.sum(np.diff(self.nodes) ** 2)


@at(0.7, 0.4)
def object_inside(x):
    spring = Spring(stiffness=x[0] ** 2 + 1)
    return spring.energy(x)


@dataclass
class Gaussian:
    mean: float
    width: float

    def log_density(self, t):
        return -0.5 * ((t - self.mean) / self.width) ** 2 - np.log(self.width * math.sqrt(2 * math.pi))


@at(0.7, 0.4)
def gaussian_likelihood(x):
    return -np.sum(Gaussian(x[0], np.exp(x[1])).log_density(FEATURES[:, 0]))


@at(0.7, 0.4, -0.2)
def logistic_regression(w):
    z = FEATURES @ w[1:] + w[0]
    p = 1 / (1 + np.exp(-z))
    return -np.mean(LABELS * np.log(p) + (1 - LABELS) * np.log(1 - p))


@at(0.7, 0.4)
def logistic_loop(w):
    loss = 0.0
    for xi, yi in zip(FEATURES, LABELS):
        z = float(np.dot(xi, w))
        loss += math.log(1 + math.exp(-z)) if yi == 1 else math.log(1 + math.exp(z))
    return loss / len(LABELS)


@at(*(0.1 * k - 0.5 for k in range(13)))
def small_network(p):
    w1 = p[:6].reshape(2, 3)
    b1 = p[6:9]
    w2, b2 = p[9:12], p[12]
    hidden = np.tanh(FEATURES @ w1 + b1)
    out = 1.0 / (1.0 + np.exp(-(hidden @ w2 + b2)))
    return np.mean((out - LABELS) ** 2)


@at(*(0.1 * k - 0.5 for k in range(9)))
def relu_network_softmax(p):
    h = np.maximum(FEATURES @ p[:4].reshape((2, 2)), 0)
    logits = h @ p[4:8].reshape(2, 2) + p[8]
    logits -= logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -log_p[np.arange(20), LABELS.astype(int)].mean()


@at(1.9, 1.1)
def exponential_fit(params):
    a, b = params
    model = a * np.exp(-b * TIMES)
    return np.sum((DECAY - model) ** 2)


@at(1.9, 1.1, 0.3)
def huber_fit(params):
    r = DECAY - params[0] * np.exp(-params[1] * TIMES) - params[2]
    small = np.abs(r) <= 0.1
    return np.sum(np.where(small, 0.5 * r**2, 0.1 * (np.abs(r) - 0.05)))


@at(1.9, 1.1, 0.3)
def runge_kutta(x):
    def f(t, y):
        return np.array([y[1], -x[0] * np.sin(y[0]) - x[1] * y[1]])

    y, h = np.array([x[2], 0.0]), 0.1
    for k in range(8):
        t = k * h
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h / 2 * k1)
        k3 = f(t + h / 2, y + h / 2 * k2)
        k4 = f(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y[0] ** 2 + y[1] ** 2


@at(0.3, 1.1, -0.4, 0.8, 0.2, 1.5)
def lennard_jones(positions):
    r = np.array(positions).reshape(-1, 3)
    energy = 0
    for i in range(len(r)):
        for j in range(i + 1, len(r)):
            d2 = np.sum((r[i] - r[j]) ** 2)
            inv6 = 1 / d2**3
            energy += 4 * (inv6**2 - inv6)
    return energy


@at(0.3, 1.1, -0.4, 0.8)
def distances_squared(x):
    p = x.reshape(2, 2)
    centres = np.array([[0.0, 0], [1, 1], [2, 0]])
    d = np.linalg.norm(p[:, None, :] - centres[None, :, :], axis=-1)
    return d.min(axis=1).sum() + np.sum(np.min(d, axis=0) ** 2)


@at(0.3, 1.1)
def recursive(x):
    def chebyshev(n, t):
        if n == 0:
            return 1
        return t if n == 1 else 2 * t * chebyshev(n - 1, t) - chebyshev(n - 2, t)

    return chebyshev(5, x[0]) * chebyshev(3, x[1])


@at(0.3, 1.1)
def dictionary_of_parameters(x):
    params = {"a": x[0], "b": x[1]}
    terms = {name: value**2 for name, value in params.items()}
    return sum(terms.values()) * params["a"] + max(terms.values())


@at(0.3, 1.1)
def cached_function(x):
    return _cached(x[0]) * _cached(x[1])


@functools.lru_cache
def _cached(t):
    return np.sin(t) * t


@at(0.3, 1.1)
def seeded_noise(x):
    rng = np.random.default_rng(3)
    a = rng.normal(size=(4, 2))
    a[0] = 1.0
    noise = np.random.RandomState(0).rand(4)
    return np.sum((a @ x - noise) ** 2)


@at(0.3, 1.1)
def scipy_special(x):
    return (
        special.erf(x[0])
        + special.gammaln(x + 2).sum()
        + special.logsumexp(x)
        + special.expit(x).prod()
        + special.xlogy(x, x).sum()
    )


@at(0.3, 1.1, 0.7)
def scipy_rosen(x):
    return rosen(x)


@at(0.3, 1.1)
def prints_and_formats(x):
    text = f"{x[0]:.3f} {x}"
    assert len(text) > 3
    return x[0] * x[1]


@at(0.3, 1.1)
def global_constant_changed(x):
    table = TIMES.copy()
    table[0] = x[0]
    return np.sum(table[:3] * x[1])


@at(0.3, 1.1)
def generator_and_map(x):
    def squares(v):
        for t in v:
            yield t * t

    return (
        sum(squares(x)) + sum(map(math.sin, x)) + np.sum(list(map(lambda t: t**3, x))) + sum(filter(lambda t: t > 1, x))
    )


@at(0.3, 1.1)
def returns_array_of_one(x):
    return np.array([x[0] ** 2 + x[1]])


@at(0.3, 1.1)
def returns_python_float(x):
    return float(np.sum(x**2)) * 2
