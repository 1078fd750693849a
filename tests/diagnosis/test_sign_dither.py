"""The finding that steps of constant length dither about a minimum."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, Make, Runs, bowl, found, line, run, the

import fallline

SHOWN: Runs = {
    "signs on a parabola": lambda: run("x**2", 1.03, fallline.SignDescent(0.1), 100),
    "signs in three coordinates": lambda: run(bowl(1, 2, 3), [1, 2, 1.5], fallline.SignDescent(0.08), 200),
    "Lion": lambda: run(bowl(1, 3), [2, 2], fallline.Lion(0.1), 250),
    "signum": lambda: run(bowl(1, 3), [2, 2], fallline.Signum(0.1), 250),
    "least squares": lambda: run(line(), np.zeros(4), fallline.SignDescent(0.1), 200),
    "a function": lambda: run(
        lambda x: (x**2).sum(), [2.0] * 6, fallline.SignDescent(0.15), 150, gradient=lambda x: 2 * x
    ),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("sign_dither", make()).remedies


FINE: Runs = {
    "on the way": lambda: run(bowl(1, 3), [50, 40], fallline.SignDescent(0.1), 200),
    "a rate that falls": lambda: run(bowl(1, 3), [1, 1], fallline.SignDescent(fallline.Cosine(0.1, 200)), 200),
    "descent": lambda: run(bowl(1, 3), [1, 1], G(0.3), 100),
    "a cycle of descent": lambda: run("x**2", 1.0, G(1.0), 60),
    "Adam": lambda: run(bowl(1, 3), [1, 1], A(0.05), 400),
    "Rprop": lambda: run(bowl(1, 3), [1, 1], fallline.Rprop(0.1), 200),
    "a run that diverges": lambda: run("x**2", 1.0, G(1.1), 60),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("sign_dither", make()) is None


def test_the_length_of_a_step() -> None:
    """In n coordinates it is the rate times √n."""
    finding = the("sign_dither", run(bowl(1, 2, 3, 4), [1, 2, 1.5, 1], fallline.SignDescent(0.07), 200))
    assert finding.numbers["length"] == pytest.approx(0.07 * 2, rel=1e-9)


def test_a_schedule_is_proposed() -> None:
    finding = the("sign_dither", run("x**2", 1.03, fallline.SignDescent(0.1), 100))
    assert finding.remedies[0].settings == {"optimizer": fallline.SignDescent(fallline.Cosine(0.1, 100))}
