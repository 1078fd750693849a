"""Barzilai-Borwein, conjugate gradients and L-BFGS compared with their papers and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import fallline
from fallline import LBFGS, BarzilaiBorwein, ConjugateGradient, FalllineError


@pytest.mark.parametrize("short", [False, True])
def test_barzilai_borwein_is_the_papers_recursion(short: bool) -> None:
    # The paper, line by line, on f = (a x² + b y²)/2 in plain floats.
    a, b, rate = 2.0, 20.0, 0.01
    x = (1.0, 1.0)
    points = [x]
    g = (a * x[0], b * x[1])
    for _ in range(8):
        new = (x[0] - rate * g[0], x[1] - rate * g[1])
        g_new = (a * new[0], b * new[1])
        s = (new[0] - x[0], new[1] - x[1])
        y = (g_new[0] - g[0], g_new[1] - g[1])
        sy = s[0] * y[0] + s[1] * y[1]
        rate = sy / (y[0] ** 2 + y[1] ** 2) if short else (s[0] ** 2 + s[1] ** 2) / sy
        x, g = new, g_new
        points.append(x)
    run = fallline.minimize("x**2 + 10*y**2", [1.0, 1.0], BarzilaiBorwein(0.01, short=short), max_steps=8)
    # The method is not monotone, so roundings of its first steps are still seen in its last.
    np.testing.assert_allclose(run.x, points, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    "rule",
    # Fletcher and Reeves' formula is left out: it is known to crawl here, and quadratics are its test.
    [LBFGS(), LBFGS(memory=3), ConjugateGradient(), ConjugateGradient(formula="hager_zhang")],
    ids=lambda rule: rule.label,
)
def test_rosenbrock_in_four_coordinates_is_solved(rule: fallline.Optimizer[object]) -> None:
    run = fallline.minimize(
        rosen, np.array([-1.2, 1.0] * 2), rule, gradient=rosen_der, stop=fallline.GradientNorm(1e-8)
    )
    assert run.stop.reason == "small gradient"
    # Its two minima (Kok and Sandrock, 2009): |x - minimum| <= |g| / (smallest eigenvalue there, above 0.1).
    minima = np.array([[1.0, 1, 1, 1], [-0.77565923, 0.61309337, 0.38206285, 0.14597202]])
    assert np.abs(run.final.x - minima).max(axis=1).min() < 1e-7


def test_lbfgs_needs_about_as_few_steps_as_scipys() -> None:
    from scipy.optimize import minimize

    start = np.array([-1.2, 1.0] * 2)
    theirs = minimize(rosen, start, jac=rosen_der, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 0})
    ours = fallline.minimize(rosen, start, LBFGS(), gradient=rosen_der, stop=fallline.GradientNorm(1e-8))
    assert ours.step_count <= 1.5 * theirs.nit


def test_an_unknown_formula_is_refused() -> None:
    with pytest.raises(FalllineError, match="formula is 'fletcher'; did you mean 'fletcher_reeves'"):
        ConjugateGradient(formula="fletcher")


@pytest.mark.parametrize("formula", ConjugateGradient.FORMULAS)
def test_directions_are_those_of_the_papers(formula: str) -> None:
    # Each paper's β, line by line in plain floats, on gradients of a curved valley and a fixed rate.
    def slope(x: list[float]) -> list[float]:
        return [4 * x[0] ** 3 + x[1], x[0] + 20 * x[1]]

    def dot(a: list[float], b: list[float]) -> float:
        return a[0] * b[0] + a[1] * b[1]

    rate, x = 0.02, [1.5, -1.0]
    g = slope(x)
    d = [-g[0], -g[1]]
    points = [x]
    for _ in range(12):
        x = [x[0] + rate * d[0], x[1] + rate * d[1]]
        points.append(x)
        new = slope(x)
        y = [new[0] - g[0], new[1] - g[1]]
        if formula == "fletcher_reeves":
            beta = dot(new, new) / dot(g, g)
        elif formula == "polak_ribiere":
            beta = max(0.0, dot(new, y) / dot(g, g))
        else:
            dy = dot(d, y)
            twice = 2 * dot(y, y) / dy
            beta = dot([y[0] - twice * d[0], y[1] - twice * d[1]], new) / dy
            beta = max(beta, -1 / (dot(d, d) ** 0.5 * min(0.01, dot(g, g) ** 0.5)))
        d = [-new[0] + beta * d[0], -new[1] + beta * d[1]]
        if dot(d, new) >= 0:
            d = [-new[0], -new[1]]
        g = new
    run = fallline.minimize("x**4 + x*y + 10*y**2", points[0], ConjugateGradient(rate, formula=formula), max_steps=12)
    # A dozen steps of roundings, in products that cancel.
    np.testing.assert_allclose(run.x, points, rtol=1e-10)


def test_polak_ribieres_factor_is_never_negative() -> None:
    # From (1, 0) to a gradient turned by 60° and half as long: g·y = 1/4 - 1/4 = 0; shorter still, below zero.
    rule = ConjugateGradient(1.0)
    state = rule.update(np.array([[1.0, 0.0]]), rule.init(np.zeros((1, 2))), 1.0, 1)[1]
    change, _ = rule.update(np.array([[0.2, 0.1]]), state, 1.0, 2)
    assert change.tolist() == [[0.2, 0.1]]


def test_hager_and_zhangs_factor_is_bounded_below() -> None:
    # d = (-1, 0) and y = (-3, 30): β is -102 by the formula, and at least -1 / (1 * 0.01).
    rule = ConjugateGradient(1.0, formula="hager_zhang")
    state = rule.update(np.array([[1.0, 0.0]]), rule.init(np.zeros((1, 2))), 1.0, 1)[1]
    change, _ = rule.update(np.array([[-2.0, 30.0]]), state, 1.0, 2)
    np.testing.assert_allclose(change, [[-102.0, 30.0]], rtol=1e-14)
