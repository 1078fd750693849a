"""The finding that weight decay outweighs the data."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import G, M, Make, Runs, classes, found, line, network, run, the, well_told

import fallline
from fallline.diagnosis.case import Case
from fallline.diagnosis.penalised import outweighing_penalty

SHOWN: Runs = {
    "decoupled, as torch": lambda: run(
        line(), np.ones(4), fallline.WeightDecay(G(0.05), decay=10.0, convention="torch")
    ),
    "decoupled, as the paper": lambda: run(line(), np.ones(4), fallline.WeightDecay(G(0.05), decay=0.2)),
    "coupled": lambda: run(line(), np.ones(4), fallline.CoupledWeightDecay(G(0.05), decay=10.0)),
    "AdamW": lambda: run(line(), np.ones(4), fallline.AdamW(0.01, weight_decay=10.0, convention="torch")),
    "around momentum": lambda: run(line(), np.ones(4), fallline.WeightDecay(M(0.01), decay=20.0, convention="keras")),
    "AdamW as the paper, by a decay that turns the weights over": lambda: run(
        line(), np.ones(4), fallline.AdamW(0.01, weight_decay=10.0), 400
    ),
    "the same of a network": lambda: run(network(), network().initial(0), fallline.AdamW(0.01, weight_decay=5.0), 400),
    "a network": lambda: run(
        network(), network().initial(0), fallline.WeightDecay(G(0.05), decay=10.0, convention="torch")
    ),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("decay_dominates", make()).remedies


FINE: Runs = {
    "no decay": lambda: run(line(), np.ones(4), G(0.1)),
    "a decay of zero": lambda: run(line(), np.ones(4), fallline.WeightDecay(G(0.1), decay=0.0)),
    "AdamW as it comes": lambda: run(line(), np.ones(4), fallline.AdamW(0.05), 400),
    "a modest decay": lambda: run(line(), np.ones(4), fallline.WeightDecay(G(0.1), decay=0.01, convention="torch")),
    "a rate far too large, and a modest decay": lambda: run(
        line(), np.ones(4), fallline.WeightDecay(G(5.0), decay=0.01, convention="torch"), 1000
    ),
    "a network": lambda: run(network(), network().initial(0), fallline.AdamW(0.02, convention="torch"), 400),
    "coupled and modest": lambda: run(line(), np.ones(4), fallline.CoupledWeightDecay(G(0.1), decay=0.001)),
    "a start at zero, modest": lambda: run(
        classes(), np.zeros(4), fallline.WeightDecay(G(1.0), decay=1e-3, convention="torch"), 300
    ),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("decay_dominates", make()) is None


def test_the_part_of_the_decay() -> None:
    """Of descent it is λ ‖x‖ / ‖g‖; at rest both balance, so that it is 1."""
    rule = fallline.WeightDecay(G(0.05), decay=10.0, convention="torch")
    finding = the("decay_dominates", run(line(), np.ones(4), rule, 400))
    assert finding.numbers["part"] == pytest.approx(1, rel=1e-3)  # the median step is on its way to rest
    assert finding.remedies[0].settings["optimizer"].decay == 0.01


def classifier(l2: float) -> fallline.Network:
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 3))
    return fallline.Network(X, (X[:, 0] > 0).astype(int), hidden=(8,), l2=l2)


def test_a_penalty_of_the_model_that_outweighs_the_data() -> None:
    for loss in (line(l2=100.0), classes(l2=20.0), classifier(3.0)):
        start = loss.initial(1) if isinstance(loss, fallline.Network) else np.zeros(4)
        rate = min(0.1, 1 / loss.l2)
        finding = the("decay_dominates", run(loss, start, G(rate), 400))
        assert finding.remedies[0].settings["objective"].l2 == pytest.approx(loss.l2 / 1000)
        milder = fallline.minimize(finding.remedies[1].settings["objective"], start, G(rate), max_steps=400)
        assert finding.numbers["explained"] + 0.2 < finding.numbers["without"]
        assert np.linalg.norm(milder.final.x) > 0.1


def test_at_the_minimum_penalty_and_data_pull_alike() -> None:
    finding = the("decay_dominates", run(line(l2=100.0), np.zeros(4), G(0.01), 2000))
    assert finding.numbers["part"] == pytest.approx(1, rel=1e-6)


def test_a_modest_penalty_is_no_fault() -> None:
    for loss in (line(l2=0.01), line(l2=0.3), classes(l2=0.01), classifier(0.001)):
        start = loss.initial(1) if isinstance(loss, fallline.Network) else np.zeros(4)
        assert found("decay_dominates", run(loss, start, G(0.1), 400)) is None


def held_back(weight: float = 0.2, l2: float = 3.0, start: float = 0.0, **settings: Any) -> Any:
    """What is told of a line through 0 with the slope 1 whose penalty holds it at this weight."""
    x = np.resize([1.0, -1.0], 40)
    allowed = settings.pop("allowance", 40)
    loss = fallline.Linear(x[:, None], x, l2=l2, **settings)
    path = run(loss, [start, 0.0], G(1e-4), 1)
    case = Case.of(dataclasses.replace(path, x=np.array([[start, 0.0], [weight, 0.0]])))
    vars(case)["allowance"] = allowed
    return outweighing_penalty(case)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, True),
        ({"l2": 0.0}, False),
        ({"weight": np.inf}, False),
        # The penalty pulls with λ w, the data with 1 - w: half as strongly.
        ({"l2": 2.04}, True),
        ({"weight": 0.25, "l2": 1.5}, False),
        ({"l2": 1.96}, False),
        # 1 - (1 - w)² is less than half of what a line tells, which is all.
        ({"weight": 0.29}, True),
        ({"weight": 0.296}, False),
        # A few steps explain 0.2 more than the 0.36; three evaluations allow for none from the start.
        ({"allowance": 3, "start": 0.34}, True),
        ({"allowance": 3, "start": 0.33}, False),
    ],
)
def test_when_a_penalty_outweighs_the_data(known: dict[str, Any], told: bool) -> None:
    assert (held_back(**known) is not None) == told


def test_what_is_told_of_a_penalty() -> None:
    finding = well_told(held_back(), "decay_dominates")
    assert finding.numbers == pytest.approx({"part": 0.75, "explained": 0.36, "without": 1.0}, rel=1e-6)
    assert "pulls at the weights 0.75 times as strongly as the data" in finding.evidence
    assert "explains 36% of the variance of the targets" in finding.evidence
    assert [one.settings["objective"].l2 for one in finding.remedies] == [0.003, 0.03]
    # Predictions worse than the mean explain nothing.
    assert "explains 0% of" in held_back(weight=-0.5).evidence


def test_a_method_of_a_users_rule_is_no_decay() -> None:
    @dataclasses.dataclass(frozen=True)
    class Named(fallline.Optimizer[None]):
        learning_rate: float = 0.1

        def decay(self) -> float:
            return 1.0

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
            return rate * gradient, state

    assert found("decay_dominates", run("x**2", 1.0, Named(), 30)) is None
