"""The finding that the gradient is clipped in most steps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, Runs, bowl, found, line, network, run, the

import fallline

SHOWN: Runs = {
    "by the norm": lambda: run(bowl(1, 2), [10, 10], fallline.ClipNorm(G(0.1), limit=1e-3), 200),
    "by each slope": lambda: run(bowl(1, 2), [10, 10], fallline.ClipValue(G(0.1), limit=1e-3), 200),
    "around momentum": lambda: run(line(), np.zeros(4), fallline.ClipNorm(M(0.05), limit=1e-4), 200),
    "inside another wrapper": lambda: run(
        line(), np.zeros(4), fallline.WeightDecay(fallline.ClipNorm(G(0.1), limit=1e-3)), 200
    ),
    "a network": lambda: run(network(), network().initial(0), fallline.ClipNorm(G(0.1), limit=1e-4), 200),
    "batches": lambda: run(line().batches(8), np.zeros(4), fallline.ClipNorm(G(0.1), limit=1e-3), 200),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("clipping_always", make()).remedies


FINE: Runs = {
    "no clipping": lambda: run(bowl(1, 2), [1, 1], G(0.3), 100),
    "a limit above all": lambda: run(bowl(1, 2), [1, 1], fallline.ClipNorm(G(0.3), limit=10.0), 100),
    "the first steps only": lambda: run(bowl(1, 2), [10, 10], fallline.ClipNorm(G(0.3), limit=2.0), 100),
    "a network": lambda: run(network(), network().initial(0), fallline.ClipNorm(A(0.02), limit=1.0), 300),
    "Adam, which undoes it": lambda: run(bowl(1, 2), [1, 1], fallline.ClipValue(A(0.05), limit=1.0), 400),
    "one batch in ten": lambda: run(line().batches(4), np.zeros(4), fallline.ClipNorm(G(0.05), limit=2.0), 400),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("clipping_always", make()) is None


def test_share_and_median_of_the_norms() -> None:
    result = run(bowl(1, 2), [10, 10], fallline.ClipNorm(G(0.1), limit=1e-3), 200)
    finding = the("clipping_always", result)
    assert finding.numbers["clipped"] == 1
    assert finding.numbers["typical"] == pytest.approx(np.median(result.gradient_norm[:-1]))
    assert finding.remedies[0].settings["optimizer"].limit > finding.numbers["typical"]
