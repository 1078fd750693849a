from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from tests.cases import few
from tests.views.runs import halving, on_bowl, two_on_bowl

import fallline
from fallline import FalllineError
from fallline.arrays import FloatArray
from fallline.views import plot, plot_curve
from fallline.views.appearance import new_axes, new_figure
from fallline.views.look import Look, Style, theme_of
from fallline.views.theme import DARK, LIGHT, THEMES, Theme, luminance
from fallline.views.traces import RUN_LINES, RUN_MARKERS, STEPS, run_look, series_look

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)

themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
styles = pytest.mark.parametrize("style", list(THEMES))


def contrast(one: Any, other: Any) -> float:
    """The contrast ratio of WCAG 2.2 (2023), from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def linear(colour: Any) -> FloatArray:
    share = np.array(to_rgb(colour))
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(colour: FloatArray) -> FloatArray:
    """CIE 1976 L*a*b* of linear RGB."""
    share = TO_XYZ @ np.clip(colour, 0, 1) / WHITE
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def difference(one: Any, other: Any) -> float:
    """The smallest distance of two colours in L*a*b*, to any of three pairs of eyes."""
    eyes = (np.eye(3), np.array(PROTANOPIA), np.array(DEUTERANOPIA))
    return min(float(np.linalg.norm(lab(eye @ linear(one)) - lab(eye @ linear(other)))) for eye in eyes)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("black", "white") == pytest.approx(21)
    # The grey that WCAG's technique G18 gives as the lightest with 4.5 on white.
    assert contrast("#767676", "white") == pytest.approx(4.54, abs=0.005)


@themes
def test_letters_have_the_enhanced_contrast(theme: Theme) -> None:
    # WCAG 1.4.6 asks for 7.
    assert contrast(theme.ink, theme.ground) >= 7
    assert contrast(theme.ink, theme.wall) >= 7


@themes
def test_lines_stand_out_from_the_ground(theme: Theme) -> None:
    # WCAG 1.4.11 asks for 3 where graphics are needed to understand.
    for colour in (*theme.runs, *theme.arrows, theme.curve, theme.slope, theme.edge):
        assert contrast(colour, theme.ground) >= 3, colour


@themes
def test_paths_have_an_edge_on_every_colour_of_the_landscape(theme: Theme) -> None:
    # A line and its rim: whatever lies below, the boundary between these two has the 3 of WCAG 1.4.11.
    for colour in (*theme.runs, *theme.arrows):
        assert contrast(colour, theme.rim) >= 3, colour
    # Points from red to yellow have rims, too: one of the two boundaries, within the rim or around it.
    for colour in STEPS(np.linspace(0, 1, 8)):
        for ground in theme.landscape(np.linspace(0, 1, 32)):
            assert max(contrast(colour, theme.edge), contrast(theme.edge, ground)) >= 3


def test_in_the_dark_paths_alone_stand_out() -> None:
    for ground in DARK.landscape(np.linspace(0, 1, 32)):
        assert min(contrast(colour, ground) for colour in DARK.runs) >= 3


@themes
def test_runs_differ_to_colour_blind_eyes(theme: Theme) -> None:
    # 2.3 is the difference that an eye just notices (Mahy and others, 1994); thin lines need several times that.
    for one, other in itertools.combinations(theme.runs, 2):
        assert difference(one, other) >= 15, (one, other)
    for one, other in itertools.combinations(theme.arrows[:4], 2):
        assert difference(one, other) >= 15, (one, other)


@themes
def test_runs_differ_without_colours(theme: Theme) -> None:
    assert len(set(map(str, RUN_LINES))) == len(theme.runs)
    assert len(set(RUN_MARKERS)) == len(theme.runs)


@styles
def test_more_runs_than_colours_are_still_told_apart(style: Style) -> None:
    (ax,) = new_axes(new_figure(8, 6, Look(style=style)))
    for looks, form in (
        ([run_look(ax, number) for number in range(20)], "marker"),
        ([series_look(ax, number) for number in range(20)], "linestyle"),
    ):
        assert len({(one["color"], str(one[form])) for one in looks}) == 20


def laid_out(figure: Figure) -> None:
    """Draw it, so that everything is in its place."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()


@pytest.mark.parametrize("kind", ["contour", "histories"])
def test_long_names_of_axes_are_folded_and_stay_on_the_picture(kind: str) -> None:
    name = "z_mean_radius_of_the_nucleus_of_the_largest_of_all_cells"
    run = fallline.minimize(f"x**2 + {name}**2", (1.0, 1.0), fallline.GradientDescent(0.1), max_steps=3)
    figure = plot(run, kind=kind)
    laid_out(figure)
    label = next(ax.yaxis.label for ax in figure.axes if "mean" in ax.get_ylabel())
    # It is cut where parts of it end, and nothing of it is lost.
    assert label.get_text().replace("\n", "") == name
    assert all(line.endswith("_") for line in label.get_text().split("\n")[:-1])
    box = label.get_window_extent()
    assert box.y0 >= 0
    assert box.y1 <= figure.bbox.height


@pytest.mark.parametrize("kind", ["curve", "contour", "surface"])
def test_long_names_leave_the_legend_and_the_numbers_alone(kind: str) -> None:
    name = "mean_radius_of_the_nucleus_of_the_largest_of_all_cells_of_the_sample"
    formula, start = (f"{name}**2", (1.0,)) if kind == "curve" else (f"{name}**2 + z_{name}**2", (1.0, 1.0))
    run = fallline.minimize(formula, start, fallline.GradientDescent(0.1), max_steps=3)
    figure = plot(run, kind=kind)
    laid_out(figure)
    ax = figure.axes[0]
    label = ax.xaxis.label.get_window_extent()
    legend = ax.get_legend()
    assert legend is not None
    below = legend.get_window_extent()
    assert 0 <= below.y0 < below.y1 <= label.y0
    if kind != "surface":
        assert label.y1 <= min(number.get_window_extent().y0 for number in ax.get_xticklabels() if number.get_text())


@themes
def test_landscapes_and_steps_are_a_scale_in_grey(theme: Theme) -> None:
    for scale, sign in ((theme.landscape, -1 if theme is DARK else 1), (STEPS, 1)):
        grey = np.array([luminance(colour) for colour in scale(np.linspace(0, 1, 64))])
        assert (sign * np.diff(grey) > 0).all()


@styles
@pytest.mark.parametrize("kind", few(["contour", "contour_3d", "surface", "histories", "steps", "arrows"], 3))
def test_all_letters_are_large_and_in_the_ink(kind: str, style: str) -> None:
    options: dict[str, Any] = {"resolution": 16} if kind not in ("histories", "steps") else {}
    runs = on_bowl() if kind == "arrows" else two_on_bowl()
    assert_readable(plot(runs, kind=kind, style=style, **options), THEMES[style])


@styles
@pytest.mark.parametrize("kind", ["curve", "epochs", "arrows"])
def test_all_letters_on_curves_are_large_and_in_the_ink(kind: str, style: str) -> None:
    assert_readable(plot(halving(), kind=kind, style=style), THEMES[style])


def assert_readable(figure: Figure, theme: Theme) -> None:
    assert figure.get_facecolor() == to_rgba(theme.ground)
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text() and text.get_visible():
            assert to_rgba(text.get_color()) == to_rgba(theme.ink), text.get_text()
            # On a slide 10 inches wide, a picture of 8 by 6 inches shows these at their size or larger.
            assert float(text.get_fontsize()) >= 10
    for ax in figure.axes:
        assert ax.get_facecolor() == to_rgba(theme.ground)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["contour", "surface", "histories"])
def test_a_dark_picture_has_hardly_any_white(kind: str) -> None:
    file = io.BytesIO()
    plot(on_bowl(), kind=kind, style="dark").savefig(file, format="png")
    grey = np.asarray(Image.open(file).convert("L"))
    assert np.mean(grey > 128) < 0.05


def test_the_users_own_figure_says_which_colours_show() -> None:
    dark, light, clear = Figure(facecolor="#101010"), Figure(), Figure(facecolor="none")
    assert [theme_of(figure.subplots()) for figure in (dark, light, clear)] == [DARK, LIGHT, LIGHT]
    assert to_rgba(DARK.curve) == to_rgba(str(plot_curve("x**2", (0, 1), ax=dark.axes[0]).axes[0].lines[1].get_color()))


@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface", "histories", "steps", "arrows"])
def test_an_unknown_style_is_refused(kind: str) -> None:
    with pytest.raises(FalllineError, match="style is 'drak'; did you mean 'dark'\\? Allowed: light, dark, matplotlib"):
        plot(on_bowl(), kind=kind, style="drak")
