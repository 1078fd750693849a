from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.views.pixels import colours
from tests.views.runs import bowl, halving, in_space, on_bowl, three, two_on_bowl

from fallline import FalllineError, GradientDescent, Momentum, compare, minimize
from fallline.views import landscape_data, plot_contour, plot_contour_3d, plot_surface
from fallline.views.surface import DROP

PICTURES = [plot_contour, plot_contour_3d, plot_surface]


def test_grid_and_path_are_the_functions() -> None:
    run = on_bowl()
    data = landscape_data(run)
    assert data.grid.value.shape == (256, 256)
    np.testing.assert_array_equal(data.grid.value, data.grid.x**2 + 3 * data.grid.y[:, None] * data.grid.y[:, None])
    np.testing.assert_array_equal(data.paths[0].x, run.x)
    np.testing.assert_array_equal(data.paths[0].value, run.value)


def test_levels_rise_from_the_lowest_to_the_highest() -> None:
    data = landscape_data(on_bowl(), resolution=64)
    assert (np.diff(data.levels) > 0).all()
    assert data.levels[0] == min(data.grid.value.min(), data.paths[0].value.min())
    assert data.levels[-1] == pytest.approx(data.grid.value.max(), rel=1e-15)


def test_levels_of_a_plane_are_even() -> None:
    run = minimize(lambda x, y: x + y, (1, 1), GradientDescent(0.1), max_steps=5)
    data = landscape_data(run, resolution=65)
    # The median of a plane over a square is its middle, so nothing is bent.
    assert data.bend == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(np.diff(data.levels), data.levels[1] - data.levels[0], rtol=1e-9)


def test_a_valley_has_its_share_of_levels() -> None:
    rosenbrock = "(1-x)**2 + 100*(y-x**2)**2"
    run = minimize(rosenbrock, (-1.2, 1), GradientDescent(0.001), max_steps=50)
    data = landscape_data(run, bounds=((-2, 2), (-1, 3)), resolution=64)
    share = np.mean(data.grid.value < np.median(data.levels))
    assert 0.4 < share < 0.6


def test_a_flat_function_is_drawn() -> None:
    run = minimize(lambda x, y: 7.0 + 0 * x * y, (1, 1), GradientDescent(0.1), max_steps=1)
    data = landscape_data(run, resolution=8)
    assert data.heights[0] < 7 < data.heights[1]
    assert len(colours(plot_contour(run, resolution=8))) > 20


@pytest.mark.parametrize("plot", PICTURES)
def test_every_picture_names_its_axes(plot: Callable[..., Figure]) -> None:
    ax = plot(on_bowl(), resolution=32).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.get_title().startswith("gradient descent, η = 0.1\nstep limit after 30 steps: f = ")


@pytest.mark.parametrize("plot", PICTURES)
def test_every_picture_shows_the_path_from_red_to_yellow(plot: Callable[..., Figure]) -> None:
    assert {(255, 0, 0), (255, 255, 0)} <= colours(plot(on_bowl(), resolution=32))


@pytest.mark.parametrize("plot", PICTURES)
def test_several_runs_have_a_legend(plot: Callable[..., Figure]) -> None:
    runs = two_on_bowl()
    ax = plot(runs, resolution=32).axes[0]
    legend = ax.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[:2] == ["slow", "fast"]
    assert ax.get_title() == "bowl"


@pytest.mark.parametrize("plot", PICTURES)
def test_several_runs_have_colours_of_their_own(plot: Callable[..., Figure]) -> None:
    # Black and vermilion, the first two of Okabe and Ito's colours.
    assert {(0, 0, 0), (213, 94, 0)} <= colours(plot(two_on_bowl(), resolution=32))


@pytest.mark.parametrize("plot", PICTURES)
def test_ax_is_used(plot: Callable[..., Figure]) -> None:
    figure = Figure()
    solid = plot is not plot_contour
    ax = figure.add_subplot(1, 2, 1, projection="3d" if solid else None)
    assert plot(on_bowl(), resolution=16, ax=ax) is figure
    assert ax.get_xlabel() == "x"
    wrong = figure.add_subplot(1, 2, 2, projection=None if solid else "3d")
    with pytest.raises(FalllineError, match="ax has the projection"):
        plot(on_bowl(), resolution=16, ax=wrong)


@pytest.mark.parametrize("plot", PICTURES)
def test_diverged_and_short_runs_are_drawn(plot: Callable[..., Figure]) -> None:
    wild = on_bowl(rate=2.0, steps=3000)
    assert wild.stop.reason == "not finite"
    assert len(colours(plot(wild, resolution=32))) > 50
    assert len(colours(plot(on_bowl(steps=1), resolution=32))) > 50


def test_shadow_lies_on_the_floor_below_the_path() -> None:
    run = on_bowl()
    data = landscape_data(run, resolution=32)
    ax = plot_surface(run, resolution=32).axes[0]
    low, high = data.heights
    floor = low - DROP * (high - low)
    shadow, path = (np.array(line.get_data_3d()) for line in ax.lines)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(shadow[2], np.full(len(run), floor))
    np.testing.assert_array_equal(shadow[:2].T, run.x)
    np.testing.assert_array_equal(path[:2].T, run.x)
    np.testing.assert_array_equal(path[2], run.value)
    assert ax.get_zlim()[0] == floor  # type: ignore[attr-defined]


def test_path_leaves_the_picture_where_it_leaves_the_bounds() -> None:
    run = on_bowl()
    ax = plot_contour_3d(run, bounds=((-1, 1), (-1, 1)), resolution=16).axes[0]
    x, y, _ = (np.asarray(numbers) for numbers in ax.lines[0].get_data_3d())  # type: ignore[attr-defined]
    z = np.asarray(ax.lines[0].get_data_3d()[2])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(np.isfinite(z), (np.abs(x) <= 1) & (np.abs(y) <= 1))


def test_start_is_seen_at_the_back() -> None:
    # Each start in another corner: from the camera its distance is beyond the centre's.
    for start in ((2, 1), (-2, 1), (2, -1), (-2, -1)):
        run = minimize(bowl, start, GradientDescent(0.1), max_steps=10)
        ax = plot_contour_3d(run, resolution=8).axes[0]
        angle = np.radians(ax.azim)  # type: ignore[attr-defined]
        assert np.cos(angle) * start[0] / 2 + np.sin(angle) * start[1] < 0


def test_held_coordinates_are_written_on_the_picture() -> None:
    run = in_space()
    ax = plot_contour(run, coordinates=("a", "b"), resolution=16).axes[0]
    assert [text.get_text() for text in ax.texts] == [f"at c = {run.final.x[2]:.4g}".replace("-", "−")]


def test_many_held_coordinates_are_counted() -> None:
    run = minimize(lambda v: float((v * v).sum()), [1.0] * 8, GradientDescent(0.5), gradient=lambda v: 2 * v)
    data = landscape_data(run, coordinates=("v0", "v1"), resolution=4)
    assert data.held == "at v2 = 0, v3 = 0, v4 = 0, 3 more held"


def test_a_run_that_ended_nowhere_is_held_at_its_best() -> None:
    run = minimize(lambda a, b, c: a**4 + b**4 + c**4, (3, 2, 1), GradientDescent(1.0), max_steps=50)
    assert not np.isfinite(run.final.value)
    assert landscape_data(run, coordinates=("a", "b"), resolution=4).grid.held == {"c": run.best.x[2]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coordinates": "pac"}, "coordinates is 'pac'; it must be 'pca', or two different ones of a, b, c"),
        ({"coordinates": ("a", "z")}, "coordinates names 'z'; Allowed: a, b, c"),
        ({"coordinates": np.array(["a", "b"])}, r"coordinates is array.* it must be 'pca', or two"),
        ({"resolution": 10**6}, "resolution is 1000000; it must be a whole number from 2 to 4096"),
        ({"coordinates": 3}, "coordinates is 3; it must be 'pca', or two different ones of a, b, c"),
        ({"coordinates": ("a",)}, "coordinates is .*; it must be 'pca', or two different ones of a, b, c"),
        ({"coordinates": ("a", "a")}, "coordinates is .*; it must be 'pca', or two different ones of a, b, c"),
        ({"coordinates": ("a", "b"), "bounds": 3}, "bounds is 3; it must be two intervals"),
        ({"coordinates": ("a", "b"), "bounds": ((0, 1), (1, 0))}, "bounds is .*the lower one first"),
        ({"coordinates": ("a", "b"), "resolution": 1}, "resolution is 1; it must be a whole number at least 2"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        plot_contour(in_space(), **options)  # type: ignore[arg-type]


def test_one_coordinate_has_no_landscape() -> None:
    with pytest.raises(FalllineError, match=r"square has one coordinate, x; .* use plot_descent"):
        plot_surface(halving())


def test_a_run_without_its_objective_has_no_landscape() -> None:
    run = dataclasses.replace(on_bowl(), objective=None)
    with pytest.raises(FalllineError, match="loaded from a file without its objective; only its histories"):
        plot_contour(run)


def test_colour_scale_shows_what_lies_beyond() -> None:
    run = minimize(lambda x, y: 1 / (x * x + y * y) + x + y, (2, 2), GradientDescent(0.1), max_steps=5)
    data = landscape_data(run, bounds=((-2, 2.1), (-2, 2.1)), resolution=50)
    assert data.heights[1] < data.grid.value.max()
    assert data.surface.max() == data.heights[1]
    assert len(colours(plot_contour(run, bounds=((-2, 2.1), (-2, 2.1)), resolution=50))) > 50


def test_three_is_what_the_slice_shows() -> None:
    assert three(1, 2, 3) == 35


def test_a_path_to_and_fro_has_few_markers() -> None:
    # From one side of the valley to the other 400 times.
    race = {"to and fro": minimize("x**2 + 0.01*y**2", (1, 1), GradientDescent(0.999), max_steps=400)}
    race["calm"] = minimize("x**2 + 0.01*y**2", (1, 1), GradientDescent(0.1), max_steps=400)
    figure = plot_contour(race, resolution=8)
    line: Any = next(line for line in figure.axes[0].lines if line.get_marker() == "o")
    sides = [np.ptp(side) for side in (figure.axes[0].get_xlim(), figure.axes[0].get_ylim())]
    length = np.hypot(*(np.diff(line.get_xydata(), axis=0) / sides).T).sum() / np.sqrt(2)
    assert length > 100
    assert length / line.get_markevery() <= 25


def test_words_stand_where_the_path_is_not() -> None:
    for start, place in (((-3, -3, 1), ("left", "top")), ((9, -3, 1), ("right", "top"))):
        run = minimize("(a - 3)**2 + (b - 3)**2 + c**2", start, GradientDescent(0.1), max_steps=50)
        words = plot_contour(run, coordinates=("a", "b"), resolution=8).axes[0].texts[-1]
        assert (words.get_horizontalalignment(), words.get_verticalalignment()) == place


def test_twenty_runs_of_one_rule_are_one_line_of_the_legend_and_leave_the_picture_its_height() -> None:
    starts = [[a, b] for a in (-4, -2, 0, 2, 4) for b in (-4, -1, 1, 4)]
    figure = compare("himmelblau", starts, GradientDescent(0.005), max_steps=20).plot(resolution=32)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    legend = ax.get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["20 runs: gradient descent, η = 0.005", "known minimum"]
    assert ax.get_window_extent().height > 0.6 * figure.bbox.height


def test_many_rules_are_named_up_to_the_eighth() -> None:
    rules = {f"rule {number}": GradientDescent(0.001 * (number + 1)) for number in range(12)}
    legend = compare("x**2 + 2*y**2", [1.0, 2.0], rules, max_steps=5).plot(resolution=32).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [*(f"rule {i}" for i in range(7)), "5 more runs"]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_numbers_on_the_scale_are_round(scale: str) -> None:
    runs = compare("rosenbrock", [-1.5, 2.0], ["adam", "momentum"], max_steps=50)
    bar = runs.plot(zscale=scale, resolution=64).axes[1]
    shown = [float(label.get_text()) for label in bar.get_yticklabels()]
    assert len(shown) >= 4
    for number in shown:
        assert number == 0 or float(f"{number:.0e}") == number
    assert bar.get_ylabel() == ("f (log scale)" if scale == "log" else "f")


def test_known_minima_in_the_picture_are_starred() -> None:
    ax = (
        compare("himmelblau", [[1.0, 1.0], [2.0, 2.0]], GradientDescent(0.005), max_steps=9).plot(resolution=32).axes[0]
    )
    (stars,) = (line for line in ax.lines if line.get_marker() == "*" and line.get_linestyle() == "None")
    assert len(stars.get_xdata()) == 4
    assert ax.get_title() == "Himmelblau\ngradient descent, η = 0.005"


@pytest.mark.parametrize("plot", [plot_contour, plot_contour_3d, plot_surface])
def test_runs_that_repeat_a_rule_are_thin_and_share_its_colour(plot: Any) -> None:
    starts = [[-4, 1], [4, 2], [3, -3], [0, 3]]
    rules: Any = {"plain": GradientDescent(0.005), "heavy": Momentum(0.002)}
    figure = plot(compare("himmelblau", starts, rules, max_steps=20), resolution=16)
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()][:2] == ["4 runs: plain", "4 runs: heavy"]
    named = {key.get_color(): key.get_linewidth() for key in legend.get_lines()[:2]}
    drawn = [
        line
        for line in figure.axes[0].lines
        if line.get_color() in named and line.get_linestyle() != "None" and not line.get_marker()
    ]
    assert {line.get_color() for line in drawn} == set(named)
    assert all(line.get_linewidth() < named[line.get_color()] for line in drawn)
