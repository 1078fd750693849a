"""Functions in another module that the corpus calls."""

# mypy: ignore-errors
import numpy as np

MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])


def penalised(x, f, weight):
    total = f(x)
    violation = np.zeros(len(x))
    for i, xi in enumerate(x):
        violation[i] = max(0.0, xi - 0.5)
    return total + weight * np.sum(violation**2)


def smooth_hinge(t):
    if t >= 1:
        return 0.0
    return 0.5 - t if t <= 0 else 0.5 * (1 - t) ** 2


def quadratic_form(x, matrix=MATRIX):
    return x.T @ matrix @ x
