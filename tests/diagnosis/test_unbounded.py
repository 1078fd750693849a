"""The finding that there is no lower bound along a coordinate."""

from __future__ import annotations

import pytest
from tests.diagnosis.looks import found, the

import fallline
from fallline.diagnosis import diagnose


def descent(formula: str, start: list[float]) -> fallline.Trajectory:
    return fallline.minimize(formula, start, fallline.GradientDescent(0.01), max_steps=50)


def test_the_coordinate_that_runs_off_is_named() -> None:
    run = fallline.minimize(
        "u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c", [1, 1, 1], fallline.SignDescent(0.05), max_steps=250
    )
    (finding,) = (finding for finding in diagnose(run) if not finding.remark)
    assert finding.title == "y has no lower bound along c"
    assert "As c goes to -infinity" in finding.evidence


@pytest.mark.parametrize(
    ("formula", "start", "along"),
    [
        ("-x**2", [1.0], "x"),
        ("x**3", [-1.0], "x"),
        ("-log(x)", [1.0], "x"),
        ("-exp(x)", [1.0], "x"),
        ("-sqrt(x) + y**2", [1.0, 1.0], "x"),
        ("x - y", [0.0, 0.0], "x and y"),
        ("-x + sin(x)", [1.0], "x"),
    ],
)
def test_functions_that_fall_for_ever(formula: str, start: list[float], along: str) -> None:
    assert the("unbounded", descent(formula, start)).title == f"f has no lower bound along {along}"


@pytest.mark.parametrize(
    ("formula", "start"),
    [
        ("x**2", [3.0]),
        ("exp(-x)", [0.0]),
        ("-atan(x)", [0.0]),
        ("-x/(1 + x**2)", [0.3]),
        ("x**4 - 1000*x**2", [0.1]),
        ("1/x", [1.0]),
        ("sin(x) + 0.0001*x**2", [1.0]),
        ("-tanh(x) + y**2", [0.0, 1.0]),
        ("5 + 0*x", [1.0]),
        ("log(x)", [-1.0]),
    ],
)
def test_functions_with_a_lower_bound_and_starts_from_where_none_can_be_told(formula: str, start: list[float]) -> None:
    assert found("unbounded", descent(formula, start)) is None
