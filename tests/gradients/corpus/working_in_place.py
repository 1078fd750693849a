"""Arrays that are made, filled and changed on the way."""

# mypy: ignore-errors
import copy

import numpy as np
from tests.gradients.corpus.cases import at


@at(0.2, 0.6, -0.3)
def fills_zeros(x):
    y = np.zeros(3)
    y[0] = x[0] ** 2
    y[1] = np.sin(x[1]) * x[0]
    y[2] = y[0] * y[1] + x[2]
    return np.sum(y**2)


@at(0.2, 0.6, -0.3)
def fills_zeros_like(x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        y[i] = x[i] * (i + 1)
    return y @ y


@at(0.2, 0.6, -0.3)
def fills_empty_matrix(x):
    n = x.shape[0]
    m = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            m[i, j] = x[i] * np.cos(x[j]) if i != j else 3.0
    return np.linalg.det(m)


@at(0.2, 0.6, -0.3)
def fills_matrix_rows(x):
    m = np.zeros((2, 3))
    m[0] = x
    m[1, :] = x[::-1] ** 2
    return (m.T @ m).trace() + m.prod()


@at(0.2, 0.6, -0.3)
def changes_a_view(x):
    m = np.ones((2, 3))
    row = m[0]
    row[:] = x
    row *= 2
    column = m[:, 1]
    column += x[0]
    return np.sum(m**3)


@at(0.2, 0.6, -0.3)
def in_place_operators(x):
    y = x.copy()
    y += 1
    y *= x
    y[1:] *= 2
    y -= y.mean()
    y /= 3.0
    y **= 2
    return y.sum()


@at(0.2, 0.6, -0.3)
def does_not_change_x(x):
    y = x
    y = y * 2
    y[0] = 5
    return (x * y).sum()


@at(0.2, 0.6, -0.3)
def changes_its_argument(x):
    x[0] = x[1] * x[2]
    x += 1
    return np.prod(x)


@at(0.2, 0.6, -0.3)
def rows_in_a_loop(x):
    m = np.outer(x, x)
    for row in m:
        row -= row.mean()
    return np.sum(m**2)


@at(0.2, 0.6, -0.3)
def swaps(x):
    y = np.array(x)
    y[[0, 2]] = y[[2, 0]]
    y[0], y[1] = y[1], y[0]
    return np.dot(y, np.arange(1.0, 4.0) ** 2 * y)


@at(0.2, 0.6, -0.3)
def masks(x):
    y = np.copy(x)
    y[y < 0] = 0
    y[x > 0.5] = 2 * x[x > 0.5] ** 2
    return np.sum(np.exp(y))


@at(0.2, 0.6, -0.3)
def out_argument(x):
    y = np.empty(3)
    np.multiply(x, x, out=y)
    np.add(y, 1.0, out=y)
    np.sqrt(y, y)
    return np.sum(y)


@at(0.2, 0.6, -0.3)
def out_and_where(x):
    y = np.ones_like(x)
    np.divide(1.0, x, out=y, where=x > 0)
    return y.sum()


@at(0.2, 0.6, -0.3)
def fills_diagonal(x):
    m = np.outer(x, x)
    np.fill_diagonal(m, 2 * x)
    return np.linalg.slogdet(m @ m.T + np.eye(3))[1]


@at(0.2, 0.6, -0.3)
def fills_diagonal_with_one(x):
    m = np.outer(x, x)
    np.fill_diagonal(m, 1.0)
    return (m**2).sum()


@at(0.2, 0.6, -0.3)
def adds_at(x):
    bins = np.zeros(2)
    np.add.at(bins, [0, 1, 0], x**2)
    return bins[0] * bins[1]


@at(0.2, 0.6, -0.3)
def copies_to(x):
    y = np.zeros(3)
    np.copyto(y, x**2)
    np.put(y, [0], x[1])
    return (y * np.arange(1, 4)).sum()


@at(0.2, 0.6, -0.3)
def reshaped_in_place(x):
    y = np.concatenate([x, x**2])
    y.shape = (2, 3)
    y.ravel()[0] = 7.0
    return np.sum(y * y[0])


@at(0.2, 0.6, -0.3)
def writes_through_transpose(x):
    m = np.zeros((3, 2))
    m.T[0] = x
    m.T[1] = x * x[0]
    m.flat[5] = 4 * x[1]
    return np.sum(m @ m.T)


@at(0.2, 0.6, -0.3)
def fills_a_list(x):
    terms = []
    for i in range(len(x)):
        terms.append(x[i] ** 2)
    terms.append(1.0)
    return np.sum(terms) + sum(terms) + np.prod(np.array(terms))


@at(0.2, 0.6, -0.3)
def finite_difference_grid(x):
    u = np.zeros(5)
    u[1:-1] = x
    u[0], u[-1] = 1.0, -1.0
    laplacian = u[2:] - 2 * u[1:-1] + u[:-2]
    return 0.5 * np.sum(laplacian**2) + np.sum(np.diff(u) ** 4)


@at(0.2, 0.6, -0.3)
def time_stepping(x):
    u = np.linspace(0, 1, 6)
    for _ in range(4):
        new = u.copy()
        new[1:-1] = u[1:-1] + x[0] * (u[2:] - 2 * u[1:-1] + u[:-2]) + 0.1 * x[1] * u[1:-1] ** 2
        new[0] = x[2]
        u = new
    return np.sum(u**2)


@at(0.2, 0.6)
def state_in_array(x):
    y = np.array([1.0, 0.0])
    dt = 0.1
    trajectory = np.zeros((5, 2))
    for k in range(5):
        a = np.array([y[1], -x[0] * y[0] - x[1] * y[1]])
        y += dt * a
        trajectory[k] = y
    return np.mean((trajectory[:, 0] - 1) ** 2) + np.ptp(trajectory[:, 1])


@at(0.2, 0.6, -0.3)
def deep_copy(x):
    y = copy.deepcopy(x)
    y[0] = 3 * y[1]
    z = copy.copy(x)
    return (y * z).sum()


@at(0.2, 0.6, -0.3)
def dtype_float(x):
    y = np.asarray(x, dtype=float)
    z = np.zeros(len(x), dtype=np.float64)
    z[:] = y
    return (z.astype(float) ** 2).sum() + np.float64(x[0]) * float(x[1])


@at(0.2, 0.6, -0.3)
def accumulates_matrix(x):
    k = np.zeros((4, 4))
    for e in range(3):
        stiffness = np.exp(x[e]) * np.array([[1.0, -1.0], [-1.0, 1.0]])
        k[e : e + 2, e : e + 2] += stiffness
    u = np.linalg.solve(k[1:, 1:], np.array([0.0, 0.0, 1.0]))
    return u[-1]


@at(0.2, 0.6, -0.3)
def index_grids(x):
    m = np.zeros((3, 3))
    i, j = np.triu_indices(3)
    m[i, j] = np.arange(6) * np.repeat(x, 2)
    m[np.diag_indices(3)] += 1
    return np.sum(np.linalg.inv(m))


@at(0.2, 0.6, -0.3)
def put_along(x):
    m = np.outer(x, [1.0, 2.0])
    np.put_along_axis(m, np.array([[0], [1], [0]]), x[:, None] ** 2, axis=1)
    return np.sum(m**2)


@at(0.2, 0.6, -0.3)
def sorts_in_place(x):
    y = x**2
    y.sort()
    return np.dot(y, [1.0, 2.0, 3.0])


@at(0.2, 0.6, -0.3)
def full_of_x(x):
    y = np.full((2, 2), x[0])
    y[0, 1] = x[1]
    z = np.full_like(x, x[2])
    return np.linalg.norm(y) + z.sum()
