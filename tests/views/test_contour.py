from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from tests.cases import few
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


def test_bands_rise_from_the_lowest_to_the_highest() -> None:
    data = landscape_data(on_bowl(), resolution=64)
    bounds = data.bounds_of_bands
    assert (np.diff(bounds) > 0).all()
    assert bounds[0] == min(data.grid.value.min(), data.paths[0].value.min())
    assert bounds[-1] == pytest.approx(data.grid.value.max(), rel=1e-15)
    np.testing.assert_array_equal(bounds[1:-1], data.levels.values)


def test_levels_of_a_plane_are_even() -> None:
    run = minimize(lambda x, y: x + y, (1, 1), GradientDescent(0.1), max_steps=5)
    levels = landscape_data(run, resolution=65).levels
    assert levels.spread == "linear"
    np.testing.assert_allclose(np.diff(levels.values), levels.values[1] - levels.values[0], rtol=1e-9)


def test_a_valley_has_its_share_of_levels() -> None:
    rosenbrock = "(1-x)**2 + 100*(y-x**2)**2"
    run = minimize(rosenbrock, (-1.2, 1), GradientDescent(0.001), max_steps=50)
    data = landscape_data(run, bounds=((-2, 2), (-1, 3)), resolution=64)
    # No band has more than a quarter of the picture; the linear levels of a 20th of the height would leave two thirds
    # of it in the lowest.
    shares = np.histogram(data.grid.value, data.bounds_of_bands)[0] / data.grid.value.size
    assert shares.max() < 0.25


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


@pytest.mark.parametrize("plot", few(PICTURES, 1))
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
    assert ax.texts[0].get_text() == f"at c = {run.final.x[2]:.4g}".replace("-", "−")


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
    with pytest.raises(FalllineError, match=r"square has one coordinate, x; .* choose kind='curve'"):
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
    line: Any = next(
        line for line in figure.axes[0].lines if line.get_marker() == "o" and len(np.array(line.get_xydata())) > 99
    )
    sides = [np.ptp(side) for side in (figure.axes[0].get_xlim(), figure.axes[0].get_ylim())]
    length = np.hypot(*(np.diff(line.get_xydata(), axis=0) / sides).T).sum() / np.sqrt(2)
    assert length > 100
    assert 1 < len(line.get_markevery()) <= 25


def test_words_stand_where_the_path_is_not() -> None:
    for start, place in (((-3, -3, 1), ("left", "top")), ((9, -3, 1), ("right", "top"))):
        run = minimize("(a - 3)**2 + (b - 3)**2 + c**2", start, GradientDescent(0.1), max_steps=50)
        words = plot_contour(run, coordinates=("a", "b"), resolution=8).axes[0].texts[0]
        assert (words.get_horizontalalignment(), words.get_verticalalignment()) == place


def test_twenty_runs_of_one_rule_are_one_line_of_the_legend_and_leave_the_picture_its_height() -> None:
    starts = [[a, b] for a in (-4, -2, 0, 2, 4) for b in (-4, -1, 1, 4)]
    figure = compare("himmelblau", starts, GradientDescent(0.005), max_steps=20).plot(resolution=32)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    legend = ax.get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["20 runs: gradient descent, η = 0.005", "start", "known minimum"]
    assert ax.get_window_extent().height > 0.6 * figure.bbox.height


def test_twenty_rules_are_named_in_columns_and_leave_the_picture_its_height() -> None:
    rules = {f"rule {number}": GradientDescent(0.001 * (number + 1)) for number in range(20)}
    figure = compare("x**2 + 2*y**2", [1.0, 2.0], rules, max_steps=5).plot(resolution=32)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [*rules, "start"]
    assert ax.get_window_extent().height > 0.6 * figure.bbox.height


def test_of_more_rules_than_there_is_room_for_the_first_are_named() -> None:
    names = [f"a rule with a name so long that it takes a line, number {number}" for number in range(12)]
    rules = {name: GradientDescent(0.001 * (number + 1)) for number, name in enumerate(names)}
    legend = compare("x**2 + 2*y**2", [1.0, 2.0], rules, max_steps=5).plot(resolution=32).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [*names[:6], "6 more runs", "start"]


def is_round(number: float) -> bool:
    """Whether it is one or two digits and zeros, the second a 5."""
    digits = f"{abs(number):e}".split("e")[0].replace(".", "").rstrip("0")
    return len(digits) <= 1 or (len(digits) == 2 and digits[1] == "5")


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_numbers_on_the_scale_are_round(scale: Any) -> None:
    runs = compare("rosenbrock", [-1.5, 2.0], ["adam", "momentum"], max_steps=50)
    bar = runs.plot(zscale=scale, bounds=((-2, 2), (-1, 3)), resolution=64).axes[1]
    shown = [float(label.get_text()) for label in bar.get_yticklabels()]
    assert len(shown) >= 4
    assert all(map(is_round, shown))
    assert bar.get_ylabel() == ("f (log scale)" if scale == "log" else "f")


def test_the_scale_is_said_where_it_was_chosen() -> None:
    steep = minimize("rosenbrock", (-1.5, 2.0), GradientDescent(1e-4), max_steps=5)
    assert plot_contour(steep, bounds=((-2, 2), (-1, 3)), resolution=64).axes[1].get_ylabel() == "f (log scale)"
    both = minimize("rosenbrock", (-1.5, 2.0), GradientDescent(1e-4), max_steps=5)
    assert plot_contour(both, zscale="linear", resolution=64).axes[1].get_ylabel() == "f"
    signs = minimize("exp(x) + exp(y) - 3", (3.0, 3.0), GradientDescent(1e-3), max_steps=5)
    bar = plot_contour(signs, bounds=((-5, 8), (-5, 8)), resolution=64).axes[1]
    assert bar.get_ylabel() == "f (log scale, linear near 0)"
    assert "0" in [label.get_text() for label in bar.get_yticklabels()]


def test_levels_and_norm_are_matplotlibs() -> None:
    run = on_bowl()
    figure = plot_contour(run, levels=[0.5, 1, 2, 4], norm="log", resolution=32)
    bands = next(part for part in figure.axes[0].collections if getattr(part, "filled", False))
    assert isinstance(bands.norm, LogNorm)
    np.testing.assert_array_equal(bands.levels[1:-1], [0.5, 1, 2, 4])  # type: ignore[attr-defined]
    assert figure.axes[1].get_ylabel() == "f (log scale)"
    own = Normalize(0, 100)
    assert plot_contour(run, norm=own, resolution=32).axes[0].collections[0].norm is own
    few = plot_contour(run, levels=5, resolution=32).axes[0].collections[0]
    assert 2 <= len(few.levels[1:-1]) <= 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("levels", [0, True, "ten", ["a"], [[1, 2]], 10**7, [2, 1], [1, float("nan")], []])
def test_levels_that_are_none_are_refused(levels: Any) -> None:
    with pytest.raises(FalllineError, match=r"^levels is .*; it must be a whole number from 1 to 256, or so many "):
        plot_contour(on_bowl(), levels=levels, resolution=8)


def test_a_few_lines_have_a_number_apart_from_paths_and_each_other() -> None:
    runs = compare("rosenbrock", [-1.5, 2.0], ["adam", "momentum"], max_steps=50)
    figure = runs.plot(bounds=((-2, 2), (-1, 3)), resolution=64, context="paper")
    ax = figure.axes[0]
    figure.draw_without_rendering()
    numbers = [text for text in ax.texts if re.fullmatch(r"[\d.]+", text.get_text())]
    assert 2 <= len(numbers) <= 5
    ends = ax.transData.transform(np.concatenate([run.x for run in runs.trajectories]))
    for number in numbers:
        box = number.get_window_extent()
        assert is_round(float(number.get_text()))
        assert not box.count_contains(ends)
        assert ax.bbox.containsx(box.x0)
        assert ax.bbox.containsy(box.y1)


def test_a_start_that_runs_share_has_one_ring() -> None:
    def rings(figure: Figure) -> Any:
        line = next(line for line in figure.axes[0].lines if line.get_markerfacecolor() == "#FFFFFF")
        return np.array(line.get_xydata())

    shared = compare("x**2 + 2*y**2", [1.0, 2.0], ["adam", "momentum", "rmsprop"], max_steps=5).plot(resolution=16)
    np.testing.assert_array_equal(rings(shared), [[1, 2]])
    apart = compare("x**2 + 2*y**2", [[1.0, 2.0], [2.0, 1.0]], ["adam", "momentum"], max_steps=5).plot(resolution=16)
    np.testing.assert_array_equal(np.sort(rings(apart), axis=0), [[1, 1], [2, 2]])
    legend = shared.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()][-1] == "start"


def test_paths_on_each_other_are_all_seen() -> None:
    # The same run three times, in three colours.
    rule = GradientDescent(0.05)
    runs = compare("x**2 + 3*y**2", [2.0, 1.0], {"one": rule, "two": rule, "three": rule}, max_steps=40)
    figure = plot_contour(runs, palette=["#ff0000", "#00aa00", "#aa00ff"], marker="none", legend=False, resolution=32)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    seen = [
        int((np.abs(pixels - colour).max(axis=-1) < 30).sum()) for colour in ((255, 0, 0), (0, 170, 0), (170, 0, 255))
    ]
    assert min(seen) > 0.4 * max(seen)


def test_a_scribbling_run_lies_thin_and_faint_below_the_others() -> None:
    race = {"calm": minimize("x**2 + 0.01*y**2", (1, 1), GradientDescent(0.1), max_steps=400)}
    race["to and fro"] = minimize("x**2 + 0.01*y**2", (1, 1), GradientDescent(0.999), max_steps=400)
    lines = [line for line in plot_contour(race, resolution=8).axes[0].lines if len(np.array(line.get_xydata())) > 99]
    paths = [line for line in lines if line.get_marker() in ("o", "s") and line.get_linestyle() != "None"]
    below, above = paths
    assert (below.get_marker(), above.get_marker()) == ("s", "o")
    assert below.get_linewidth() < 0.6 * above.get_linewidth()
    assert float(below.get_alpha() or 1) <= 0.5
    assert above.get_alpha() == 1


def test_known_minima_in_the_picture_are_starred() -> None:
    ax = (
        compare("himmelblau", [[1.0, 1.0], [2.0, 2.0]], GradientDescent(0.005), max_steps=9)
        .plot(bounds=((-5, 5), (-5, 5)), resolution=32)
        .axes[0]
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
