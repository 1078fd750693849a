"""What a user gets wrong in the look of a picture is told in one line, and what is right but unusual is drawn."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.views.runs import halving, on_bowl, two_on_bowl

import fallline
from fallline import FalllineError, GradientDescent
from fallline.views import Look, animate, plot

WRONG: list[tuple[str, Any]] = [
    ("context", ["paper"]),
    ("title", 3),
    ("title", ["a"]),
    ("labels", 3),
    ("labels", [1, 2]),
    ("labels", "xy"),
    ("labels", ["a"] * 4),
    ("legend", 3),
    ("legend", None),
    ("legend", [1, 2]),
    ("legend", "no"),
    ("linestyle", "wavy"),
    ("linestyle", 3),
    ("linestyle", (1, "a")),
    ("marker", "nope"),
    ("marker", 99),
    ("marker", {}),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda part: str(part))
def test_a_wrong_look_is_told_in_one_line(name: str, value: Any) -> None:
    with pytest.raises(FalllineError, match=f"^{name} is .*; ") as caught:
        Look(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["linestyle", "marker"])
def test_a_misspelt_line_is_told_with_the_nearest(name: str) -> None:
    with pytest.raises(FalllineError, match="did you mean 'none'"):
        Look(**dict[str, Any]({name: "nonee"}))


@pytest.mark.parametrize("look", [{"linestyle": (0, (3, 1))}, {"marker": "$a$"}, {"marker": (5, 1)}, {"linestyle": ""}])
def test_whatever_matplotlib_takes_is_taken(look: dict[str, Any]) -> None:
    assert plot(halving(), **look).axes


@pytest.mark.parametrize("look", [{"figsize": (1e9, 1)}, {"dpi": 9e4}, {"figsize": (700, 1), "dpi": 100}])
def test_a_picture_of_too_many_pixels_is_refused(look: dict[str, Any]) -> None:
    with pytest.raises(FalllineError, match=r"^(figsize|dpi) is .*65536"):
        plot(halving(), **look)


@pytest.mark.parametrize("kind", [3, None, ["curve"], {}])
def test_a_kind_that_is_no_name_is_refused(kind: Any) -> None:
    with pytest.raises(FalllineError, match=r"^kind is "):
        plot(on_bowl(), kind=kind)


def test_labels_belong_to_the_axes_there_are() -> None:
    ax = plot(on_bowl(), labels=["width"], resolution=8).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width", "y")
    solid: Any = plot(on_bowl(), kind="surface", labels=("a", "b", "c"), resolution=8).axes[0]
    assert solid.get_zlabel() == "c"
    for kind in ("contour", "histories"):
        with pytest.raises(FalllineError, match=r"labels is \['a', 'b', 'c'\]; it must be a list of two names"):
            plot(on_bowl(), kind=kind, labels=["a", "b", "c"])


@pytest.mark.parametrize(("norm", "message"), [("nope", "norm is 'nope'; .*Allowed: linear, log"), (3, "norm is 3; ")])
def test_norms_that_are_none(norm: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        plot(on_bowl(), norm=norm, resolution=8)


def test_a_logarithmic_norm_of_a_function_that_goes_below_zero_is_refused() -> None:
    with pytest.raises(FalllineError, match=r"norm is 'log'; .*the lowest value shown is -"):
        plot("x + y", norm="log", resolution=8)


@pytest.mark.parametrize("limits", [(-5, -1), (0, None)])
def test_a_logarithmic_axis_has_no_limit_at_zero(limits: Any) -> None:
    run = fallline.minimize("x**2", 3.0, GradientDescent(0.1), max_steps=60)
    with pytest.raises(FalllineError, match=r"ylim is .*, but the axis is logarithmic; both must be above 0"):
        plot(run, kind="histories", quantities="value", ylim=limits)


@pytest.mark.parametrize("projection", ["polar", "3d"])
@pytest.mark.parametrize("kind", ["contour", "steps"])
def test_a_flat_picture_needs_flat_axes(projection: str, kind: str) -> None:
    with pytest.raises(FalllineError, match=f"ax has the projection '{projection}', but this picture is flat"):
        plot(on_bowl(), kind=kind, ax=Figure().add_subplot(projection=projection))


def test_so_does_a_chain_rule() -> None:
    with pytest.raises(FalllineError, match="ax has the projection '3d'"):
        fallline.chain_rule("u = x**2; y = 3*u", 2.0).plot(ax=Figure().add_subplot(projection="3d"))


def test_axes_that_were_removed_are_refused() -> None:
    ax = Figure().add_subplot()
    ax.remove()
    with pytest.raises(FalllineError, match="ax belongs to no figure any more"):
        plot(on_bowl(), ax=ax)


def drawn(figure: Figure) -> None:
    """Draw a figure; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")


def test_on_axes_with_logarithmic_scales_a_picture_has_its_own() -> None:
    ax = Figure().add_subplot(xscale="log", yscale="log")
    drawn(plot(on_bowl(), ax=ax, resolution=8))
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")


def test_on_axes_that_are_hidden() -> None:
    ax = Figure().add_subplot(visible=False)
    drawn(plot(on_bowl(), ax=ax, resolution=8))


@pytest.mark.parametrize("limits", [{"ylim": (0.5, 3)}, {"xlim": (3, 1)}, {"xlim": (-1, 1), "ylim": (-1, 1)}])
def test_what_lies_outside_the_limits_is_not_seen(limits: dict[str, Any]) -> None:
    # Himmelblau's minima and their stars lie all over the picture.
    figure = plot("himmelblau", resolution=32, **limits)
    drawn(figure)
    ax: Any = figure.axes[0]
    frame = ax.get_window_extent()
    # Numbers and stars beyond the limits would shrink the axes to a speck.
    assert frame.width > 0.5 * figure.bbox.width
    assert ax.get_tightbbox().width < figure.bbox.width


@pytest.mark.parametrize("runs", [two_on_bowl, halving])
def test_a_film_has_the_limits_of_its_picture(runs: Any) -> None:
    limits: dict[str, Any] = {"xlim": (-1, 1), "ylim": (0, 2)}
    film = animate(runs(), frames=2, resolution=8, **limits)
    for stage in film.stages:
        assert stage.ax.get_xlim() == (-1, 1)
        assert stage.ax.get_ylim() == (0, 2)
    last, whole = list(film.pictures())[-1], film._screen.whole(1)
    assert np.abs(last.astype(int) - whole).max() <= 2
