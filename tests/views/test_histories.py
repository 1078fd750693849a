from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from tests.views.pixels import colours
from tests.views.runs import doubling, halving, in_space, on_batches, on_bowl, three, two_on_bowl

from fallline import (
    Comparison,
    FalllineError,
    GradientDescent,
    Linear,
    Momentum,
    MultiStep,
    NotFinite,
    SignDescent,
    compare,
    minimize,
)
from fallline.views import histories_data, plot_histories, plot_steps


def test_series_are_the_runs_own() -> None:
    run = halving()
    data = histories_data(run)
    by_name = {panel.quantity: panel.series[0] for panel in data.panels}
    assert list(by_name) == ["value", "gradient_norm", "rate", "x"]
    np.testing.assert_array_equal(by_name["value"].numbers, [64, 16, 4, 1, 0.25])
    np.testing.assert_array_equal(by_name["gradient_norm"].numbers, [16, 8, 4, 2, 1])
    np.testing.assert_array_equal(by_name["rate"].numbers, [0.25] * 4 + [np.nan])
    np.testing.assert_array_equal(by_name["x"].numbers, [8, 4, 2, 1, 0.5])
    np.testing.assert_array_equal(by_name["x"].times, [0, 1, 2, 3, 4])


def test_decades_get_a_log_axis() -> None:
    logs = {panel.quantity: panel.log for panel in histories_data(halving(20)).panels}
    assert logs == {"value": True, "gradient_norm": True, "rate": False, "x": True}
    assert not any(panel.log for panel in histories_data(halving(2)).panels)


def test_negative_values_get_a_linear_axis() -> None:
    run = minimize(three, (3, 2, 1), SignDescent(0.1), max_steps=250, stop=NotFinite())
    assert run.value.min() < 0
    assert not histories_data(run, ["value"]).panels[0].log


def test_a_zero_gradient_keeps_the_log_axis() -> None:
    # Nine halvings, and the next step ends on the minimum itself.
    run = minimize(
        lambda x: x * x,
        8.0,
        GradientDescent(MultiStep(0.25, factor=2.0, milestones=(9,))),
        gradient=lambda x: 2 * x,
        max_steps=10,
        stop=NotFinite(),
    )
    assert run.final.gradient_norm == 0
    assert histories_data(run, "gradient_norm").panels[0].log


def test_a_gradient_that_is_always_zero_is_drawn() -> None:
    run = minimize(lambda x: 1.0 + 0 * x, 8.0, GradientDescent(0.25), max_steps=3)
    assert not histories_data(run, ["gradient_norm"]).panels[0].log
    assert len(colours(plot_histories(run))) > 10


def test_batches_are_told_in_epochs() -> None:
    data = histories_data(on_batches(epochs=3))
    assert data.unit == "epoch"
    np.testing.assert_array_equal(data.panels[0].series[0].times, np.arange(13) / 4)
    assert [panel.name for panel in data.panels] == ["loss", "gradient norm", "learning rate", "w", "b"]


def test_several_runs_share_each_plot() -> None:
    data = histories_data(two_on_bowl())
    assert [len(panel.series) for panel in data.panels] == [2] * 5
    figure = plot_histories(two_on_bowl())
    assert [len(ax.lines) for ax in figure.axes] == [2, 2, 2, 2, 2, 0]
    (legend,) = figure.legends
    assert [text.get_text().split(":")[0] for text in legend.get_texts()] == ["slow", "fast"]


def test_axes_are_named() -> None:
    figure = plot_histories(halving())
    assert [ax.get_ylabel() for ax in figure.axes] == ["f", "gradient norm", "learning rate", "x"]
    assert {ax.get_xlabel() for ax in figure.axes} == {"step"}


def test_one_quantity_takes_ax() -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_histories(two_on_bowl(), "value", ax=right) is figure
    assert len(right.lines) == 2
    assert not left.lines
    assert right.get_legend() is not None
    with pytest.raises(FalllineError, match="ax takes one quantity, but quantities are 2"):
        plot_histories(halving(), ["value", "x"], ax=left)


@pytest.mark.parametrize(
    ("quantities", "message"),
    [
        (["loss"], "quantities names 'loss'; Allowed: value, gradient_norm, rate, step_length, x"),
        ([], "quantities is empty"),
    ],
)
def test_unknown_quantities_are_refused(quantities: list[str], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        plot_histories(halving(), quantities)


def test_of_many_coordinates_the_farthest_are_shown() -> None:
    start = np.array([1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0])
    run = minimize(lambda v: float((v * v).sum()), start, GradientDescent(0.5), max_steps=2)
    data = histories_data(run)
    assert [panel.quantity for panel in data.panels[3:]] == ["v1", "v3", "v4", "v5", "v6", "v7"]
    assert data.omitted == 2
    assert "2 more coordinates moved less" in [text.get_text() for text in plot_histories(run).axes[0].texts]


def test_a_diverged_run_is_drawn_until_it_leaves() -> None:
    run = doubling()
    assert run.stop.reason == "not finite"
    figure = plot_histories(run)
    panel = figure.axes[3]
    numbers = np.asarray(panel.lines[0].get_ydata())
    low, high = panel.get_ylim()
    # 2¹¹ = 2048 is the last within a thousand first steps; one more point shows where the line leaves.
    assert np.isfinite(numbers).sum() == 13
    assert low < -2048
    assert high < 4096
    assert figure.axes[0].get_yscale() == "log"
    assert len(colours(figure)) > 10


def test_a_constant_is_not_drawn_as_zero() -> None:
    low, high = next(p.limits for p in histories_data(halving()).panels if p.quantity == "rate")
    assert 0 < low < 0.25 < high


def test_loaded_runs_without_an_objective_have_histories() -> None:
    run = dataclasses.replace(in_space(), objective=None)
    assert histories_data(run).unit == "step"
    assert len(plot_histories(run).axes) == 6


def test_runs_of_any_label_can_be_overlaid() -> None:
    figure = plot_histories(Comparison(("$a", "b$"), (on_bowl(), on_bowl(0.05))), "value")
    assert len(colours(figure)) > 10


def test_step_lengths_are_the_moves() -> None:
    data = histories_data(halving(), ["step_length"])
    np.testing.assert_array_equal(data.panels[0].series[0].numbers, [4, 2, 1, 0.5, np.nan])
    assert data.panels[0].name == "length of the step"
    # Euclidean, over all coordinates: the first step on the bowl is 0.1 (4, 6).
    run = on_bowl()
    assert histories_data(run, ["step_length"]).panels[0].series[0].numbers[0] == pytest.approx(0.1 * np.hypot(4, 6))


def test_a_thinned_run_has_no_step_lengths() -> None:
    run = minimize(lambda x: x * x, 8.0, GradientDescent(0.25), max_steps=10, record=2)
    assert np.isnan(histories_data(run, ["step_length"]).panels[0].series[0].numbers).all()
    assert plot_steps(run).axes


def test_step_sizes_beside_the_rate() -> None:
    figure = plot_steps(two_on_bowl())
    assert [ax.get_ylabel() for ax in figure.axes] == ["length of the step", "learning rate"]
    length, rate = figure.axes
    # From (2, 1) the gradient is (4, 6): the runs' first steps are as long as their rates say, and so is the legend.
    for line, level, expected in zip(length.lines, rate.lines, (0.05, 0.2), strict=True):
        assert np.asarray(level.get_ydata())[0] == expected
        assert np.asarray(line.get_ydata())[0] == pytest.approx(expected * np.hypot(4, 6), rel=1e-6)
    assert len(figure.legends[0].get_texts()) == 2


def test_steps_of_odd_runs() -> None:
    assert len(colours(plot_steps(doubling()))) > 10
    assert len(colours(plot_steps(halving(1)))) > 10
    still = minimize(lambda x: 1.0 + 0 * x, 8.0, GradientDescent(0.25), max_steps=3)
    assert not histories_data(still, ["step_length"]).panels[0].log
    # A run that ends with a step of length zero keeps its log axis.
    run = minimize(
        lambda x: x * x,
        8.0,
        GradientDescent(MultiStep(0.25, factor=2.0, milestones=(9,))),
        gradient=lambda x: 2 * x,
        max_steps=12,
        stop=NotFinite(),
    )
    assert histories_data(run, ["step_length"]).panels[0].series[0].numbers[-2] == 0
    assert histories_data(run, ["step_length"]).panels[0].log


def test_three_quantities_stand_side_by_side() -> None:
    data = histories_data(on_bowl(), ("value", "x", "y"))
    assert (data.rows, data.columns) == (1, 3)


def test_numbers_too_large_for_a_log_axis_are_drawn() -> None:
    run = minimize("1e200*x**2", 1e50, GradientDescent(1e-201), max_steps=20)
    value = histories_data(run, ("value",)).panels[0]
    assert value.limits[0] < run.value.min() < run.value.max() < value.limits[1]
    assert plot_histories(run).axes


def repeats(spread: Any = "quartiles", **options: Any) -> Figure:
    starts = [[-3.0, 1.0], [1.0, 2.0], [2.0, -1.0], [0.5, 0.5]]
    rules: Any = {"plain": GradientDescent(0.05), "heavy": Momentum(0.02)}
    return plot_histories(compare("x**2 + 3*y**2", starts, rules, max_steps=30), "value", spread=spread, **options)


@pytest.mark.parametrize("spread", ["quartiles", "deviation"])
def test_repeated_runs_are_faint_behind_the_band_of_their_rule(spread: Any) -> None:
    ax = repeats(spread).axes[0]
    lines: Any = ax.lines
    runs, middles = lines[:8], lines[8:]
    bands: list[Any] = list(ax.collections)
    assert len(middles) == len(bands) == 2
    assert len({line.get_color() for line in lines}) == 2
    for behind, middle, band in zip((runs[0], runs[4]), middles, bands, strict=True):
        assert behind.get_color() == middle.get_color()
        assert to_hex(band.get_facecolor()[0]) == to_hex(middle.get_color())
        assert behind.get_linewidth() < middle.get_linewidth()
        # What is in front: the middle, then the band, then the runs.
        assert middle.get_zorder() > band.get_zorder() > behind.get_zorder()
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["4 runs: plain", "4 runs: heavy"]


def test_the_band_that_is_drawn_is_that_of_the_data() -> None:
    figure = repeats()
    starts = np.array([[-3.0, 1.0], [1.0, 2.0], [2.0, -1.0], [0.5, 0.5]])
    # Each step of gradient descent multiplies x by 0.9, and y by 0.7.
    steps = np.arange(31)
    x, y = starts[:, :1] * 0.9**steps, starts[:, 1:] * 0.7**steps
    low, middle, high = np.quantile(x**2 + 3 * y**2, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose(np.asarray(figure.axes[0].lines[8].get_ydata()), middle, rtol=1e-12)  # rounding
    (outline,) = figure.axes[0].collections[0].get_paths()
    vertices = np.asarray(outline.vertices, float)
    for step in (0, 13, 30):
        edges = vertices[vertices[:, 0] == step, 1]
        np.testing.assert_allclose([edges.min(), edges.max()], [low[step], high[step]], rtol=1e-12)


def test_a_band_that_goes_below_zero_hides_nothing_on_a_log_axis() -> None:
    runs = compare("x**2", [[1.0], [1e-3], [1e-4], [1e-5]], GradientDescent(0.25), max_steps=10)
    ax = plot_histories(runs, "value", spread="deviation").axes[0]
    assert ax.get_yscale() == "log"
    (outline,) = ax.collections[0].get_paths()
    mean = np.asarray(ax.lines[-1].get_ydata())
    assert np.asarray(outline.vertices, float)[:, 1].min() == pytest.approx(mean.min(), rel=1e-12)
    assert [text.get_text() for text in ax.texts] == ["lower half left out where it is below 0"]


def test_many_runs_take_no_more_ink_than_a_few() -> None:
    loss = Linear(np.arange(8.0), np.arange(8.0) % 3).batches(2)
    few, many = (
        plot_histories(
            compare(loss, [0.0, 0.0], {"plain": GradientDescent(0.01)}, seeds=range(count), max_steps=5), "value"
        )
        for count in (10, 50)
    )
    shares = [sum(line.get_alpha() or 1 for line in figure.axes[0].lines[:-1]) for figure in (few, many)]
    assert shares[0] == pytest.approx(shares[1], rel=1e-12)
    assert len(few.axes[0].get_legend().get_texts()) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("options", [{"style": "dark"}, {"context": "paper"}, {"context": "slide"}])
def test_bands_are_drawn_in_every_look(options: Any) -> None:
    assert len(colours(repeats(**options))) > 10
