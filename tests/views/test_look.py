"""Every kind of picture at a column's width, on a slide, in the user's axes and with the user's settings."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import style
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from PIL import Image
from tests.cases import few
from tests.views.extents import assert_fits, texts
from tests.views.runs import in_space

import fallline
from fallline import Comparison, FalllineError, GradientDescent, Momentum, Record, Trajectory, compare, minimize
from fallline.views import Look, plot, style_sheets
from fallline.views.look import OPTIONS, SIZES, Options
from fallline.views.theme import DARK, LIGHT, THEMES

RULES: dict[str, Any] = {
    "gradient descent": GradientDescent(1e-3),
    "momentum": Momentum(5e-4),
    "slower": GradientDescent(5e-4),
}


@cache
def race() -> Comparison:
    return compare("rosenbrock", (-1.2, 1.0), RULES, max_steps=200)


@cache
def run() -> Trajectory:
    return minimize("rosenbrock", (-1.2, 1.0), Momentum(5e-4), max_steps=200, record=Record(state=True))


@cache
def crowd() -> Comparison:
    rules: dict[str, Any] = {f"momentum {number}": Momentum(1e-3 * (1 + number)) for number in range(20)}
    return compare("himmelblau", (0.0, 0.0), rules, max_steps=50)


@cache
def falls() -> Comparison:
    rules: dict[str, Any] = {"plain": GradientDescent(0.05), "momentum": Momentum(0.05)}
    return compare("x**2 + 8*sin(x)", 10.0, rules, max_steps=60)


@cache
def swept() -> Any:
    grid: dict[str, Any] = {"learning_rate": np.geomspace(0.01, 4, 8), "momentum": np.linspace(0, 0.95, 6)}
    return fallline.sweep("x**2/2", 1.0, "momentum", grid, target=1e-6)


@cache
def basins() -> Any:
    return fallline.basins("himmelblau", None, GradientDescent(0.01), resolution=24)


@cache
def fitted() -> Any:
    return fallline.fit(fallline.examples.challenger(), "distress", holdout=0.25, seed=1)


@cache
def starts() -> Comparison:
    places = np.random.default_rng(0).uniform(-5, 5, (20, 2))
    return compare("himmelblau", places, GradientDescent(0.01), max_steps=50)


# Pictures that are drawn on one axes.
SINGLE: dict[str, Callable[..., Figure]] = {
    "contours": lambda **look: plot(race(), resolution=32, **look),
    "contours of one run": lambda **look: plot(run(), resolution=32, **look),
    "contours of twenty runs": lambda **look: plot(crowd(), resolution=32, **look),
    "contours alone": lambda **look: plot("himmelblau", resolution=32, **look),
    "principal components": lambda **look: plot(in_space(), coordinates="pca", resolution=32, **look),
    "curve": lambda **look: plot(falls(), together=True, **look),
    "arrows": lambda **look: plot(run(), kind="arrows", resolution=32, **look),
    "heat map": lambda **look: plot(swept(), **look),
    "basins": lambda **look: plot(basins(), **look),
    "fit": lambda **look: plot(fitted(), kind="fit", **look),
}
EVERY = SINGLE | {
    "curves": lambda **look: plot(falls(), **look),
    "histories": lambda **look: plot(race(), kind="histories", **look),
    "steps": lambda **look: plot(run(), kind="steps", **look),
    "epochs": lambda **look: plot(falls().trajectories[0], kind="epochs", **look),
    "scores": lambda **look: plot(fitted(), kind="scores", **look),
}
single = pytest.mark.parametrize("draw", few(SINGLE.values(), 3), ids=SINGLE.keys())
every = pytest.mark.parametrize("draw", few(EVERY.values(), 4), ids=EVERY.keys())


@pytest.mark.long
@every
def test_at_a_columns_width_all_texts_are_readable_and_apart(draw: Callable[..., Figure]) -> None:
    assert_fits(draw(context="paper"), least=5.5)


@every
@pytest.mark.parametrize("context", ["notebook", "slide"])
def test_in_other_contexts_as_well(draw: Callable[..., Figure], context: str) -> None:
    assert_fits(draw(context=context), least={"notebook": 10, "slide": 14}[context])


@every
@pytest.mark.parametrize("context", list(SIZES))
def test_the_page_is_as_wide_as_its_context_and_has_margins(draw: Callable[..., Figure], context: Any) -> None:
    figure, sizes = draw(context=context), SIZES[context]
    assert figure.get_figwidth() == pytest.approx(sizes.width)
    # A page that is wider is shown smaller, and its texts with it; texts at its edge look cut off.
    sides, margin = 72 * figure.get_size_inches(), 0.25 * sizes.label
    for text, box in texts(figure):
        assert min(box.min) > margin, text
        assert min(sides - box.max) > margin, text


@single
def test_a_picture_of_one_axes_fills_its_width(draw: Callable[..., Figure]) -> None:
    figure = draw(context="paper")
    ax = figure.axes[0]
    assert ax.get_window_extent().width > 0.6 * figure.bbox.width


def rows_and_columns(**options: Any) -> Figure:
    figure = Figure(**options)
    for ax in figure.subplots(2, 2).flat:
        ax.plot([0, 1], [0, 1])
    return figure


def assert_fits_the_axes(figure: Figure, others: list[Any], drawn: list[Any]) -> None:
    """All texts are on the page, and those of the axes that were drawn on reach none of the others."""
    width, height = (72 * side for side in figure.get_size_inches())
    points = 72 / figure.dpi
    for text, box in texts(figure):
        assert min(box.min) >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text
        if text.axes not in others:
            for other in others:
                assert not box.overlaps(
                    other.get_window_extent().transformed(matplotlib.transforms.Affine2D().scale(points))
                )
    for ax in drawn:
        # Not a speck on the paper either: today's were a tenth as wide.
        assert ax.get_window_extent().width > 0.2 * figure.bbox.width


@single
@pytest.mark.parametrize("layout", ["constrained", "none"])
def test_on_one_of_four_axes_the_neighbours_are_untouched(draw: Callable[..., Figure], layout: Any) -> None:
    figure = rows_and_columns(figsize=(8, 6), layout=layout)
    *others, ax = figure.axes
    before = [other.get_position().bounds for other in others]
    assert draw(ax=ax) is figure
    assert_fits_the_axes(figure, others, [ax])
    if layout == "none":
        assert [other.get_position().bounds for other in others] == before


@pytest.mark.parametrize("draw", few([SINGLE["contours"], SINGLE["heat map"]], 1), ids=["contours", "heat map"])
def test_four_pictures_on_four_axes(draw: Callable[..., Figure]) -> None:
    figure = rows_and_columns(figsize=(8, 6))
    axes = list(figure.axes)
    for ax in axes:
        ax.clear()
        draw(ax=ax)
    assert_fits_the_axes(figure, [], axes)
    shown = [(text.axes, box) for text, box in texts(figure)]
    bars: dict[Any, Any] = {bar: ax for bar in figure.axes for ax in axes if bar not in axes and abs_near(bar, ax)}
    owners = [(bars.get(ax, ax), box) for ax, box in shown]
    for one, first in owners:
        for other, second in owners:
            assert one is other or not first.padded(-1).overlaps(second.padded(-1))


def abs_near(bar: Any, ax: Any) -> bool:
    """Whether a colour bar stands to the right of axes, at their height."""
    one, other = bar.get_position(), ax.get_position()
    return bool(abs(one.y0 - other.y0) < 0.01 and 0 <= one.x0 - other.x1 < 0.05)


@pytest.mark.long
@single
@pytest.mark.parametrize("layout", ["constrained", "none"])
def test_on_a_page_of_two_inches_nothing_is_cut(draw: Callable[..., Figure], layout: Any) -> None:
    figure = Figure(figsize=(2, 2), layout=layout)
    ax = figure.subplots()
    draw(ax=ax)
    assert_fits_the_axes(figure, [], [ax])
    legend = ax.get_legend()
    if legend is not None:
        assert legend.get_window_extent().height < 0.7 * ax.bbox.height


@pytest.mark.long
@single
def test_an_inset_has_no_colour_bar_and_leaves_its_parent_alone(draw: Callable[..., Figure]) -> None:
    figure = Figure(figsize=(8, 6))
    parent = figure.subplots()
    parent.plot([0, 1], [0, 1])
    before = parent.get_position().bounds
    inset = parent.inset_axes((0.5, 0.1, 0.4, 0.4))
    draw(ax=inset)
    assert figure.axes == [parent]
    assert parent.get_position().bounds == before
    texts(figure)
    place = inset.get_window_extent()
    assert (place.width, place.height) == pytest.approx((0.4 * parent.bbox.width, 0.4 * parent.bbox.height), rel=1e-6)


HOSTILE: Any = {
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 20,
    "lines.marker": "o",
    "lines.linestyle": "--",
    "axes.titlelocation": "left",
    "figure.autolayout": True,
    "savefig.facecolor": "black",
    "text.usetex": False,
    "legend.framealpha": 0.1,
    "axes.formatter.limits": (-1, 1),
    "xtick.minor.visible": True,
    "axes.xmargin": 0.4,
    "contour.negative_linestyle": "dashed",
}


@every
def test_hostile_settings_break_no_picture(draw: Callable[..., Figure]) -> None:
    with matplotlib.rc_context(HOSTILE):
        figure = draw(context="paper")
        assert_fits(figure)
        file = io.BytesIO()
        figure.savefig(file, format="png")
    # On its own background.
    assert Image.open(file).convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_hostile_settings_draw_no_grid_over_a_landscape_and_no_marker_on_casings() -> None:
    with matplotlib.rc_context(HOSTILE):
        ax = plot(race(), resolution=16).axes[0]
    assert not any(line.get_visible() for line in [*ax.get_xgridlines(), *ax.get_ygridlines()])
    # A marker of each run's line and end, the ring and the star.
    assert sum(line.get_marker() not in ("none", "None", None) for line in ax.lines) == 2 * len(RULES) + 2


@pytest.mark.parametrize("sheet", ["ggplot", "dark_background", "seaborn-v0_8", "fivethirtyeight"])
def test_the_users_style_sheet_is_respected(sheet: str) -> None:
    with style.context(sheet):
        own = matplotlib.rcParams
        figure = plot(race(), style="matplotlib", resolution=32)
        assert figure.get_facecolor() == to_rgba(own["figure.facecolor"])
        assert figure.get_size_inches()[0] == own["figure.figsize"][0]
        cycle = own["axes.prop_cycle"].by_key()["color"]
        coloured = {to_rgba(line.get_color()) for line in figure.axes[0].lines}
        assert {to_rgba(colour) for colour in cycle[: len(RULES)]} <= coloured
        assert to_hex(figure.axes[0].title.get_color()) == to_hex(own["text.color"])
        assert_fits(figure, least=8)


def test_the_style_sheets_are_what_the_looks_say() -> None:
    folder = Path(style_sheets.__file__).parent
    for name, text in style_sheets.sheets().items():
        assert (folder / name).read_text(encoding="utf-8") == text
    assert {path.name for path in folder.glob("*.mplstyle")} == set(style_sheets.sheets())


@pytest.mark.parametrize("name", list(THEMES))
@pytest.mark.parametrize("context", list(SIZES))
def test_our_style_sheets_are_matplotlibs(name: Any, context: Any) -> None:
    with style.context([f"fallline.views.{name}", f"fallline.views.{context}"]):
        look, ours = Look(style="matplotlib"), Look(style=name, context=context)
        assert look.theme.runs == tuple(colour.lower() for colour in ours.theme.runs)
        assert (look.theme.ground.upper(), look.theme.ink.upper()) == (ours.theme.ground, ours.theme.ink)
        # The user's own settings have no size for notes.
        for part in ("width", "dpi", "title", "label", "tick", "legend", "line", "marker"):
            assert getattr(look.sizes, part) == pytest.approx(getattr(ours.sizes, part)), part
        figure = plot(run(), style="matplotlib", resolution=16)
        assert figure.get_figwidth() == SIZES[context].width


def test_on_our_style_sheets_a_figure_of_the_users_has_our_colours() -> None:
    with style.context(["fallline.views.dark", "fallline.views.slide"]):
        figure = Figure()
        ax = figure.subplots()
        (line,) = ax.plot([0, 1])
        assert to_rgba(line.get_color()) == to_rgba(DARK.runs[0])
        assert figure.get_facecolor() == to_rgba(DARK.ground)
        assert line.get_linewidth() == SIZES["slide"].line
    assert LIGHT.ground == "#FFFFFF"


def test_a_formula_in_a_title_is_mathematics_where_it_fits() -> None:
    assert plot("x**2/2").axes[0].get_title() == r"$\frac{x^{2}}{2}$"
    # Too wide for a line: in characters, which can be folded.
    wide = plot(" + ".join(f"(x - {number})**2" for number in range(12))).axes[0].get_title()
    assert wide.startswith("(x − 0)² + (x − 1)²")
    assert "\n" in wide
    assert plot("rosenbrock", resolution=16).axes[0].get_title() == "Rosenbrock"


@pytest.mark.parametrize("thing", ["x**2", "rosenbrock"])
def test_a_keyword_that_does_not_exist_is_told_with_the_nearest(thing: str) -> None:
    with pytest.raises(FalllineError, match="styel is no option of th"):
        plot(thing, styel="dark")


def test_so_it_is_for_the_pictures_of_other_results() -> None:
    found = fallline.basins("himmelblau", None, fallline.GradientDescent(0.01), resolution=8)
    with pytest.raises(FalllineError, match=r"titel is no option of this picture; did you mean 'title'\?"):
        found.plot(titel="basins")


@pytest.mark.parametrize("kind", ["contour", "arrows"])
def test_the_star_of_a_single_run_is_explained_where_there_is_one(kind: str) -> None:
    def words(trajectory: Trajectory) -> list[str]:
        legend: Any = plot(trajectory, kind=kind, resolution=32).axes[0].get_legend()
        return [text.get_text() for text in legend.get_texts()]

    assert "known minimum" in words(run())
    unknown = minimize("(x - 1)**2 + cos(y)", (0.0, 1.0), Momentum(0.1), record=Record(state=True))
    assert "known minimum" not in words(unknown)


@pytest.mark.long
@pytest.mark.parametrize("context", list(SIZES))
def test_the_lines_of_a_crowd_are_seen_from_afar(context: Any) -> None:
    figure = plot(starts(), resolution=32, context=context)
    widths = [line.get_linewidth() for line in figure.axes[0].lines if np.size(line.get_xdata()) > 20]
    assert len(widths) >= 40
    assert min(widths) >= 0.4 * SIZES[context].line


@pytest.mark.parametrize(
    ("kind", "has_lines", "has_patches"),
    [("curves", True, False), ("fit", True, False), ("basins", False, True), ("heat map", True, True)],
)
def test_the_edges_of_keys_are_as_fine_as_their_context(kind: str, has_lines: bool, has_patches: bool) -> None:
    figure = EVERY[kind](context="paper")
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend() is not None)]
    lines = [line for legend in legends for line in legend.get_lines() if line.get_marker() not in ("None", "")]
    patches = [patch for legend in legends for patch in legend.get_patches()]
    assert (bool(lines), bool(patches)) == (has_lines, has_patches)
    assert all(line.get_markeredgewidth() <= SIZES["paper"].line for line in lines)
    assert all(patch.get_linewidth() <= 0.6 * SIZES["paper"].line for patch in patches)


def test_every_keyword_of_a_look_is_typed() -> None:
    assert tuple(Options.__annotations__) == OPTIONS
