from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from tests.views.pixels import colours

from fallline import Basins, GradientDescent, Momentum, basins
from fallline.results.basins import DIVERGED
from fallline.views import basin_map_data, plot_basins
from fallline.views.basin_map import OKABE_ITO, palette, start_colours
from fallline.views.look import Context


def two_wells() -> Basins:
    """Beyond x² = 3, starts diverge; between, those left and right of 0 part."""
    return basins("(x**2 - 1)**2/8 + y**2/2", [(-2.5, 2.5), (-1, 1)], GradientDescent(1.0), resolution=40)


def words(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_each_basin_has_a_colour_of_its_own() -> None:
    found = two_wells()
    data = basin_map_data(found)
    image = start_colours(data)
    assert image.shape == (40, 40, 3)
    assert ((image >= 0) & (image <= 1)).all()
    used = [tuple(palette(data)[place]) for _, place in data.keys]
    assert used[:2] == [to_rgb(colour) for colour in OKABE_ITO[:2]]
    # A shade of a colour has its hue: what is left when white or black is taken away points the same way.
    for place, colour in enumerate(used[:2]):
        shades = image[found.basin == place]
        spread = np.ptp(shades, axis=1) > 0.05
        direction = (shades - shades.min(axis=1, keepdims=True))[spread]
        expected = np.array(colour) - min(colour)
        cosine = direction @ expected / np.linalg.norm(direction, axis=1) / np.linalg.norm(expected)
        # Black scales the colour, white mixes towards its least part: neither turns it.
        np.testing.assert_allclose(cosine, 1, atol=1e-12)


def test_more_steps_are_darker() -> None:
    found = two_wells()
    data = basin_map_data(found)
    light = start_colours(data).sum(axis=2)
    for place in (0, 1):
        here = found.basin == place
        order = np.argsort(found.steps[here], kind="stable")
        assert (np.diff(light[here][order]) <= 1e-12).all()
    assert data.steps is not None
    assert data.steps[0] < data.steps[1]


def test_equal_speeds_are_told_and_not_shaded() -> None:
    # On a bowl the distance shrinks by the same factor from everywhere.
    found = basins("x**2 + y**2", [(-2, 2), (-2, 2)], GradientDescent(0.1), resolution=20)
    assert found.steps.max() < 1.1 * found.steps.min()
    data = basin_map_data(found)
    assert data.steps is None
    assert data.remark == "about 130 steps to arrive"
    assert len(np.unique(start_colours(data).reshape(-1, 3), axis=0)) == 1
    figure = plot_basins(found)
    assert len(figure.axes) == 1
    assert figure.axes[0].get_title().splitlines()[-1] == "about 130 steps to arrive"


def test_speeds_that_differ_are_shaded() -> None:
    # Along the valley of curvature 1 a run takes some twenty times as long as across it, of curvature 20.
    found = basins("x**2/2 + 10*y**2", [(-2, 2), (-1e-9, 1e-9)], GradientDescent(0.05), resolution=20)
    found = Basins(**{**vars(found), "steps": np.where(abs(found.x) < 0.5, 10, 200) + 0 * found.basin})
    data = basin_map_data(found)
    assert data.steps == (10, 200)
    np.testing.assert_array_equal(data.slowness, np.broadcast_to(np.abs(found.x) > 0.5, (20, 20)))
    assert [ax.get_ylabel() for ax in plot_basins(found).axes][1:] == ["steps"]


def test_starts_of_a_coarse_map_are_dots() -> None:
    found = basins("himmelblau", None, GradientDescent(0.01), resolution=12)
    (dots,) = plot_basins(found).axes[0].collections
    np.testing.assert_allclose(
        np.asarray(dots.get_offsets(), float), np.stack(np.meshgrid(found.x, found.y), axis=-1).reshape(-1, 2)
    )
    fine = basins("himmelblau", None, GradientDescent(0.01), resolution=31)
    assert not plot_basins(fine).axes[0].collections


@pytest.mark.parametrize("context", ["notebook", "paper", "slide"])
def test_the_keys_are_on_the_page(context: Context) -> None:
    figure = plot_basins(basins("rastrigin", None, GradientDescent(0.001), resolution=60), context=context)
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert 0 <= box.y0 < box.y1 < 0.45 * figure.bbox.y1
    assert figure.axes[0].get_position().height > 1 / 3


def test_starts_that_diverge_are_hatched_and_named() -> None:
    found = basins("x**2/2 + x**4/4 + y**2/2", [(-3, 3), (-1, 1)], GradientDescent(0.5), resolution=50)
    data = basin_map_data(found)
    np.testing.assert_array_equal(data.basin == DIVERGED, np.broadcast_to(found.x**2 > 3, (50, 50)))
    figure = plot_basins(found)
    assert words(figure.axes[0]) == ["1: (0, 0), f = 0, 56 %", "diverges: 44 %"]
    # The hatching is white on grey.
    assert {(102, 102, 102), (255, 255, 255)} <= colours(figure)


def test_where_none_arrives_there_is_no_scale_of_steps() -> None:
    found = basins("rosenbrock", None, GradientDescent(1e-6), resolution=8, max_steps=2)
    figure = plot_basins(found)
    assert words(figure.axes[0]) == ["does not arrive: 100 %"]
    assert len(figure.axes) == 1


def test_of_many_minima_the_largest_are_named_and_neighbours_differ() -> None:
    found = basins("rastrigin", None, GradientDescent(0.001), resolution=120)
    data = basin_map_data(found)
    assert len(data.keys) == 8
    assert data.rest.startswith("and 113 more minima: ")
    flat = found.steps * 0 + 1
    plain = start_colours(basin_map_data(Basins(**{**vars(found), "steps": flat})))
    for one, other, pixels in (
        (found.basin[:, 1:], found.basin[:, :-1], (plain[:, 1:], plain[:, :-1])),
        (found.basin[1:], found.basin[:-1], (plain[1:], plain[:-1])),
    ):
        border = one != other
        assert (np.abs(pixels[0] - pixels[1]).max(axis=2)[border] > 0.1).all()


def test_minima_are_marked_where_they_are() -> None:
    data = basin_map_data(basins("himmelblau", None, Momentum(0.01), resolution=16))
    found = basins("a**2 + b**2 + c**2", {"c": (-1, 2), "a": (-3, 1)}, Momentum(0.1), at={"b": 1}, resolution=8)
    placed = basin_map_data(found)
    assert data.marks.shape == (4, 2)
    assert placed.names == ("c", "a")
    assert placed.remark.startswith("from b = 1")
    # Half a cell lies beyond the outermost starts.
    np.testing.assert_allclose(placed.extent, [(-1 - 3 / 14, 2 + 3 / 14), (-3 - 4 / 14, 1 + 4 / 14)])


def test_ax_is_used() -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert plot_basins(two_wells(), ax=ax) is figure
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.get_title().splitlines()[1:] == ["gradient descent, η = 1"]
