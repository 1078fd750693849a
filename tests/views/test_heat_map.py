from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.views.pixels import colours

from fallline import FalllineError, GradientDescent, Sweep, sweep
from fallline.results.sweep import NAMES
from fallline.views import heat_map_data, plot_heat_map
from fallline.views.heat_map import cell_colours

RATES = [1e-4, 0.1, 0.5, 1.0, 1.8, 2.0, 2.5]
MOMENTA = [0.0, 0.5, 0.9]


def runs() -> Sweep:
    return sweep("x**2/2", 1.0, "momentum", {"learning_rate": RATES, "momentum": MOMENTA}, target=1e-6)


def test_cells_are_the_runs() -> None:
    found = runs()
    data = heat_map_data(found)
    assert data.names == ("learning_rate", "momentum")
    np.testing.assert_array_equal(data.outcome, found.outcome[0, :, :, 0, 0].T)
    converged = data.outcome == 0
    np.testing.assert_array_equal(data.steps[converged], found.steps[0, :, :, 0, 0].T[converged])
    assert np.isnan(data.steps[~converged]).all()
    # Without momentum: slow, four that converge, one on the border, one that diverges.
    assert [NAMES[place] for place in data.outcome[0]] == ["slow", *["converged"] * 4, "oscillating", "diverged"]
    assert data.best == (3, 0)
    assert sum(data.shares.values()) == pytest.approx(1)


def test_the_axes_may_be_chosen() -> None:
    found = runs()
    data = heat_map_data(found, x="momentum", y="learning_rate")
    np.testing.assert_array_equal(data.outcome, found.outcome[0, :, :, 0, 0])
    assert data.best == (0, 3)


def test_more_steps_are_darker() -> None:
    data = heat_map_data(runs())
    light = cell_colours(data).sum(axis=2)
    converged = data.outcome == 0
    order = np.argsort(data.steps[converged], kind="stable")
    assert (np.diff(light[converged][order]) <= 1e-12).all()


def test_starts_are_pooled_and_the_worse_outcome_counts() -> None:
    # From 0 all runs converge at once; from 1 with a rate above 2 they diverge.
    found = sweep("x**2/2", [[0.0], [1.0]], GradientDescent(), {"learning_rate": [0.5, 2.5]}, target=1e-6)
    data = heat_map_data(found)
    assert [NAMES[place] for place in data.outcome[0]] == ["converged", "diverged"]
    assert data.shares == {"converged": 0.75, "diverged": 0.25}
    assert data.title[1].endswith("2 starts")


def test_other_factors_are_held_at_the_best_or_where_asked() -> None:
    grid = {"learning_rate": [0.1, 0.5], "momentum": [0.0, 0.5], "dampening": [0.0]}
    found = sweep("x**2/2", 1.0, ["momentum", "momentum@torch"], grid, target=1e-6)
    best = found.best.settings
    data = heat_map_data(found)
    assert data.held == {"optimizer": best["optimizer"]}
    assert data.best is not None
    other = heat_map_data(found, at={"optimizer": "momentum@torch"})
    np.testing.assert_array_equal(other.outcome, found.outcome[1, :, :, 0, 0, 0].T)
    rules = heat_map_data(found, y="optimizer", at={"momentum": 0.5})
    np.testing.assert_array_equal(rules.outcome, found.outcome[:, :, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"x": "rate"}, "x names the factor 'rate'; Allowed: optimizer, learning_rate, momentum"),
        ({"y": "seed"}, "y names the factor 'seed'"),
        ({"at": {"momentum": 0.5}}, "at names the factor 'momentum'; Allowed: optimizer"),
        ({"x": "optimizer", "at": {"momentum": 0.4}}, "at has 0.4 for momentum; it must be one of 0.0, 0.5, 0.9"),
    ],
)
def test_mistakes_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        heat_map_data(runs(), **settings)  # type: ignore[arg-type]


def test_the_picture() -> None:
    figure = plot_heat_map(runs())
    ax = figure.axes[0]
    legend = ax.get_legend()
    assert legend is not None
    words = [text.get_text().partition(":")[0] for text in legend.get_texts()]
    assert words == ["converged", "slow", "oscillating", "diverged"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "momentum")
    # The rule's name is above the cells, and no text hides a cell.
    assert ax.get_title().splitlines()[-1] == "momentum"
    assert list(ax.texts) == []
    # Yellow for slow, vermilion for oscillating, grey below the hatching.
    assert {(240, 228, 66), (213, 94, 0), (102, 102, 102)} <= colours(figure)


def test_one_factor_and_nothing_that_converged() -> None:
    found = sweep("x**2/2", 1.0, "gradient_descent", {"learning_rate": [1e-5, 3.0]}, target=1e-6)
    figure = Figure()
    ax = figure.add_subplot()
    assert plot_heat_map(found, ax=ax) is figure
    assert len(figure.axes) == 1
    assert heat_map_data(found).best is None
