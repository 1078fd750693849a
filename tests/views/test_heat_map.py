from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.views.pixels import colours

from fallline import Adam, FalllineError, GradientDescent, Momentum, Nesterov, Sweep, sweep
from fallline.arguments import Rule
from fallline.pictures.factor_axis import factor_axis
from fallline.results.sweep import NAMES, NOT_RUN
from fallline.views import heat_map_data, plot_heat_map
from fallline.views.heat_map import cell_colours
from fallline.views.look import Context
from fallline.views.theme import luminance

RATES = [1e-4, 0.1, 0.5, 1.0, 1.8, 2.0, 2.5]
MOMENTA = [0.0, 0.5, 0.9]


def runs() -> Sweep:
    return sweep("x**2/2", 1.0, "momentum", {"learning_rate": RATES, "momentum": MOMENTA}, target=1e-6)


def legend_of(figure: Figure) -> list[str]:
    """The texts of the legend, each on one line."""
    legend = figure.axes[0].get_legend()
    assert legend is not None
    return [" ".join(text.get_text().split()) for text in legend.get_texts()]


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
    assert words[:4] == ["converged", "slow", "oscillating", "diverged"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "momentum")
    # The rule's name is above the cells, and no text hides a cell.
    assert ax.get_title().splitlines()[-1] == "momentum"
    assert "best: learning rate 1, momentum 0, 1 step" in legend_of(figure)
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


def wide() -> Sweep:
    """On (x² + 20 y²) / 2, over five decades of rates."""
    grid = {"learning_rate": np.geomspace(1e-4, 10, 21).tolist(), "momentum": np.linspace(0, 0.9, 7).tolist()}
    return sweep("(x**2 + 20*y**2)/2", (3, 1), Momentum(0.01, momentum=0.3), grid, target=1e-8, max_steps=300)


def test_how_slow_a_cell_is_is_shaded() -> None:
    found = wide()
    data = heat_map_data(found)
    slow = data.outcome == NAMES.index("slow")
    assert slow.sum() > 20
    # One start and one seed: what is left is the run's own value above the target.
    np.testing.assert_array_equal(data.left[slow], found.value[0, :, :, 0, 0].T[slow] - 1e-8)
    assert np.isnan(data.left[~slow]).all()
    light = np.array([luminance(colour) for colour in cell_colours(data)[slow]])
    order = np.argsort(data.left[slow], kind="stable")
    # The 256 shades of a colour map round to neighbours.
    assert (np.diff(light[order]) <= 1e-9).all()
    assert len(np.unique(light)) > 15
    assert [ax.get_ylabel().replace("\n", " ") for ax in plot_heat_map(found).axes[1:]] == ["steps"]
    bar = plot_heat_map(found).axes[1].child_axes[0]
    assert bar.get_ylabel().replace("\n", " ") == "slow: above the target"


def test_without_a_target_slow_is_above_the_lowest_end() -> None:
    found = sweep("x**2/2 + 5", 1.0, GradientDescent(), {"learning_rate": [1e-4, 1e-3, 0.5]}, max_steps=200)
    data = heat_map_data(found)
    np.testing.assert_allclose(data.left[0, :2], found.value.ravel()[:2] - 5, rtol=1e-12)


def test_numbers_stand_where_they_belong() -> None:
    ax = plot_heat_map(wide()).axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    # Cells reach half a gap beyond the outermost values.
    np.testing.assert_allclose(ax.get_xlim(), (1e-4 * 10**-0.125, 10 * 10**0.125))
    np.testing.assert_allclose(ax.get_ylim(), (-0.075, 0.975), atol=1e-12)
    shown = [tick for tick in ax.get_xticks() if 1e-4 <= tick <= 10]
    np.testing.assert_allclose(np.log10(shown), np.round(np.log10(shown)), atol=1e-9)
    assert len(shown) >= 3


@pytest.mark.parametrize(
    ("values", "spacing", "edges"),
    [
        ((0.1, 0.2, 0.3), "linear", (0.05, 0.15, 0.25, 0.35)),
        ((100.0, 10.0, 1.0), "log", (10**2.5, 10**1.5, 10**0.5, 10**-0.5)),
        ((1, 2, 3), "linear", (0.5, 1.5, 2.5, 3.5)),
        ((0.9, 0.99, 0.999), "even", (-0.5, 0.5, 1.5, 2.5)),
        ((0.3, 0.1, 0.2), "even", (-0.5, 0.5, 1.5, 2.5)),
        (("a", "b"), "even", (-0.5, 0.5, 1.5)),
        ((True, False), "even", (-0.5, 0.5, 1.5)),
        ((0.1,), "even", (-0.5, 0.5)),
        ((0.01, 0.1), "log", (10**-2.5, 10**-1.5, 10**-0.5)),
    ],
)
def test_the_spacing_of_an_axis(values: tuple[object, ...], spacing: str, edges: tuple[float, ...]) -> None:
    axis = factor_axis("factor", values)
    assert axis.spacing == spacing
    np.testing.assert_allclose(axis.edges, edges)


def test_the_given_and_the_best_setting_are_marked() -> None:
    found = wide()
    data = heat_map_data(found)
    np.testing.assert_array_equal(data.given, [[0.01, 0.3]])
    best = found.best
    figure = plot_heat_map(found)
    marks = {line.get_marker(): np.asarray(line.get_xydata(), float) for line in figure.axes[0].lines}
    np.testing.assert_allclose(marks["D"], [[0.01, 0.3]])
    np.testing.assert_allclose(marks["*"], [[best.settings["learning_rate"], best.settings["momentum"]]])
    assert "the rule's own setting" in legend_of(figure)
    # A setting beyond the grid is not on the picture.
    grid = {"learning_rate": [0.1, 1.0], "momentum": [0.0, 0.1]}
    assert not len(heat_map_data(sweep("x**2", 1.0, Momentum(5.0, momentum=0.9), grid)).given)
    # Of several rules each has its own.
    rules: dict[str, Rule] = {"plain": GradientDescent(0.2), "heavy": Momentum(0.5)}
    several = sweep("x**2/2", 1.0, rules, {"learning_rate": [0.1, 0.3, 0.5, 0.7]})
    np.testing.assert_array_equal(heat_map_data(several).given, [[0.2, 0], [0.5, 1]])


def test_the_limit_of_stability_of_momentum() -> None:
    # Polyak's heavy ball on curvature λ is stable for η < 2 (1 + β) / λ.
    border = heat_map_data(wide()).border
    assert border is not None
    assert border.curvature == pytest.approx(20)
    # The limit is bisected to a growth of 1e-7 a step.
    np.testing.assert_allclose(border.line[:, 0], 2 * (1 + border.line[:, 1]) / 20, rtol=1e-6)
    assert border.line[0, 1] == 0
    assert border.line[-1, 1] == pytest.approx(0.9)
    swapped = heat_map_data(wide(), x="momentum", y="learning_rate").border
    assert swapped is not None
    np.testing.assert_allclose(swapped.line, border.line[:, ::-1])


def test_the_limit_of_stability_of_other_rules() -> None:
    rates = {"learning_rate": np.linspace(0.05, 0.5, 46).tolist()}
    plain = heat_map_data(sweep("(x**2 + 10*y**2)/2", (1, 1), "gradient_descent", rates)).border
    assert plain is not None
    np.testing.assert_allclose(plain.line[:2, 0], 0.2, rtol=1e-6)
    assert " ".join(plain.text.split()) == "limit of stability by theory: 2/λ = 0.2, λ = 10 at the lowest end"
    # All runs below it converge, all above do not.
    outcome = sweep("(x**2 + 10*y**2)/2", (1, 1), "gradient_descent", rates).outcome.ravel() == 0
    np.testing.assert_array_equal(outcome, np.array(rates["learning_rate"]) < 0.2 - 1e-9)
    # Nesterov's rule: η λ < (2 + 2 β) / (1 + 2 β).
    look_ahead = heat_map_data(sweep("5*x**2", 1.0, Nesterov(momentum=0.5), rates)).border
    assert look_ahead is not None
    assert look_ahead.line[0, 0] == pytest.approx(3 / 2 / 10, rel=1e-6)
    # The border is a line across the row of each rule that has one.
    rules: dict[str, Rule] = {"plain": GradientDescent(), "adaptive": Adam()}
    mixed = heat_map_data(sweep("5*x**2", 1.0, rules, rates)).border
    assert mixed is not None
    np.testing.assert_allclose(mixed.line[:2], [[0.2, -0.5], [0.2, 0.5]], rtol=1e-6)
    assert np.isnan(mixed.line[3:, 0]).all()


def test_where_theory_has_no_limit_none_is_drawn() -> None:
    rates = {"learning_rate": [0.1, 0.5, 1.0]}
    assert heat_map_data(sweep("x**2", 1.0, "adam", rates)).border is None
    assert heat_map_data(sweep("x**2", 1.0, Momentum(0.1), {"momentum": [0.1, 0.5]})).border is None
    # A line has no curvature.
    assert heat_map_data(sweep("x", 1.0, "gradient_descent", rates, max_steps=5)).border is None
    found = dataclasses.replace(sweep("x**2", 1.0, "gradient_descent", rates), objective=None, rules=())
    assert heat_map_data(found).border is None
    assert not len(heat_map_data(found).given)
    assert plot_heat_map(found).axes


def test_cells_without_a_run_are_told_from_the_others() -> None:
    found = wide()
    outcome = found.outcome.copy()
    outcome[:, 10:, 4:] = NOT_RUN
    missing = dataclasses.replace(found, outcome=outcome)
    data = heat_map_data(missing)
    assert data.not_run == pytest.approx(11 * 3 / (21 * 7))
    for style in ("light", "dark"):
        figure = plot_heat_map(missing, style=style)
        assert any(text.startswith("not run: 22.4 %") for text in legend_of(figure))
        (dotted,) = [part for part in figure.axes[0].collections if part.get_hatch() == "...."]
        assert len(dotted.get_paths()) == 33
    assert data.not_run + 0 != heat_map_data(found).not_run == 0


@pytest.mark.parametrize("context", ["notebook", "paper", "slide"])
def test_a_map_of_a_columns_width_fits(context: Context) -> None:
    figure = plot_heat_map(wide(), context=context)
    figure.draw_without_rendering()
    page = figure.bbox
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert box is not None
        # A pixel is lost to rounding.
        assert page.x0 - 1 <= box.x0 < box.x1 <= page.x1 + 1
        assert page.y0 - 1 <= box.y0 < box.y1 <= page.y1 + 1
    assert figure.axes[0].get_position().height > 0.4
    labels = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
    places = [label.get_window_extent() for label in labels]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(places))
