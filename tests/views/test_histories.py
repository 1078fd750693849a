from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from tests.views.pixels import colours
from tests.views.runs import bowl, doubling, halving, in_space, on_batches, on_bowl, three, two_on_bowl

from fallline import (
    Comparison,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Linear,
    Momentum,
    MultiStep,
    NotFinite,
    SignDescent,
    Trajectory,
    compare,
    minimize,
)
from fallline.views import histories_data, plot, plot_histories, plot_steps


def legend_of(figure: Figure) -> list[str]:
    """The texts of a figure's only legend, each on one line."""
    legend = figure.legends[0] if figure.legends else figure.axes[0].get_legend()
    assert legend is not None
    return [" ".join(text.get_text().split()) for text in legend.get_texts()]


def test_series_are_the_runs_own() -> None:
    run = halving()
    data = histories_data(run)
    by_name = {panel.quantity: panel.series[0] for panel in data.panels}
    assert list(by_name) == ["value", "gradient_norm", "x"]
    np.testing.assert_array_equal(by_name["value"].numbers, [64, 16, 4, 1, 0.25])
    np.testing.assert_array_equal(by_name["gradient_norm"].numbers, [16, 8, 4, 2, 1])
    rate = histories_data(run, ["rate"]).panels[0].series[0]
    np.testing.assert_array_equal(rate.numbers, [0.25] * 4 + [np.nan])
    np.testing.assert_array_equal(by_name["x"].numbers, [8, 4, 2, 1, 0.5])
    np.testing.assert_array_equal(by_name["x"].times, [0, 1, 2, 3, 4])


def test_decades_get_a_log_axis() -> None:
    logs = {panel.quantity: panel.log for panel in histories_data(halving(20)).panels}
    assert logs == {"value": True, "gradient_norm": True, "x": True}
    assert not any(panel.log for panel in histories_data(halving(2)).panels)


def test_negative_values_get_a_linear_axis() -> None:
    run = minimize(three, (3, 2, 1), SignDescent(0.1), max_steps=250, stop=NotFinite())
    assert run.value.min() < 0
    assert not histories_data(run, ["value"]).panels[0].log


def onto_the_minimum(max_steps: int) -> Trajectory:
    """Nine halvings; the next step ends on the minimum itself."""
    rule = GradientDescent(MultiStep(0.25, factor=2.0, milestones=(9,)))
    return minimize(lambda x: x * x, 8.0, rule, gradient=lambda x: 2 * x, max_steps=max_steps, stop=NotFinite())


def test_a_zero_gradient_keeps_the_log_axis() -> None:
    run = onto_the_minimum(max_steps=10)
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
    assert [panel.name for panel in data.panels] == ["loss", "gradient norm", "w", "b"]


def test_several_runs_share_each_plot() -> None:
    data = histories_data(two_on_bowl())
    assert [len(panel.series) for panel in data.panels] == [2] * 4
    figure = plot_histories(two_on_bowl())
    assert [len(ax.lines) for ax in figure.axes] == [2, 2, 2, 2]
    assert legend_of(figure)[:2] == ["slow", "fast"]


def test_axes_are_named() -> None:
    figure = plot_histories(halving())
    assert [ax.get_ylabel() for ax in figure.axes] == ["f", "gradient norm", "x"]
    # The plot of the first column has one below it, which names the steps.
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "step", "step"]
    # Of two rows, the lower one names the steps.
    assert [ax.get_xlabel() for ax in plot_histories(two_on_bowl()).axes] == ["", "", "step", "step"]


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
    assert [panel.quantity for panel in data.panels[2:]] == ["v1", "v3", "v4", "v5", "v6", "v7"]
    assert data.omitted == 2
    assert "2 more coordinates moved less" in [text.get_text() for text in plot_histories(run).axes[0].texts]


def test_a_diverged_run_is_drawn_until_it_leaves() -> None:
    run = doubling()
    assert run.stop.reason == "not finite"
    figure = plot_histories(run)
    panel = figure.axes[2]
    numbers = np.asarray(panel.lines[0].get_ydata())
    low, high = panel.get_ylim()
    # 2¹¹ = 2048 is the last within a thousand first steps; one more point shows where the line leaves.
    assert np.isfinite(numbers).sum() == 13
    assert low < -2048
    assert high < 4096
    assert figure.axes[0].get_yscale() == "log"
    assert len(colours(figure)) > 10


def test_a_constant_is_not_drawn_as_zero() -> None:
    low, high = histories_data(halving(), "rate").panels[0].limits
    assert 0 < low < 0.25 < high


def test_loaded_runs_without_an_objective_have_histories() -> None:
    run = dataclasses.replace(in_space(), objective=None)
    assert histories_data(run).unit == "step"
    assert len(plot_histories(run).axes) == 5


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
    # The rate halves at step 5: 0.2, then 0.1.
    rules = {"falling": GradientDescent(MultiStep(0.2, factor=0.5, milestones=(5,))), "fixed": GradientDescent(0.05)}
    runs = compare(bowl, (2, 1), rules, gradient=lambda x, y: (2 * x, 6 * y), max_steps=20, stop=NotFinite())
    figure = plot_steps(runs)
    assert [ax.get_ylabel() for ax in figure.axes] == ["length of the step", "learning rate"]
    length, rate = figure.axes
    # From (2, 1) the gradient is (4, 6): the runs' first steps are as long as their rates say, and so is the legend.
    for line, level, expected in zip(length.lines, rate.lines, (0.2, 0.05), strict=True):
        assert np.asarray(level.get_ydata())[0] == expected
        assert np.asarray(line.get_ydata())[0] == pytest.approx(expected * np.hypot(4, 6), rel=1e-6)
    assert legend_of(figure) == ["falling", "fixed"]


def test_steps_of_odd_runs() -> None:
    assert len(colours(plot_steps(doubling()))) > 10
    assert len(colours(plot_steps(halving(1)))) > 10
    still = minimize(lambda x: 1.0 + 0 * x, 8.0, GradientDescent(0.25), max_steps=3)
    assert not histories_data(still, ["step_length"]).panels[0].log
    # A run that ends with a step of length zero keeps its log axis.
    run = onto_the_minimum(max_steps=12)
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


def to_rounding() -> Comparison:
    """On x² + 3 y² from (2, 1): one run shrinks both coordinates far below 1e-30, the other hardly moves."""
    rules = {"fast": GradientDescent(0.16), "slow": GradientDescent(0.002)}
    return compare("x**2 + 3*y**2", (2, 1), rules, max_steps=300, stop=NotFinite())


def test_a_run_that_reaches_rounding_does_not_crush_the_others() -> None:
    runs = to_rounding()
    # (1 - 2 · 0.16)^600 · 4 is about 1e-100.
    assert runs[0].value[-1] < 1e-90
    for quantity in ("value", "gradient_norm", "x"):
        (panel,) = histories_data(runs, quantity).panels
        first = panel.series[0].numbers[0]
        assert panel.floor == pytest.approx(np.finfo(float).eps * first)
        assert panel.limits[0] > 1e-17
        np.testing.assert_allclose(
            panel.series[0].numbers[-1], panel.series[0].numbers[-2] * 0.68 ** (1, 2)[quantity == "value"]
        )
    figure = plot_histories(runs, "value")
    (ax,) = figure.axes
    low, high = ax.get_ylim()
    fast, slow = (np.asarray(line.get_ydata(), float) for line in ax.lines)
    assert (fast >= low).all()
    # The slow run has more than a hundredth of the height: of 1e-100 it would have a two-hundredth.
    height = np.log(slow.max() / slow.min()) / np.log(high / low)
    assert height > 0.05
    assert "less than the rounding of the first number" in legend_of(figure)


def test_a_zero_and_rounding_below_zero_keep_the_log_axis() -> None:
    # The expanded square is 0 or a rounding below it at its minimum.
    run = minimize("x**2 - 2*x + 1", 30.0, GradientDescent(0.1), max_steps=200, stop=NotFinite())
    assert run.value.min() <= 0
    (panel,) = histories_data(run, "value").panels
    assert panel.log
    assert panel.floor == pytest.approx(29**2 * np.finfo(float).eps)
    assert (panel.shown(panel.series[0].numbers) > 0).all()
    # A value that goes far below 0 has no log axis.
    assert not histories_data(minimize("x**2 - 1", 30.0, GradientDescent(0.1)), "value").panels[0].log


def test_a_run_that_diverges_does_not_crush_the_others() -> None:
    rules = {"good": GradientDescent(0.1), "too large": GradientDescent(0.5)}
    runs = compare("x**2 + 3*y**2", (2, 1), rules, max_steps=600, stop=NotFinite())
    assert runs[1].best.value < np.inf
    value, _, _, y = histories_data(runs).panels
    # The good run starts at 7; y of the other doubles and turns.
    assert value.limits[1] == pytest.approx(2 * 1000 * 7)
    assert -2 < y.limits[0] < -0.9
    assert 1 < y.limits[1] < 3
    # By itself it is shown whole.
    assert histories_data(runs[1:], "value").panels[0].limits[1] > 1e140


def test_what_is_constant_is_a_line_of_text() -> None:
    assert histories_data(halving()).constants == ("learning rate: 0.25 throughout",)
    assert histories_data(two_on_bowl()).constants == ("learning rate: 0.05 (slow), 0.2 (fast) throughout",)
    rates = {f"{rate:g}": GradientDescent(rate) for rate in (0.01, 0.02, 0.03, 0.04)}
    many = compare("x**2", 1.0, rates, max_steps=10)
    assert histories_data(many).constants == ("learning rate: constant in each run, 0.01 to 0.04",)
    # A coordinate that stays where it is, too; but not one that moves and comes back.
    still = minimize("x**2 + 0*y", (1, 3), GradientDescent(0.1), max_steps=5)
    assert "y: 3 throughout" in histories_data(still).constants
    there_and_back = minimize("x**2", 1.0, GradientDescent(1.0), max_steps=4, stop=NotFinite())
    assert [panel.quantity for panel in histories_data(there_and_back).panels] == ["x"]
    assert legend_of(plot_histories(two_on_bowl()))[-1] == "learning rate: 0.05 (slow), 0.2 (fast) throughout"


def test_what_is_asked_for_alone_is_drawn_though_constant() -> None:
    data = histories_data(halving(), "rate")
    assert [panel.quantity for panel in data.panels] == ["rate"]
    assert data.constants == ()


def test_steps_may_have_a_log_axis() -> None:
    for figure in (plot_histories(two_on_bowl(), xscale="log"), plot(two_on_bowl(), kind="steps", xscale="log")):
        assert {ax.get_xscale() for ax in figure.axes} == {"log"}
        figure.draw_without_rendering()
    assert {ax.get_xscale() for ax in plot_histories(two_on_bowl()).axes} == {"linear"}
    with pytest.raises(FalllineError, match="xscale is 'lgo'; did you mean 'log'"):
        plot_histories(two_on_bowl(), xscale="lgo")  # type: ignore[arg-type]


def test_targets_are_marked() -> None:
    run = minimize("x**2", 3.0, GradientDescent(0.1), target=1e-6)
    (panel,) = histories_data(run, "value").panels
    assert panel.targets == (1e-6,)
    assert "target 1e−06" in [text.get_text() for text in plot_histories(run, "value").axes[0].texts]
    slope = minimize("x**2", 3.0, GradientDescent(0.1), stop=GradientNorm(1e-3) | NotFinite())
    assert histories_data(slope, "gradient_norm").panels[0].targets == (1e-3,)
    # A target far below what was reached is told, and does not crush the run.
    far = minimize("x**2", 3.0, GradientDescent(0.001), target=1e-12, max_steps=50)
    (ax,) = plot_histories(far, "value").axes
    assert ax.get_ylim()[0] > 1
    assert "target 1e−12 is below" in [text.get_text() for text in ax.texts]
    assert histories_data(dataclasses.replace(run, recipe={}), "value").panels[0].targets == ()


def test_the_lowest_value_is_marked() -> None:
    # Momentum overshoots: the lowest value is not the last.
    run = minimize("x**2", 3.0, Momentum(0.1, momentum=0.9), max_steps=23)
    best = histories_data(run, "value").panels[0].best
    assert best is not None
    row = int(np.argmin(run.value))
    assert row < len(run) - 1
    assert best[:3] == (0, row, run.value[row])
    figure = plot_histories(compare("x**2", 3.0, {"a": GradientDescent(0.1), "b": GradientDescent(0.2)}, max_steps=9))
    assert any(text.startswith("best ") and text.endswith(" at step 9, b") for text in legend_of(figure))


def twenty() -> Comparison:
    rules = {f"momentum {number}": Momentum(0.005, momentum=number / 25) for number in range(20)}
    return compare("(1 - x)**2 + 5*(y - x**2)**2", (-1.5, 2), rules, max_steps=60)


@pytest.mark.long
@pytest.mark.parametrize("context", ["notebook", "paper", "slide"])
def test_twenty_runs_leave_room_for_their_plots(context: str) -> None:
    for quantities in (None, "value"):
        figure = plot_histories(twenty(), quantities, context=context)  # type: ignore[arg-type]
        figure.draw_without_rendering()
        texts = legend_of(figure)
        assert texts[:8] == [*(f"momentum {number}" for number in range(7)), "13 more runs"]
        places = [ax.get_position() for ax in figure.axes if ax.axison]
        assert sum(place.height for place in places if place.x0 == places[0].x0) > 0.4
        legend = figure.legends[0] if figure.legends else figure.axes[0].get_legend()
        assert legend is not None
        box, page = legend.get_window_extent(), figure.bbox
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 < page.y0 + 0.4 * page.height
        assert figure.get_figwidth() <= {"paper": 3.3}.get(context, 20)


def test_many_starts_of_one_rule_are_one_line_of_the_legend() -> None:
    starts = np.random.default_rng(0).uniform(-2, 2, (12, 2))
    texts = legend_of(plot_histories(compare("x**2 + 3*y**2", starts, GradientDescent(0.1), max_steps=20), "value"))
    assert texts[0] == "12 runs: gradient descent, η = 0.1"
    assert len(texts) == 1


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
