from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fallline.optimizers.noise import standard_normal

COORDINATES = np.arange(1.0, 201.0)


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_draws_are_standard_normal(seed: int) -> None:
    drawn = np.array([standard_normal(seed, step, COORDINATES) for step in range(1, 501)])
    # Fixed draws: the test fails for one seed in a thousand and was not chosen to pass.
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3
    assert stats.kstest(drawn[0], "norm").pvalue > 1e-3
    assert stats.kstest(drawn[:, 0], "norm").pvalue > 1e-3


def test_neighbours_in_seed_step_and_coordinate_are_uncorrelated() -> None:
    drawn = np.array([[standard_normal(seed, step, COORDINATES) for step in range(1, 101)] for seed in range(20)])
    for one, other in (
        (drawn[1:], drawn[:-1]),
        (drawn[:, 1:], drawn[:, :-1]),
        (drawn[..., 1:], drawn[..., :-1]),
        (drawn[:, 1:, 1:], drawn[:, :-1, :-1]),
        (drawn[:, 1:, :-1], drawn[:, :-1, 1:]),
    ):
        for power in (1, 2):
            correlation = np.corrcoef(one.ravel() ** power, other.ravel() ** power)[0, 1]
            assert abs(correlation) < 4 / np.sqrt(one.size)


def test_no_draw_is_seen_twice() -> None:
    drawn = np.array([standard_normal(7, step, COORDINATES) for step in range(1, 501)])
    assert len(np.unique(drawn)) == drawn.size
