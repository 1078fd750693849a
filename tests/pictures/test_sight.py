from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from fallline import GradientDescent, minimize
from fallline.arrays import FloatArray
from fallline.pictures.grid import Grid
from fallline.pictures.sight import behind, sight_of
from fallline.views import landscape_data, plot_surface
from fallline.views.traces import FAINT

SIDE = np.linspace(-1, 1, 257)
ACROSS, ALONG = np.meshgrid(SIDE, SIDE)
HILL = "2*exp(-2*(x**2+y**2)) + 0.05*(x**2+y**2)"


def over(surface: FloatArray) -> Grid:
    return Grid(("x", "y"), SIDE, SIDE, surface, {})


def camera(elevation: float, azimuth: float, kind: str = "ortho") -> FloatArray:
    """The projection of a cube from −1 to 1, in which data have the lengths that they have on the screen."""
    ax = Figure().add_subplot(projection="3d", proj_type=kind, box_aspect=(1, 1, 1))
    ax.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    ax.margins(0)
    ax.view_init(elev=elevation, azim=azimuth)
    return np.asarray(ax.get_proj())


@settings(max_examples=25)
@given(distance=st.floats(0.15, 0.95), elevation=st.floats(10, 80))
def test_a_wall_throws_the_shadow_of_parallel_lines_of_sight(distance: float, elevation: float) -> None:
    # A wall of height 1 stands at |x| < 0.1, and the eye looks along the x axis: from the floor, the line of sight
    # has risen to (distance - 0.1) tan(elevation) at the wall.
    wall = np.where(np.abs(ACROSS) < 0.1, 1.0, 0.0)
    risen = (distance - 0.1) * np.tan(np.radians(elevation))
    points = np.array([[-distance, 0.3, 0.0], [distance, 0.3, 0.0]])
    back, front = behind(points, over(wall), wall, camera(elevation, 0))
    assert not front
    # A cell of the grid and one of the places tested along a line of sight are about 0.02 wide.
    if abs(risen - 1) > 0.02 * (1 + np.tan(np.radians(elevation))):
        assert back == (risen < 1)


@pytest.mark.parametrize("azimuth", [0, 90, 180, 270])
def test_the_near_wall_of_a_bowl_hides_what_lies_on_it(azimuth: float) -> None:
    # On z = x² + y², along the direction (cos e, 0, sin e), the line of sight from (x, y) meets the bowl again where
    # its x is tan e - x: inside the picture if that is below 1.
    bowl = ACROSS**2 + ALONG**2
    bowl[bowl > 1] = np.nan
    angle = np.radians(azimuth)
    toward = np.array([np.cos(angle), np.sin(angle)])
    inside = np.random.default_rng(1).uniform(-0.6, 0.6, (400, 2))
    points = np.column_stack([inside, (inside**2).sum(axis=1)])
    elevation = 45.0
    tested = behind(points, over(bowl), bowl, camera(elevation, azimuth))
    reach = inside @ toward
    aside = inside @ [-toward[1], toward[0]]
    meets = np.tan(np.radians(elevation)) - reach
    # The bowl's round rim cuts the line of sight off at this place.
    rim = np.sqrt(1 - aside**2)
    clear = np.abs(meets - rim) > 0.05
    np.testing.assert_array_equal(tested[clear], (meets < rim)[clear])


@pytest.mark.parametrize("kind", ["persp", "ortho"])
def test_from_above_nothing_is_hidden_and_from_below_everything(kind: str) -> None:
    plain = 0.2 * np.sin(ACROSS)
    points = np.column_stack([0.8 * SIDE, 0 * SIDE, 0.2 * np.sin(0.8 * SIDE)])
    assert not behind(points, over(plain), plain, camera(60, 30, kind)).any()
    assert behind(points, over(plain), plain, camera(-60, 30, kind)).all()
    # What lies beneath is hidden from above, and seen from below.
    beneath = points - [0, 0, 0.3]
    assert behind(beneath, over(plain), plain, camera(60, 30, kind)).all()
    assert not behind(beneath, over(plain), plain, camera(-60, 30, kind)).any()


def test_a_hole_hides_nothing() -> None:
    wall = np.where(np.abs(ACROSS) < 0.1, 1.0, 0.0)
    point = np.array([[-0.3, 0.0, 0.0]])
    assert behind(point, over(wall), wall, camera(30, 0)).all()
    wall[:, 100:160] = np.nan
    assert not behind(point, over(wall), wall, camera(30, 0)).any()


@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_every_part_of_a_path_is_drawn_once_and_grows(rows: int, seed: int) -> None:
    hill = np.exp(-4 * (ACROSS**2 + ALONG**2))
    walk = np.random.default_rng(seed).uniform(-0.9, 0.9, (rows, 2))
    points = np.column_stack([walk, np.exp(-4 * (walk**2).sum(axis=1))])
    sight = sight_of(points, over(hill), hill, camera(25, 40))
    drawn = 0.0
    for hidden in (False, True):
        whole = sight.line(rows, hidden)
        drawn += np.nansum(np.sqrt((np.diff(whole, axis=0) ** 2).sum(axis=1)))
        for count in range(1, rows + 1):
            part = sight.line(count, hidden)
            np.testing.assert_array_equal(part, whole[: len(part)])
    length = np.sqrt((np.diff(points, axis=0) ** 2).sum(axis=1)).sum()
    # Sums of some hundred lengths.
    np.testing.assert_allclose(drawn, length, rtol=1e-12, atol=1e-15)
    seen, behind_it = sight.points(rows, False), sight.points(rows, True)
    np.testing.assert_array_equal(np.where(np.isnan(seen), behind_it, seen), points)


def test_what_the_hill_hides_is_faint_and_the_rest_is_not() -> None:
    # The start is seen at the back: from there this run passes behind the hill to the other side.
    run = minimize(HILL, (-1.2, -1.6), GradientDescent(0.05), gradient=lambda x, y: (0, -1), max_steps=60)
    ax = plot_surface(run, bounds=((-2, 2), (-2, 2)), resolution=64).axes[0]
    faint, full = ([line for line in ax.lines if line.get_alpha() == alpha] for alpha in (FAINT, 1))
    parts = [np.array(line.get_data_3d()) for line in (*faint, *full)]  # type: ignore[attr-defined]
    # Both have length: more than a single place each.
    assert [np.isfinite(part[0]).sum() > 1 for part in parts] == [True, True]


def test_a_run_of_one_step_and_one_that_left_are_seen() -> None:
    short = minimize(lambda x, y: x * x + y * y, (1, 1), GradientDescent(0.1), max_steps=1)
    assert plot_surface(short, resolution=16).axes
    wild = minimize(lambda x, y: x * x + y * y, (1, 1), GradientDescent(2.5), max_steps=900)
    assert not np.isfinite(wild.final.value)
    assert plot_surface(wild, resolution=16).axes


def test_a_flat_surface_hides_nothing() -> None:
    run = minimize(lambda x, y: 3 + 0 * x * y, (1, 1), GradientDescent(0.1), max_steps=1)
    data = landscape_data(run, resolution=8)
    points = np.array([[1.0, 1.0, 3.0]])
    assert not behind(points, data.grid, data.surface, camera(30, 30)).any()
