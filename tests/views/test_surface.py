"""Surfaces: their heights, their shadows, and that nothing of them is cut."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from tests.views.runs import on_bowl, two_on_bowl

import fallline
from fallline import Adam, GradientDescent, Momentum
from fallline.arguments import Rule
from fallline.views import animate, plot_contour_3d, plot_surface
from fallline.views.traces import step_colours

RULES: dict[str, Rule] = {"gradient descent": GradientDescent(0.001), "momentum": Momentum(0.0005), "Adam": Adam(0.05)}
RACE = fallline.compare("rosenbrock", (-1.2, 1.0), RULES, max_steps=200)


def texts(figure: Figure) -> dict[str, Any]:
    """The places of all texts of a surface, in pixels."""
    figure.draw_without_rendering()
    ax: Any = figure.axes[0]
    axes = (ax.xaxis, ax.yaxis, ax.zaxis)
    shown = {"title": ax.title, "legend": ax.get_legend()}
    shown |= {f"label of {axis.axis_name}": axis.label for axis in axes}
    for axis in axes:
        low, high = axis.get_view_interval()
        # Not `get_ticklabels`, which moves them from where they were drawn.
        ticks = [tick for tick in axis.majorTicks if low <= tick.get_loc() <= high]
        shown |= {f"{axis.axis_name} = {tick.get_loc():.3g}": tick.label1 for tick in ticks}
    return {name: text.get_window_extent() for name, text in shown.items()}


@pytest.mark.parametrize("context", ["notebook", "paper", "slide"])
@pytest.mark.parametrize("plot", [plot_surface, plot_contour_3d])
@pytest.mark.parametrize("runs", [RACE, RACE["momentum"]], ids=["several", "one"])
def test_nothing_is_cut_and_the_legend_covers_nothing(plot: Any, runs: Any, context: str) -> None:
    figure = plot(runs, context=context, resolution=48)
    places = texts(figure)
    for name, box in places.items():
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, name
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, name
    for (one, first), (other, second) in itertools.combinations(places.items(), 2):
        assert not first.overlaps(second), (one, other)


@pytest.mark.parametrize("size", [None, (420, 330), (1280, 720)])
def test_nothing_is_cut_in_a_film(size: tuple[int, int] | None) -> None:
    film = animate(RACE, kind="surface", frames=2, resolution=48, size=size)
    list(film.pictures())
    for name, box in texts(film.figure).items():
        assert film.figure.bbox.x0 <= box.x0 <= box.x1 <= film.figure.bbox.x1, name
        assert film.figure.bbox.y0 <= box.y0 <= box.y1 <= film.figure.bbox.y1, name


def test_heights_on_a_log_scale_are_told_as_values() -> None:
    ax: Any = plot_surface(RACE, resolution=48).axes[0]
    assert "log scale" in ax.get_zlabel().replace("\n", " ")
    told = {text.get_text(): height for height, text in zip(ax.get_zticks(), ax.get_zticklabels(), strict=True)}
    assert told == pytest.approx({f"{10**height:g}": height for height in told.values()})
    assert {"10", "100", "1000"} <= set(told)


def test_a_film_has_the_heights_of_the_picture() -> None:
    for kind, plot in (("surface", plot_surface), ("contour_3d", plot_contour_3d)):
        ax: Any = animate(RACE, kind=kind, frames=2, resolution=48).figure.axes[0]
        assert ax.get_zlim() == plot(RACE, resolution=48).axes[0].get_zlim()  # type: ignore[attr-defined]


@pytest.mark.parametrize("style", ["light", "dark"])
def test_shadows_have_the_colours_of_their_paths(style: Any) -> None:
    ax: Any = plot_surface(two_on_bowl(), resolution=32, style=style).axes[0]
    colours = [key.get_color() for key in ax.get_legend().get_lines()]
    on_floor = [line.get_color() for line in ax.lines if np.ptp(line.get_data_3d()[2]) == 0]
    assert on_floor == colours
    run = on_bowl()
    ax = plot_surface(run, resolution=32, style=style).axes[0]
    (shade,) = (dots for dots in ax.collections if dots.get_zorder() == 2)
    shown = {tuple(c) for c in shade.get_facecolor()}
    assert to_rgba("red") in shown <= {to_rgba(c) for c in step_colours(len(run))}
    assert len(shown) > 20


def test_the_camera_goes_where_the_path_is_seen() -> None:
    hill = "2*exp(-2*(x**2 + y**2)) + 0.05*(x**2 + y**2)"
    run = fallline.minimize(hill, (-1.2, -1.6), GradientDescent(0.05), gradient=lambda x, y: (0, -1), max_steps=60)
    in_front = fallline.minimize("x**2 + y**2", (-1.2, -1.6), GradientDescent(0.1))
    look: Any = {"bounds": ((-2, 2), (-2, 2)), "resolution": 32, "zscale": "linear"}
    front, turned = (plot_surface(each, **look).axes[0] for each in (in_front, run))
    assert front.azim != turned.azim  # type: ignore[attr-defined]
    # Nothing of it is drawn faint.
    assert all(line.get_alpha() in (None, 1.0) for line in turned.lines)
