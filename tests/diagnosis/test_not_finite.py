"""The finding that a value or a slope is NaN or infinite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import found, the

import fallline
from fallline import ClipNorm, GradientDescent, Perturbation, minimize


@pytest.mark.parametrize(
    ("formula", "start", "rate", "operation"),
    [
        ("log(x) + 3", 1.0, 0.1, "log(-0.00"),
        ("sqrt(x) + y**2", [0.5, 1.0], 0.7, "sqrt(-"),
        ("x - sqrt(1 - x**2)", 0.9, 2.0, "sqrt(-"),
        ("exp(x**2)", 1.0, 3.0, "exp("),
        ("1/x", 0.0, 0.1, "a division by 0"),
        ("x**2/(x - 1)", 1.0, 0.1, "a division by 0"),
        ("asin(x) + x**2", 0.9, 3.0, "asin(-"),
        ("log(2 - x) + x", 3.0, 0.1, "log(-1)"),
    ],
)
def test_the_first_operation_of_a_formula_is_named(formula: str, start: Any, rate: float, operation: str) -> None:
    finding = the("not_finite", minimize(formula, start, GradientDescent(rate)))
    assert operation in finding.evidence


def root(x: Any) -> Any:
    inside = x[0] - 1
    return np.sqrt(inside) + x[1] ** 2


def logarithm(x: Any) -> Any:
    return x**2 + np.log(x - 3)


@pytest.mark.parametrize(
    ("function", "start", "line"), [(root, [1.5, 2.0], "np.sqrt(inside)"), (logarithm, 2.0, "np.log(x - 3)")]
)
def test_the_line_of_a_function_is_named(function: Callable[..., Any], start: Any, line: str) -> None:
    finding = the("not_finite", minimize(function, start, GradientDescent(2.0)))
    assert line in finding.evidence


def test_the_step_is_that_of_the_first_row_that_is_not_finite() -> None:
    run = minimize("log(x)", 1.0, GradientDescent(0.1))
    finding = the("not_finite", run)
    assert finding.since == run.final.step
    assert np.isfinite(run.value[:-1]).all()


def test_a_kink_without_slope_is_named() -> None:
    finding = the("not_finite", minimize("sqrt(x) + x", 0.0, GradientDescent(0.1)))
    assert "kink in sqrt at 0" in finding.evidence


def test_a_smaller_rate_is_the_remedy_and_at_the_start_another_start() -> None:
    finding = the("not_finite", minimize("x - log(x)", 3.0, GradientDescent(8.0)))
    rules = [remedy.settings.get("optimizer") for remedy in finding.remedies]
    assert rules[:2] == [GradientDescent(0.8), ClipNorm(GradientDescent(8.0))]
    better = minimize("x - log(x)", 3.0, GradientDescent(0.8))
    assert better.final.x[0] == pytest.approx(1.0)
    finding = the("not_finite", minimize("log(x)", -1.0, GradientDescent(0.1)))
    assert [remedy.settings for remedy in finding.remedies] == [{}]


@pytest.mark.parametrize(
    ("formula", "start"),
    [
        ("x**2", 1.0),
        ("x - log(x)", 0.5),
        ("exp(x) - x", 1.0),
        ("sqrt(x**2 + 1)", 3.0),
        ("abs(x)", 0.3),
        ("1/x + x", 0.5),
    ],
)
def test_finite_runs_have_no_such_finding(formula: str, start: float) -> None:
    for gradient in ("auto", Perturbation(1e-6, "central")):
        assert found("not_finite", minimize(formula, start, GradientDescent(0.05), gradient=gradient)) is None


def test_a_loaded_run_of_a_function_is_told_without_the_operation(tmp_path: Any) -> None:
    minimize(root, [1.5, 2.0], GradientDescent(2.0)).save(tmp_path / "run.npz")
    finding = the("not_finite", fallline.Trajectory.load(tmp_path / "run.npz"))
    assert "cannot be computed there" in finding.evidence
