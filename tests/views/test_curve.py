from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.views.pixels import colours
from tests.views.runs import bowl, doubling, halving, on_bowl, square

from fallline import Comparison, FalllineError, GradientDescent, Momentum, compare, minimize
from fallline.views import animate, curve_data, descent_data, plot, plot_curve, plot_descent


def test_values_and_slopes_are_the_functions() -> None:
    data = curve_data("x**2 + 8*sin(x)", (-10, 10), points=101)
    # One rounding of each operation: 1e-13 is some hundred units in the last place of numbers near 100.
    np.testing.assert_allclose(data.value, data.x**2 + 8 * np.sin(data.x), rtol=0, atol=1e-13)
    assert data.slope is not None
    np.testing.assert_allclose(data.slope, 2 * data.x + 8 * np.cos(data.x), rtol=0, atol=1e-13)
    assert (data.x[0], data.x[-1], data.name) == (-10, 10, "x")


def test_slope_of_a_python_function() -> None:
    data = curve_data(square, (-1, 1))
    assert data.slope is not None
    # Central differences of a parabola are exact up to rounding, about 1e-16 / 1e-5.
    np.testing.assert_allclose(data.slope, 2 * data.x, atol=1e-10)
    assert curve_data(square, (-1, 1), derivative=False).slope is None


def test_what_cannot_be_drawn_as_a_curve() -> None:
    with pytest.raises(FalllineError, match="bowl has the coordinates x, y; a curve needs a function of one"):
        curve_data(bowl, (0, 1))
    with pytest.raises(FalllineError, match="nowhere a finite number from -2 to -1"):
        curve_data("log(x)", (-2, -1))
    with pytest.raises(FalllineError, match="bounds is"):
        plot_curve(square, (1, -1))
    with pytest.raises(FalllineError, match="bowl has the coordinates x, y; points on a curve need one"):
        plot_descent(on_bowl())


def test_curve_picture_names_its_axes_and_lines() -> None:
    ax = plot_curve("(x-10)**2", (0, 20)).axes[0]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["f(x)", "df/dx"]
    assert ax.get_xlabel() == "x"
    assert plot_curve("t**2", (0, 1), derivative=False).axes[0].get_ylabel() == "f(t)"


def test_a_pole_is_not_drawn_as_a_wall() -> None:
    figure = plot_curve("1/x", (-1, 1), derivative=False, points=400)
    line = max(figure.axes[0].lines, key=lambda line: np.size(line.get_xdata()))
    y = np.asarray(line.get_ydata())
    jumps = np.abs(np.diff(y))
    low, high = figure.axes[0].get_ylim()
    assert np.nanmax(jumps) < high - low
    assert np.isnan(y).any()


def test_descent_stands_on_the_curve() -> None:
    data = descent_data(halving())
    np.testing.assert_array_equal(data.curve.value, data.curve.x**2)
    assert data.curve.slope is None
    assert data.unit == "step"


def test_descent_points_are_drawn_in_their_colours() -> None:
    figure = plot_descent(halving())
    assert {(255, 0, 0), (255, 255, 0)} <= colours(figure)
    assert figure.axes[0].get_title() == ("gradient descent, η = 0.25\nstep limit after 4 steps: f = 0.25")


def test_runs_one_above_the_other_have_the_labels_that_they_were_given() -> None:
    right, wrong = (
        minimize("x**2", 4.0, "gradient_descent", gradient=slope, max_steps=4)
        for slope in ("auto", lambda x: 2 * x - 1)
    )
    titles = [ax.get_title() for ax in plot_descent({"right": right, "wrong": wrong}).axes]
    assert [title.partition(":")[0] for title in titles] == ["right", "wrong"]
    # What is not given is made from the rule, and told once.
    compared = compare("x**2", 4.0, ["gradient_descent", "adam"], max_steps=4)
    assert [ax.get_title().partition(",")[0] for ax in plot_descent(compared).axes] == ["gradient descent", "Adam"]


def test_the_order_of_steps_is_seen() -> None:
    ax = plot_descent(halving(6)).axes[0]
    joined = ax.lines[1]
    np.testing.assert_array_equal(joined.get_xydata(), [(8 / 2**k, 64 / 4**k) for k in range(7)])
    numbers = {line.get_marker(): np.asarray(line.get_xydata())[0] for line in ax.lines[2:]}
    # 8, 4, 2 and 1: then they are too close.
    assert list(numbers) == ["$1$", "$2$", "$3$"]
    for step, (x, y) in zip((1, 2, 3), numbers.values(), strict=True):
        # Beside its point, above and left of a curve that rises to the right.
        assert x < 8 / 2**step
        assert y > x * x


def test_start_and_end_are_larger_than_what_is_between() -> None:
    ax = plot_descent(halving(40)).axes[0]
    between, ends = ax.collections[1:]
    assert ends.get_sizes()[0] > 2 * between.get_sizes()[0]  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.unique(np.asarray(ends.get_offsets())[:, 0]), [8 / 2**40, 8], rtol=1e-12)


def test_many_runs_share_one_curve_and_mark_their_start_once() -> None:
    runs = {f"{rate:g}": minimize("x**2 + 8*sin(x)", 10, GradientDescent(rate), max_steps=9) for rate in (0.01, 0.02)}
    for count in (2, 20):
        figure = plot_descent({f"{n}": list(runs.values())[n % 2] for n in range(count)}, together=count == 2)
        (ax,) = figure.axes
        (ring,) = ax.collections
        np.testing.assert_array_equal(ring.get_offsets(), [(10, 100 + 8 * np.sin(10))])
        assert figure.get_size_inches()[1] < 10


def test_several_runs_stand_one_above_the_other() -> None:
    figure = plot_descent(Comparison(("short", "long"), (halving(2), halving(6))))
    upper, lower = figure.axes
    assert upper.get_position().y0 > lower.get_position().y0
    assert upper.get_xlim() == lower.get_xlim()
    assert upper.get_xlabel() == ""
    assert lower.get_xlabel() == "x"


def test_ax_is_used() -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot_curve(square, (0, 1), ax=left) is figure
    assert plot_descent(halving(), ax=right) is figure
    assert len(figure.axes) == 2
    assert left.lines
    assert right.collections


def test_several_runs_race_on_one_curve_with_one_legend() -> None:
    runs = {"one": halving(), "two": halving(2)}
    for figure in (plot_descent(runs, together=True), plot_descent(runs, ax=Figure().subplots())):
        (ax,) = figure.axes
        legend = ax.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == [
            "one",
            "two",
        ]
        points = [np.asarray(line.get_xdata()) for line in ax.lines[1:]]
        for drawn, expected in zip(points, ([8, 4, 2, 1, 0.5], [0.5], [8, 4, 2], [2]), strict=True):
            np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize("wrong", [3, Figure()])
def test_ax_must_be_axes(wrong: object) -> None:
    with pytest.raises(FalllineError, match=r"ax is .*; it must be a Matplotlib Axes"):
        plot_descent(halving(), ax=wrong)  # type: ignore[arg-type]


def test_ax_must_be_on_a_figure() -> None:
    ax = Figure().subplots()
    ax.remove()
    for run in (halving(), on_bowl()):
        with pytest.raises(FalllineError, match="ax belongs to no figure"):
            plot(run, ax=ax)


def test_a_run_that_could_not_start_is_drawn() -> None:
    run = minimize(lambda x: 1 / x, 0.0, GradientDescent(0.1))
    assert run.stop.reason == "not finite"
    assert plot_descent(run).axes[0].get_title() == ("gradient descent, η = 0.1\nnot finite after 0 steps: f = inf")


def test_a_start_without_a_finite_value_is_told_of() -> None:
    # exp overflows from 709.8 on: the curve is drawn up to there, and the start at 800 has no place on it.
    run = minimize("exp(x)", 800.0, GradientDescent(0.1))
    texts = [text.get_text() for text in plot_descent(run).axes[0].texts]
    assert texts == ["1 point outside the picture"]


@pytest.mark.parametrize("start", [1e-300, 1.0])
def test_a_run_that_hardly_moved_stands_on_a_curve_as_wide_as_the_axes(start: float) -> None:
    # Matplotlib shows ±0.05 instead of an interval of 1e-300; beside 1, floats are 1e-16 apart.
    run = minimize("x**2", start, GradientDescent(1e-16), max_steps=1)
    ax = plot_descent(run).axes[0]
    x = np.asarray(ax.lines[0].get_xdata())
    assert (x[0], x[-1]) == ax.get_xlim()
    assert np.ptp(x) > 0.1


def test_a_diverged_run_says_what_is_not_shown() -> None:
    figure = plot_descent(doubling())
    assert any("outside the picture" in text.get_text() for text in figure.axes[0].texts)
    assert len(colours(figure)) > 50


def test_runs_that_repeat_a_rule_share_a_curve_and_its_colour() -> None:
    starts = [[-9.0], [-4.0], [2.0], [8.0]]
    runs = compare("x**2 + 8*sin(x)", starts, {"plain": GradientDescent(0.02), "heavy": Momentum(0.01)}, max_steps=9)
    figure = plot_descent(runs)
    (ax,) = figure.axes
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["4 runs: plain", "4 runs: heavy"]
    # The curve, and of each run its points and the last of them.
    assert len(ax.lines) == 1 + 2 * 8
    assert len({line.get_color() for line in ax.lines[1:]}) == 2
    # A film has them side by side, a curve for each rule.
    film = animate(runs, frames=3)
    assert len(film.scene.titles) == 2
    assert film.scene.titles[1][-1] == ("heavy", "step 9")
    assert film.size == animate(runs[:2], frames=3).size
