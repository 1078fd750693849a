"""The finding that weight decay outweighs the data."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import G, M, Make, classes, found, line, network, run, the

import fallline
from fallline.diagnosis.findings.decay_dominates import decay_dominates

SHOWN: dict[str, Make] = {
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
    finding = the(decay_dominates, make())
    assert finding.evidence.endswith(".")
    assert finding.remedies


FINE: dict[str, Make] = {
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
    assert found(decay_dominates, make()) is None


def test_the_part_of_the_decay() -> None:
    """Of descent it is λ ‖x‖ / ‖g‖; at rest both balance, so that it is 1."""
    rule = fallline.WeightDecay(G(0.05), decay=10.0, convention="torch")
    finding = the(decay_dominates, run(line(), np.ones(4), rule, 400))
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
        finding = the(decay_dominates, run(loss, start, G(rate), 400))
        assert finding.remedies[0].settings["objective"].l2 == pytest.approx(loss.l2 / 1000)
        milder = fallline.minimize(finding.remedies[1].settings["objective"], start, G(rate), max_steps=400)
        assert finding.numbers["explained"] + 0.2 < finding.numbers["without"]
        assert np.linalg.norm(milder.final.x) > 0.1


def test_at_the_minimum_penalty_and_data_pull_alike() -> None:
    finding = the(decay_dominates, run(line(l2=100.0), np.zeros(4), G(0.01), 2000))
    assert finding.numbers["part"] == pytest.approx(1, rel=1e-6)


def test_a_modest_penalty_is_no_fault() -> None:
    for loss in (line(l2=0.01), line(l2=0.3), classes(l2=0.01), classifier(0.001)):
        start = loss.initial(1) if isinstance(loss, fallline.Network) else np.zeros(4)
        assert found(decay_dominates, run(loss, start, G(0.1), 400)) is None
