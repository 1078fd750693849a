"""The page's maps of basins and of hyperparameters are those that `basins` and `sweep` make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.opened import Opened

import fallline
from fallline.results.sweep import NAMES

pytestmark = pytest.mark.long

SIDE, STEPS = 256, 300
WELLS = ("(x**2 - 1)**2 + y**2", [(-2.0, 2.0), (-1.0, 1.0)])
# Minima of several depths, a kink at each minimum, and a function with none but at infinity and at a saddle.
BASINS = {
    "himmelblau": ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", [(-5.0, 5.0), (-5.0, 5.0)]),
    "waves": ("sin(x)*cos(y) + 0.05*(x**2 + y**2)", [(-6.0, 6.0), (-6.0, 6.0)]),
    "wells": WELLS,
    "kinks": ("abs(x**2 - 1) + abs(y)", [(-2.0, 2.0), (-1.0, 1.0)]),
    "falling": ("x**2 - y**2 + x*y**3/10", [(-2.0, 2.0), (-2.0, 2.0)]),
}
RULES: dict[str, Any] = {
    "gradient descent": fallline.GradientDescent(0.01),
    "momentum": fallline.Momentum(0.004),
    "adam": fallline.Adam(0.1),
    "nesterov": fallline.Nesterov(0.005, convention="torch"),
}
STOP = fallline.GradientNorm(1e-2) | fallline.Evaluations(60)
# From every start they would take Python too long: each pair of formula and rule stands for what others do not have.
CASES = [
    *(
        (formula, rule, None)
        for formula in ("himmelblau", "waves", "wells")
        for rule in ("gradient descent", "momentum", "adam")
    ),
    ("kinks", "gradient descent", None),
    ("falling", "momentum", None),
    ("himmelblau", "nesterov", None),
    ("himmelblau", "gradient descent", STOP),
]


def page_basins(opened: Opened) -> Any:
    opened.page.evaluate("fallline.store.change({basins: true})")
    opened.page.wait_for_function(f"fallline.basins.map?.side === {SIDE}", timeout=60_000)
    return opened.page.evaluate(
        "({basin: [...fallline.basins.map.basin], minima: fallline.basins.map.minima.map(point => [...point])})"
    )


@pytest.mark.parametrize(("formula", "rule", "stop"), CASES)
def test_basins_are_those_of_the_library(
    browser: Any, tmp_path: Path, formula: str, rule: str, stop: fallline.StoppingCondition | None
) -> None:
    text, box = BASINS[formula]
    fallline.explore(text, [0.5, 0.5], RULES[rule], box=box, max_steps=STEPS, stop=stop).save(tmp_path / "page.html")
    # The page's starts are the middles of its cells.
    middles = [(low + (high - low) / (2 * SIDE), high - (high - low) / (2 * SIDE)) for low, high in box]
    ours = fallline.basins(text, middles, RULES[rule], resolution=SIDE, max_steps=STEPS, stop=stop)
    with Opened(browser, tmp_path / "page.html") as opened:
        found = page_basins(opened)
    minima = np.reshape(found["minima"], (-1, 2))
    assert len(minima) == len(ours.minima)
    # Basins of about the same size may stand in another order.
    place = [int(np.abs(ours.minima - minimum).max(axis=1).argmin()) for minimum in minima]
    assert sorted(place) == list(range(len(minima)))
    # Where a run came to rest depends on its last bits; within the reach of a thousandth of the box it is one minimum.
    np.testing.assert_allclose(minima, ours.minima[place], atol=1e-6)
    number = np.array([*place, -2, -1])  # the last two stand for themselves
    basin = number[np.reshape(found["basin"], (SIDE, SIDE))[::-1]]
    differs = basin != ours.basin
    # Between two basins the last bit of a number decides.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(ours.basin, 1, mode="edge"), (3, 3))
    inside = (around == ours.basin[..., None, None]).all(axis=(2, 3))
    assert not (differs & inside).any()
    assert differs.mean() <= 0.001


def test_basins_over_two_of_three_coordinates(browser: Any, tmp_path: Path) -> None:
    text, rule = "(x**2 - 1)**2 + (y - z)**2 + (z**2 - 4)**2/10", fallline.Adam(0.05)
    page = fallline.explore(text, [0.3, 0.4, 0.5], rule, box=[(-2, 2), (-3, 3)], max_steps=STEPS)
    page.save(tmp_path / "page.html")
    box = {"x": (-2 + 2 / SIDE, 2 - 2 / SIDE), "y": (-3 + 3 / SIDE, 3 - 3 / SIDE)}
    ours = fallline.basins(text, box, rule, at={"z": 0.5}, resolution=SIDE, max_steps=STEPS)
    with Opened(browser, tmp_path / "page.html") as opened:
        found = page_basins(opened)
    assert len(found["minima"]) == len(ours.minima)
    sizes = np.bincount(np.array(found["basin"])[np.array(found["basin"]) >= 0])
    expected = np.bincount(ours.basin[ours.basin >= 0])
    assert np.abs(np.sort(sizes) - np.sort(expected)).max() <= 0.001 * SIDE**2


RATES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "momentum": ("himmelblau", fallline.Momentum(0.004), {}),
    "to a target": ("himmelblau", fallline.Momentum(0.004), {"target": 1e-6}),
    "by conditions": ("himmelblau", fallline.Momentum(0.004), {"stop": STOP}),
    "wells, adam": ("wells", fallline.Adam(0.1), {}),
    "waves, heavy ball of torch": ("waves", fallline.Momentum(0.1, convention="torch"), {}),
    "rate alone": ("wells", fallline.GradientDescent(0.1), {}),
}


def page_cells(opened: Opened) -> Any:
    opened.page.evaluate("fallline.store.change({panel: 'rates'})")
    opened.page.wait_for_function("fallline.panels.rates.cells?.across.length === 64", timeout=60_000)
    return opened.page.evaluate(
        "(({across, up, outcome, steps, value, best}) => ({across, up, best, outcome: [...outcome], steps: [...steps],"
        " value: [...value].map(String)}))(fallline.panels.rates.cells)"
    )


@pytest.mark.parametrize("name", RATES)
def test_a_rate_map_is_the_sweep_of_the_library(browser: Any, tmp_path: Path, name: str) -> None:
    formula, rule, settings = RATES[name]
    text, box = BASINS[formula]
    x0, steps = [0.4, -0.7], 200
    fallline.explore(text, x0, rule, box=box, max_steps=steps, **settings).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        found = page_cells(opened)
        other = opened.page.evaluate("fallline.panels.rates.axes[1]?.name")
    grid = {"learning_rate": found["across"]} | ({other: found["up"]} if other else {})
    ours = fallline.sweep(text, x0, rule, grid, max_steps=steps, engine="reference", **settings)
    shape = (len(found["up"]), len(found["across"]))
    outcome, count, value = (np.squeeze(part).reshape(shape[::-1]).T for part in (ours.outcome, ours.steps, ours.value))
    assert [NAMES[k] for k in np.ravel(outcome)] == [NAMES[k] for k in found["outcome"]]
    theirs = np.reshape(np.array(found["value"], float), shape)
    settled = np.isfinite(value) & (outcome != NAMES.index("diverged"))
    # What a step rounds grows where the run is unstable.
    with np.errstate(invalid="ignore"):
        near = np.abs(theirs - value) <= 1e-9 * np.maximum(1, np.abs(value))
    assert near[settled].mean() > 0.99
    assert (near | ~settled | (outcome == NAMES.index("oscillating"))).all()
    best = ours.ranked(1)[0].settings
    assert best["learning_rate"] == found["across"][found["best"] % 64]
    if other:
        assert best[other] == found["up"][found["best"] // 64]
    converged = outcome == NAMES.index("converged")
    assert np.abs(np.reshape(found["steps"], shape) - count)[converged].max(initial=0) <= 1
