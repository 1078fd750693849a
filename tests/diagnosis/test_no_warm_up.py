"""The finding that the first steps jumped up for want of a warm-up."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, Runs, bowl, found, line, network, rows, run, the

import fallline
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings import no_warm_up as warm_up_file

SHOWN: Runs = {
    "RMSProp with a long memory": lambda: run(bowl(1, 2), [1, 1], fallline.RMSProp(0.12, beta=0.999), 400),
    "RMSProp in four coordinates": lambda: run(
        bowl(1, 2, 3, 3), [1, 1, -1, 1], fallline.RMSProp(0.12, beta=0.999), 400
    ),
    "RMSProp on least squares": lambda: run(line(), np.zeros(4), fallline.RMSProp(0.2, beta=0.999), 400),
    "AdaGrad": lambda: run(bowl(1, 2), [1, 1], fallline.AdaGrad(4.0), 400),
    "AdaGrad on least squares": lambda: run(line(), np.zeros(4), fallline.AdaGrad(4.0), 400),
    "RMSProp on a network": lambda: run(network(), network().initial(0), fallline.RMSProp(0.1, beta=0.999), 400),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("no_warm_up", make()).remedies


FINE: Runs = {
    "a warm-up": lambda: run(
        bowl(1, 2), [1, 1], fallline.RMSProp(fallline.WarmUp(0.12, steps=150, start=0.01), beta=0.999), 400
    ),
    "Adam": lambda: run(bowl(1, 2), [1, 1], A(0.05), 400),
    "a run that diverges": lambda: run(bowl(1, 2), [1, 1], G(1.2), 100),
    "a jump of descent": lambda: run("(x*y - 1)**2", [3.0, 0.5], G(0.2), 400),
    "AdaGrad on columns of different sizes": lambda: run(unscaled(), np.zeros(4), fallline.AdaGrad(1.0), 400),
    "momentum": lambda: run(bowl(1, 100), [1, 1], M(0.033, momentum=0.67), 200),
    "a network": lambda: run(network(), network().initial(0), A(0.05), 300),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("no_warm_up", make()) is None


def unscaled() -> fallline.Linear:
    """The rows, with columns of sizes from 1 to 1000."""
    X, y = rows()
    return fallline.Linear(X * [1.0, 30.0, 1000.0], y)


def test_the_height_of_the_jump() -> None:
    """The first step of RMSProp is η / √(1 - β) along each coordinate."""
    told = the("no_warm_up", run("x**2", [1.0], fallline.RMSProp(0.15, beta=0.999), 400))
    assert told.numbers["peak"] == pytest.approx((1 - 0.15 / np.sqrt(0.001)) ** 2, rel=1e-6)
    assert told.numbers["with_warm_up"] <= told.numbers["start"]


@pytest.mark.parametrize(
    ("make", "ill"),
    [
        # The deviations of columns that vary differ by a factor of 30, and curvatures by its square.
        (lambda: run(fallline.Linear(np.outer([0, 1], [1, 29.9, 0]), [0, 1]), np.zeros(4), G(1e-4), 1), False),
        (lambda: run(fallline.Linear(np.outer([0, 1], [1, 30.1, 0]), [0, 1]), np.zeros(4), G(1e-4), 1), True),
        (lambda: run(fallline.Linear(np.ones((2, 2)), [0, 1]), np.zeros(3), G(1e-4), 1), False),
        (lambda: run(bowl(1, 899), [1, 1], G(1e-4), 1), False),
        (lambda: run(bowl(1, 901), [1, 1], G(1e-4), 1), True),
        (lambda: run(bowl(-1, 899), [1, 1], G(1e-4), 1), False),
        (lambda: run("x**2 + sqrt(y)", [1, -1], G(1e-4), 1), True),
    ],
)
def test_coordinates_of_different_scales(make: Make, ill: bool) -> None:
    assert warm_up_file._ill_scaled(Case.of(make())) == ill
