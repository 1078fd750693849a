from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from tests.cases import few
from tests.views.pixels import frames
from tests.views.runs import doubling, halving, in_space, on_batches, on_bowl, two_on_bowl

import fallline
from fallline import Comparison, FalllineError
from fallline.pictures.curve import descent_data
from fallline.pictures.paths import Runs
from fallline.views import Film, animate, plot
from fallline.views.scene import Screen


def test_frames_are_spread_over_the_run() -> None:
    film = animate(on_bowl(steps=38), frames=20, spacing="time", resolution=8)
    np.testing.assert_array_equal(film.times, np.arange(0, 40, 2))
    assert film.frames == 20


def test_films_move_and_last_long_enough_to_be_seen() -> None:
    for film in (animate(halving(3)), animate(on_bowl(steps=300), resolution=8)):
        assert film.frames >= 60
        assert 12 <= film.frames_per_second <= 25
        assert 3 <= film.seconds <= 10


@pytest.mark.parametrize("spacing", ["length", "time"])
def test_every_point_of_a_short_run_is_seen_equally_long(spacing: Any) -> None:
    _, shown = np.unique(animate(halving(3), frames=16, spacing=spacing).times, return_counts=True)
    # The end is there for a single frame.
    np.testing.assert_array_equal(shown, [5, 5, 5, 1])


def test_by_length_long_first_steps_are_seen_one_by_one() -> None:
    # Across a narrow valley: from (8, 1), y changes its sign in each step and shrinks by 0.9, x by 0.995.
    slope = lambda x, y: (0.05 * x, 19 * y)  # noqa: E731
    valley = lambda x, y: 0.025 * x * x + 9.5 * y * y  # noqa: E731
    run = fallline.minimize(valley, (8, 1), fallline.GradientDescent(0.1), gradient=slope, max_steps=600)
    by_length, by_time = (set(animate(run, spacing=s, resolution=8).times) for s in ("length", "time"))
    assert {float(step) for step in range(10)} <= by_length
    assert not {1.0, 2.0, 3.0} & by_time


@pytest.mark.long
def test_a_single_frame_shows_the_end() -> None:
    film = animate(halving(3), frames=1)
    assert film.times.tolist() == [3]
    (last,) = film.pictures()
    *_, end = animate(halving(3), frames=4).pictures()
    np.testing.assert_array_equal(last, end)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface"])
def test_gif_holds_the_frames(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "descent.gif"
    animate(on_bowl(), path, kind, frames=6, frames_per_second=4, resolution=24)
    pictures = frames(path)
    assert len(pictures) == 6
    assert {picture.shape for picture in pictures} == {(602, 800, 3)}
    with Image.open(path) as film:
        assert film.info["duration"] == 250
        assert film.info["loop"] == 0
    # Yellow, the end, is on the path in the last frame alone; the legend has a dot of it in all.
    yellow = [int((np.abs(picture.astype(int) - [255, 255, 0]).max(axis=2) < 25).sum()) for picture in pictures]
    assert yellow[-1] > max(yellow[:-1])


def test_the_still_part_does_not_move(tmp_path: Path) -> None:
    path = tmp_path / "descent.gif"
    animate(halving(), path, frames=5)
    pictures = np.array(frames(path))
    moved = (pictures != pictures[0]).any(axis=(0, 3))
    height, width = moved.shape
    # Titles change above, points on the curve; the axis' name and the legend below do not.
    assert moved[: height // 8].any()
    assert not moved[-height // 10 :].any()
    assert moved.sum() < 0.05 * height * width


def test_a_film_can_be_drawn_twice() -> None:
    film = animate(on_bowl(), kind="surface", frames=3, resolution=16)
    np.testing.assert_array_equal(list(film.pictures()), list(film.pictures()))


# In some sizes the letters of a line are taller than a line of their font, and push others away.
@pytest.mark.parametrize("size", few([(None,), ((420, 330),)], 1))
@pytest.mark.parametrize("runs", few([on_bowl, two_on_bowl], 1), ids=["one", "two"])
@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface"])
def test_the_last_frame_is_the_picture_to_the_last_pixel(
    kind: str, runs: Callable[[], Runs], size: tuple[int, int] | None
) -> None:
    film = animate(runs(), kind=kind, frames=5, resolution=24, size=size)
    *_, last = film.pictures()
    np.testing.assert_array_equal(last, drawn_at_once(plot(runs(), kind=kind, resolution=24), film))


def test_the_last_frame_on_a_curve_is_the_picture_to_the_last_pixel() -> None:
    film = animate(halving(), frames=5)
    *_, last = film.pictures()
    figure = plot(halving(), kind="curve")
    np.testing.assert_array_equal(last, drawn_at_once(figure, film))


def drawn_at_once(figure: Figure, film: Film) -> Any:
    """The pixels of a picture of the film's size, under its last title."""
    figure.set_dpi(film.figure.dpi)
    figure.set_size_inches(*film.figure.get_size_inches())
    figure.axes[0].title.set_text(film.stages[0].titles[-1])
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.long
@pytest.mark.parametrize("bounds", [None, ((-0.5, 1), (-0.2, 0.8))], ids=["whole", "cut off"])
@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface"])
def test_frames_are_as_they_would_be_drawn_anew(kind: str, bounds: Any) -> None:
    """A run of many points, some of them again and again in one place, and with `bounds` some outside the picture."""
    valley = fallline.minimize("(1 - x)**2 + 10*(y - x**2)**2", (-1.2, 1), fallline.Adam(0.05), max_steps=200)
    screen = Screen(animate(valley, kind=kind, frames=5, resolution=16, bounds=bounds).scene)
    # The first frame has a single dot, which Matplotlib would move to whole pixels, and no other.
    for number in range(1, 5):
        quick, whole = screen.frame(number).astype(int), screen.whole(number).astype(int)
        # As below, the surface covers shadows as an image, and at last it is drawn.
        assert np.abs(quick - whole).max() <= (3 if kind == "surface" and number < 4 else 0)


@pytest.mark.parametrize("kind", ["contour_3d", "surface"])
def test_in_space_the_last_point_is_in_front_of_those_at_its_place(kind: str) -> None:
    # A thousand steps end within a hair of the minimum: what is farther away by rounding alone is drawn first.
    run = fallline.minimize("(1 - x)**2 + 5*(y - x**2)**2", (-1.5, 2), fallline.GradientDescent(0.02))
    frame = animate(run, kind=kind, frames=1, resolution=16).scene.open()(0)
    yellow = (frame == (255, 255, 0, 255)).all(axis=2)
    # The key below the axes is as yellow.
    assert yellow[: int(0.9 * len(yellow))].sum() > 10


@pytest.mark.parametrize("run", [halving(6), doubling()], ids=["halving", "diverging"])
def test_frames_on_a_curve_are_as_they_would_be_drawn_anew(run: fallline.Trajectory) -> None:
    screen = Screen(animate(run, frames=5, spacing="time").scene)
    for number in range(1, 5):
        np.testing.assert_array_equal(screen.frame(number), screen.whole(number))


def test_the_surface_hides_the_shadow_behind_it() -> None:
    """Frames before the last put the surface over the shadows as an image."""
    film = animate(on_bowl(), kind="surface", frames=3, resolution=32)
    screen = Screen(film.scene)
    quick, whole = screen.frame(1).astype(int), screen.whole(1).astype(int)
    # Eight bits a colour are rounded once more for the image, so some shades are off by one or two; a shadow
    # drawn on top of the surface would be a hundred off.
    assert np.abs(quick - whole).max() <= 3


def test_what_a_surface_hides_is_faint_in_every_frame() -> None:
    """Two runs go down behind a ridge: all frames are as they would be drawn anew."""
    ridge = lambda x, y: 4 * np.exp(-4 * (x - y) ** 2) + 0.2 * (x + y) ** 2  # noqa: E731
    rules = {
        f"rate {rate}": fallline.GradientDescent(
            rate,
        )
        for rate in (0.02, 0.03)
    }
    runs = fallline.compare(ridge, (0.4, 0.1), rules, max_steps=12)
    film = animate(runs, kind="surface", frames=5, resolution=32, bounds=((-2, 2), (-2, 2)))
    screen = Screen(film.scene)
    for number in range(1, 4):
        quick, whole = screen.frame(number).astype(int), screen.whole(number).astype(int)
        # As above; a faint path is at least as far from a bright one as it is from the surface.
        assert np.abs(quick - whole).max() <= 3


def test_titles_tell_the_step_and_the_value() -> None:
    (stage,) = animate(halving(), frames=5, spacing="time").stages
    assert [stage.titles[number] for number in (0, 2)] == [
        "gradient descent, η = 0.25\nstep 0: f = 64",
        "gradient descent, η = 0.25\nstep 2: f = 4",
    ]


def test_a_step_is_told_with_all_its_digits() -> None:
    run = replace(halving(1), steps=np.array([0, 1234567]))
    assert animate(run, frames=2).stages[0].titles[1].endswith("\nstep 1234567: f = 16")
    several = Comparison(("one", "other"), (replace(on_bowl(steps=1), steps=np.array([0, 1234567])),) * 2)
    assert animate(several, frames=2, resolution=8).stages[0].titles[1].endswith("\nstep 1234567")
    assert descent_data(run).paths[0].last("step") == "step 1234567"


def test_batches_are_told_in_epochs() -> None:
    run = on_batches(epochs=3)
    film = animate(run, frames=4, spacing="time", resolution=8)
    np.testing.assert_array_equal(film.times, [0, 1, 2, 3])
    assert film.stages[0].titles[2].endswith(f"\nepoch 2: loss = {run.value[8]:.4g}")


def test_several_runs_on_curves_stand_side_by_side() -> None:
    film = animate(Comparison(("short", "long"), (halving(2), halving(6))), frames=7)
    left, right = film.stages
    assert left.ax.get_position().x0 < right.ax.get_position().x0
    # The short run waits at its end for the long one.
    assert left.titles[6].endswith("\nstep 2: f = 4")
    assert right.titles[6].endswith(f"\nstep 6: f = {8 / 2**6 * 8 / 2**6:.4g}")


def test_several_runs_share_a_landscape() -> None:
    (stage,) = animate(two_on_bowl(), frames=3, spacing="time", resolution=8).stages
    assert stage.titles == ("bowl\nstep 0", "bowl\nstep 10", "bowl\nstep 20")


def test_a_notebook_shows_the_player() -> None:
    film = animate(halving(), frames=2)
    shown = film._repr_html_()
    inside = re.search('srcdoc="([^"]*)"', shown)
    assert inside is not None
    assert html.unescape(inside[1]) == film.html()


def test_diverged_and_one_step_runs_make_films(tmp_path: Path) -> None:
    for number, run in enumerate((doubling(), halving(1), on_bowl(rate=2.0, steps=2000), on_bowl(steps=1))):
        path = tmp_path / f"{number}.gif"
        film = animate(run, path, frames=5, resolution=16)
        assert len(frames(path)) == film.frames == 5


def test_two_of_many_coordinates() -> None:
    film = animate(in_space(), coordinates=("a", "b"), frames=2, resolution=8)
    assert film.stages[0].ax.get_xlabel() == "a"
    assert str(animate(in_space(), frames=2, resolution=8).stages[0].ax.get_xlabel()).startswith("PC 1 (")


@pytest.mark.parametrize("kind", ["contour", "surface"])
def test_a_dark_film_is_the_dark_picture(kind: str) -> None:
    film = animate(on_bowl(), kind=kind, frames=4, resolution=24, style="dark")
    *_, last = film.pictures()
    np.testing.assert_array_equal(last, drawn_at_once(plot(on_bowl(), kind=kind, resolution=24, style="dark"), film))
    with pytest.raises(FalllineError, match="style is 'drak'; did you mean 'dark'"):
        animate(on_bowl(), style="drak")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "contuor"}, "kind is 'contuor'; did you mean 'contour'?"),
        ({"frames": 0}, "frames is 0; it must be a whole number at least 1"),
        ({"frames_per_second": 0}, "frames_per_second is 0; it must be a number from"),
        ({"frames_per_second": 1e-9}, "frames_per_second is 1e-09; it must be a number from"),
        ({"frames_per_second": "fast"}, "frames_per_second is 'fast'"),
        ({"frames_per_second": None}, "frames_per_second is None; it must be a number from 0.01 to 100"),
        (
            {"frames_per_second": 60, "path": "a.gif"},
            "frames_per_second is 60; browsers play a .gif of more than 50",
        ),
        ({"style": ["dark"]}, r"style is \['dark'\]; did you mean 'dark'"),
        ({"path": 5}, "path is 5; it must be the name of a file"),
        ({"bounds": ((0, 1e308), (-1e308, 1e308))}, r"bounds is \(0, 1e\+308\); its ends must lie within ±1e\+300"),
        ({"path": "descent.mov"}, "path is 'descent.mov', which ends in '.mov'; Allowed: .gif, .html, .mp4, .webp"),
        ({"path": "missing/descent.gif"}, "the folder 'missing' does not exist"),
        ({"size": (800, 20)}, r"size is \(800, 20\); it must be two whole numbers.* from 64 to 8192 pixels"),
        ({"size": 800}, "size is 800; it must be two whole numbers"),
        ({"size": (801, 600), "path": "odd.mp4"}, r"size is \(801, 600\); .mp4 needs an even width and height"),
        ({"spacing": "lenght"}, r"spacing is 'lenght'; did you mean 'length'\? Allowed: length, time"),
        ({"quality": 0}, "quality is 0; it must be a whole number from 1 to 100"),
        ({"quality": 101}, "quality is 101; it must be a whole number from 1 to 100"),
        ({"turn": 90}, "turn is 90, but a contour is flat"),
        ({"turn": np.inf, "kind": "surface"}, "turn is inf; it must be a finite number of degrees"),
        ({"turn": [90], "kind": "surface"}, r"turn is \[90\]; it must be a finite number of degrees"),
        ({"kind": "curve"}, "points on a curve need one"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        animate(on_bowl(), resolution=8, **options)  # type: ignore[arg-type]


def test_a_film_saves_itself(tmp_path: Path) -> None:
    film = animate(halving(), frames=3)
    assert isinstance(film, Film)
    film.save(tmp_path / "a.gif")
    film.save(tmp_path / "a.HTML")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.HTML", "a.gif"]
    with pytest.raises(FalllineError, match=r"path is 'a\.avi'"):
        film.save("a.avi")


def test_a_marker_stays_where_it_appeared() -> None:
    """Markers of a path that grows come one after the other, and none moves but the one at the end."""
    screen = Screen(animate(two_on_bowl(), frames=21, resolution=16).scene)
    (stage,) = screen.stages
    screen.frame(0)
    seen: list[set[tuple[float, ...]]] = []
    for number in range(21):
        drawn = Marks(screen.figure.canvas.renderer)  # type: ignore[attr-defined]
        # Each path lies on its rim, and all below their ends.
        stage.retraced(float(number))[1].draw(drawn)
        seen.append(drawn.places)
    assert all(before <= after for before, after in itertools.pairwise(seen))
    # The start has a ring.
    assert len(seen[0]) == 0 < 1 < len(seen[-1])


class Marks:
    """A renderer that keeps where markers are drawn."""

    def __init__(self, renderer: Any) -> None:
        self.places: set[tuple[float, ...]] = set()
        self._renderer = renderer

    def draw_markers(self, gc: Any, form: Any, size: Any, path: Any, transform: Any, colour: Any) -> None:
        self.places |= {tuple(point) for point in path.vertices}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._renderer, name)


@pytest.mark.parametrize("context", ["notebook", "paper", "slide"])
@pytest.mark.parametrize("kind", ["curve", "contour", "surface"])
def test_the_usual_size_is_one_that_every_format_takes(context: Any, kind: str) -> None:
    start = [4.0] if kind == "curve" else [4.0, 1.0]
    run = fallline.minimize("x**2" if kind == "curve" else "x**2 + y**2", start, "gradient_descent", max_steps=4)
    width, height = animate(run, kind=kind, context=context, frames=2, resolution=16).size
    assert width % 2 == height % 2 == 0
