"""No finding about steps and rates is an alarm on a healthy run, and none fails on an odd one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import CHECKS, HEALTHY, G, M, Make, Runs, bowl, line, missing, network, run, well_told

import fallline
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck

OF_STEPS = (
    "clipping_always",
    "decay_dominates",
    "epsilon_dominates",
    "loss_spike",
    "momentum_overshoot",
    "no_warm_up",
    "plateau",
    "rate_decayed",
    "rate_too_large",
    "schedule_idle",
    "sign_dither",
    "too_slow",
    "two_cycle",
    "update_size",
    "zigzag",
)


def told(result: Any) -> set[str]:
    """The names of the findings, which are told as all are; a check that cannot be made says why."""
    names, reasons, case = set(), [], Case.of(result)
    for name in (*OF_STEPS, "wasted_steps"):
        try:
            finding = CHECKS[name].find(case)
        except CannotCheck as reason:
            reasons.append(str(reason))
            continue
        if finding is not None:
            names.add(well_told(finding, name).name)
    assert all(reasons)
    return names


@pytest.mark.parametrize("make", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_run_gives_no_alarm(make: Make) -> None:
    assert told(make()) <= {"wasted_steps"}


def nothing_but_nan(x: Any) -> Any:
    return x * np.nan


ODD: Runs = {
    "one step": lambda: run("x**2", 1.0, G(0.1), 1),
    "the ends only": lambda: run("x**2", 1.0, G(0.01), 50, record="ends"),
    "every tenth step": lambda: run(bowl(1, 2), [1, 1], G(1.2), 100, record=10),
    "huge values": lambda: run("exp(x**2)", 20.0, G(1.0), 50),
    "no finite value": lambda: run("log(x)", -1.0, G(0.1), 5),
    "a constant": lambda: run("5 + 0*x", 1.0, G(0.1), 20),
    "values below zero": lambda: run("x**2 - 1e6", 1.0, G(0.1), 50),
    "batches with ends only": lambda: run(line().batches(8), np.zeros(4), G(0.1), 40, record="ends"),
    "a line search": lambda: run("rosenbrock", [-1.2, 1], G(fallline.Backtracking()), 50),
    "one wrapper in another": lambda: run(
        network(), network().initial(), fallline.ClipNorm(fallline.Cautious(fallline.Adam(0.01))), 30
    ),
    "a rule without the objective": lambda: dataclasses.replace(run("x**2", 1.0, G(1.1), 30), objective=None),
    "an objective without the rule": lambda: dataclasses.replace(run("x**2", 1.0, G(1.1), 30), rule=None),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_an_odd_run_is_no_failure(make: Make) -> None:
    with np.errstate(all="ignore"):
        told(make())


@pytest.mark.parametrize("name", sorted(set(fallline.optimizers.OPTIMIZERS)))
def test_every_rule_can_be_looked_at(name: str) -> None:
    told(run(bowl(1, 5), [1.0, 2.0], name, 60))


def in_batches(**options: Any) -> Any:
    return run(line().batches(8), np.zeros(4), M(0.01), 40, **options)


def every_fifth() -> Any:
    return run("x**2", 1.0, G(1.0), 50, record=5)


@pytest.mark.parametrize(
    ("name", "make", "needs"),
    [
        ("momentum_overshoot", in_batches, "steps on all data"),
        ("two_cycle", in_batches, "steps on all data"),
        ("wasted_steps", in_batches, "steps on all data"),
        ("zigzag", in_batches, "gradients over all data"),
        ("two_cycle", every_fifth, "every step recorded"),
        ("zigzag", every_fifth, "every step recorded"),
        ("sign_dither", every_fifth, "every step recorded"),
        ("update_size", in_batches, "a network"),
        ("loss_spike", lambda: in_batches(record=15), "more than one row for each epoch"),
    ],
)
def test_what_cannot_be_checked_says_what_it_needs(name: str, make: Make, needs: str) -> None:
    assert missing(name, make()) == needs


@pytest.mark.long
def test_a_million_coordinates() -> None:
    def value(x: Any) -> Any:
        return (x**2).sum(axis=-1)

    result = run(value, np.ones(1_000_000), G(1.1), 8, gradient=lambda x: 2 * x)
    assert "rate_too_large" in told(result)
