"""The finding that the value jumped up in the middle of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import A, G, M, Make, Runs, bowl, classes, found, line, network, rows, run, the

import fallline
from fallline.diagnosis.findings import loss_spike as spike_file

SHOWN: Runs = {
    "two steps at a huge rate": lambda: run(line().batches(16), np.zeros(4), G(jump(0.05, 6.0)), 300),
    "two such steps on all data": lambda: run(line(), np.zeros(4), G(jump(0.003, 6.0)), 300),
    "a network": lambda: run(network(), network().initial(0), G(jump(0.2, 20.0)), 400),
    "one row far off, in batches": lambda: run(far_off().batches(8), np.zeros(4), G(0.01), 300),
    "momentum, which takes some steps to climb": lambda: run(
        lambda x: (x**2).sum(), [3.0, 1.0], M(0.003, momentum=0.6), 300, gradient=Blow(100, 500.0)
    ),
    "a network that comes slowly back": lambda: run(
        network().batches(16), network().initial(0), G(jump(0.05, 10.0)), 300
    ),
    "one slope far too large": lambda: run(lambda x: (x**2).sum(), [2.0, 1.0], G(0.02), 200, gradient=Blow(60, 400.0)),
    "signs with one long step": lambda: run(bowl(1, 2), [3, 3], fallline.SignDescent(jump(0.02, 4.0)), 300),
}


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_runs_that_show_it(make: Make) -> None:
    assert the("loss_spike", make()).remedies


FINE: Runs = {
    "descent": lambda: run(line(), np.zeros(4), G(0.1), 300),
    "batches": lambda: run(line().batches(4), np.zeros(4), G(0.05), 500),
    "batches of one": lambda: run(line().batches(1), np.zeros(4), G(0.05), 500),
    "a high floor of noise": lambda: run(line().batches(1), np.zeros(4), G(0.12), 600),
    "that of two classes": lambda: run(classes().batches(1), np.zeros(4), G(0.5), 600),
    "momentum": lambda: run(bowl(1, 10), [1, 1], M(0.02), 300),
    "Adam": lambda: run(network(), network().initial(0), A(0.05), 400),
    "a run that diverges from the start": lambda: run("x**2", 1.0, G(1.3), 100),
    "a jump at the start": lambda: run("(x*y - 1)**2", [3.0, 0.5], G(0.2), 400),
}


@pytest.mark.parametrize("make", FINE.values(), ids=FINE)
def test_what_only_looks_like_it(make: Make) -> None:
    assert found("loss_spike", make()) is None


def jump(rate: float, large: float) -> fallline.PiecewiseConstant:
    """A rate that is far larger in the steps 150 and 151."""
    return fallline.PiecewiseConstant(rate, milestones=(150, 152), parts=(large / rate, 1.0))


def far_off() -> fallline.Linear:
    """The rows, one of them a thousand deviations away."""
    X, y = rows()
    X = X.copy()
    X[7] *= 40
    return fallline.Linear(X, y)


class Blow:
    """The slope of a bowl, one of them far too large."""

    def __init__(self, at: int, factor: float) -> None:
        self.calls, self.at, self.factor = 0, at, factor

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.calls += 1
        return 2 * x * (self.factor if self.calls == self.at else 1.0)


def test_the_step_and_the_height() -> None:
    result = run(line().batches(16), np.zeros(4), G(jump(0.05, 6.0)), 300)
    told = the("loss_spike", result)
    assert told.numbers["top"] == result.value[100:200].max()
    assert 149 <= told.since <= 152
    assert told.numbers["recovered"]


def grouped(**parts: Any) -> list[tuple[int, int, bool]]:
    """First row, last row and whether it came back, of the jumps of a level of 0, where values are above 5."""
    values = np.zeros(100)
    for place, some in parts.items():
        begin = int(place[2:])
        values[begin : begin + len(some)] = some
    spikes = spike_file._grouped(values, np.zeros(90), values[10:] > 5, 10)
    assert all(spike.level == 0 and (np.diff(spike.rows) == 1).all() for spike in spikes)
    return [(int(spike.rows[0]), int(spike.rows[-1]), spike.recovered) for spike in spikes]


@pytest.mark.parametrize(
    ("parts", "spikes"),
    [
        ({}, []),
        # It is over below half of its height.
        ({"at50": [10, 8, 4.9]}, [(50, 51, True)]),
        ({"at50": [10, 8, 5, 4]}, [(50, 52, True)]),
        ({"at50": [6, 10, 7, 4, 9]}, [(50, 52, True)]),
        ({"at50": [6] * 50}, [(50, 99, False)]),
        ({"at50": [8, np.nan]}, [(50, 99, False)]),
        # Ten rows after its end the next one counts.
        ({"at50": [9], "at60": [9]}, [(50, 50, True)]),
        ({"at50": [9], "at61": [9]}, [(50, 50, True), (61, 61, True)]),
        ({"at10": [9], "at99": [9]}, [(10, 10, True), (99, 99, False)]),
        # More than 15 rows wide it is a swing, if it climbs for more than a fifth of that.
        ({"at50": [9] * 16}, [(50, 65, True)]),
        ({"at50": [6, 6, 6, *[9] * 13]}, [(50, 65, True)]),
        ({"at50": [6, 6, 6, 6, *[9] * 12]}, []),
        ({"at50": [6, 6, 6, 6, *[9] * 11]}, [(50, 64, True)]),
        ({"at50": [*[6] * 16, *[9] * 34]}, [(50, 99, False)]),
        ({"at50": [*[6] * 16, 9, *[4] * 33]}, [(50, 99, False)]),
    ],
)
def test_the_rows_of_a_jump(parts: dict[str, Any], spikes: list[tuple[int, int, bool]]) -> None:
    assert grouped(**parts) == spikes


@pytest.mark.parametrize(("count", "spikes"), [(29, []), (30, [[25]]), (39, [[25]])])
def test_a_jump_is_seen_where_three_windows_of_ten_rows_were_recorded(count: int, spikes: list[list[int]]) -> None:
    values = np.linspace(count, 1, count)
    values[25] = 200
    assert [spike.rows.tolist() for spike in spike_file._spikes(values)] == spikes
    values[0] = np.inf
    assert spike_file._spikes(values) == []


@pytest.mark.parametrize(("count", "size"), [(4000, 1), (4001, 2), (8000, 2), (8001, 3), (12005, 4)])
def test_of_many_rows_the_highest_of_each_stretch_are_looked_at(count: int, size: int) -> None:
    values = np.random.default_rng(0).normal(size=count)
    values[7::100] = np.nan
    steps, highest = spike_file._highest(3 * np.arange(count), values)
    if size == 1:
        assert steps.tolist() == (3 * np.arange(count)).tolist()
        return
    filled = np.where(np.isnan(values), np.inf, values)
    # The first of the highest.
    rows = [max(range(begin, begin + size), key=filled.__getitem__) for begin in range(0, count - size + 1, size)]
    assert steps.tolist() == [3 * row for row in rows]
    assert np.array_equal(highest, values[rows], equal_nan=True)
