"""Films of runs: their paths grow from frame to frame."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from pathlib import Path as FilePath
from typing import Any, Literal, Unpack

import numpy as np
from matplotlib.figure import Figure

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Verbatim, check_whole, nearest
from fallline.files import whole_file
from fallline.pictures import clock, paths, words
from fallline.pictures.clock import Spacing
from fallline.pictures.curve import Descent, descent_of
from fallline.pictures.heights import Limits, Scale, check_scale
from fallline.pictures.kinds import FILMS, SOLID
from fallline.pictures.landscape import Coordinates, Landscape, landscape_of
from fallline.pictures.paths import Labelled, Runs
from fallline.progress import progress_bar
from fallline.results.series import time_of, value_symbol
from fallline.tables import Printed, Summary, summary_of
from fallline.views import appearance, encoders, player
from fallline.views.encoders import Frame
from fallline.views.look import Look, Options
from fallline.views.picture_files import check_film_path
from fallline.views.scene import Scene, Screen, Stage
from fallline.views.turning import drawn_by_several

# From this many frames on, a progress bar is shown.
LONG = 50
LEAST_SIDE, MOST_SIDE = 64, 8192
# A .gif can show a frame for eleven minutes at most.
SLOWEST, FASTEST = 0.01, 100
FRAMES, FRAMES_PER_SECOND, QUALITY = 60, 15.0, 90
# From this quality on a .webp is lossless unless the camera turns: a slightly lossy one would be larger.
LOSSLESS = 50
# More frames a second need a delay of 0.01 s in a .gif, which browsers turn into 0.1 s.
FASTEST_GIF = 50


@dataclass(frozen=True, eq=False, repr=False)
class Film(Printed):
    """A picture in which the paths grow. In a notebook it shows itself, with controls.

    Attributes:
        scene: what it shows.
        frames_per_second: how fast it plays.
        quality: the quality of the written file, from 1 to 100.
        title: what it shows, in a few words.
    """

    scene: Scene = field(repr=False)
    frames_per_second: float
    quality: int
    title: str
    _pairs: tuple[Labelled, ...] = field(repr=False)

    @property
    def times(self) -> FloatArray:
        """The step or epoch up to which each frame shows the runs, shape (frames,)."""
        return self.scene.times

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self.times)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.frames / self.frames_per_second

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._screen.size

    @property
    def figure(self) -> Figure:
        """The figure with the still part of the film."""
        return self._screen.figure

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The axes of the film, with what moves on them."""
        return self._screen.stages

    def pictures(self) -> Iterator[Frame]:
        """The frames in order, each drawn on demand: pixels of shape (height, width, 4)."""
        return self._drawn(self._screen.frame)

    def _drawn(self, draw: Callable[[int], Frame]) -> Iterator[Frame]:
        with progress_bar(self.frames, "frames", shown=self.frames >= LONG) as report:
            if self.scene.turn:
                drawn = drawn_by_several(self.scene, self.frames, self.size, draw)
            else:
                drawn = (draw(number) for number in range(self.frames))
            for done, frame in enumerate(drawn, start=1):
                yield frame
                report(done)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the film to a file, whole or not at all: a .gif, .mp4 or .webp, or an .html page that plays.

        Raises:
            FalllineError: when the file name ends otherwise, the encoder is missing, or the file cannot be written.
        """
        check_film_path(path)
        _check_holds(path, self.size, self.frames_per_second)
        ending = FilePath(path).suffix.lower()
        # Each frame is encoded before the next one is drawn.
        frames = self._drawn(self._screen.draw)
        with whole_file(path) as draft:
            if ending == ".html":
                draft.write_text(self.html(), encoding="utf-8")
            elif ending == ".mp4":
                encoders.write_mp4(frames, draft, self.size, self.frames_per_second, self.quality)
            elif ending == ".webp":
                encoders.write_webp(frames, draft, self._moments, self.quality, lossless=self._lossless)
            else:
                encoders.write_gif(frames, draft, self._moments, self.quality, self._sample())

    def html(self) -> str:
        """The film as a page with a player: play, pause, step, speed, histories, and the numbers under the pointer.

        In three dimensions it is a surface that the mouse, or a finger, turns.
        """
        dark, camera = self.scene.look.theme.dark, None
        if self.scene.kind in SOLID:
            camera = (self.stages[0].ax.azim, self.stages[0].ax.elev)
        return player.page(self._pairs, self.scene.data, self.seconds, self.scene.spacing, camera=camera, dark=dark)

    def _repr_html_(self) -> str:
        if self.scene.kind not in SOLID:
            return player.inline(self.html(), self._screen.frame(self.frames - 1))
        file = io.BytesIO()
        encoders.write_webp(self.pictures(), file, self._moments, self.quality, lossless=self._lossless)
        return f'<img src="data:image/webp;base64,{base64.b64encode(file.getvalue()).decode("ascii")}">'

    @property
    def _moments(self) -> list[int]:
        """The time at which each frame starts, and the last one ends, in milliseconds."""
        return [round(1000 * number / self.frames_per_second) for number in range(self.frames + 1)]

    @property
    def _lossless(self) -> bool:
        """Whether a .webp is lossless: with a still background that makes a smaller file than slight loss."""
        return self.quality == 100 or (self.quality >= LOSSLESS and not self.scene.turn)

    def _sample(self) -> Frame:
        """Pixels with every colour of the film: the last frame has them all, unless the camera turns."""
        last = self.frames - 1
        numbers = sorted({0, last // 3, 2 * last // 3, last} if self.scene.turn else {last})
        return np.concatenate([self._screen.frame(number) for number in numbers])

    @cached_property
    def _screen(self) -> Screen:
        return Screen(self.scene)


@summary_of.register
def _of_film(film: Film) -> Summary:
    length = f"{film.frames}, {film.frames_per_second:g} a second, {film.seconds:g} s in all"
    return Summary(f"Film: {film.title}", [("picture", film.scene.kind), ("frames", length)])


def animate(
    runs: Runs,
    path: str | os.PathLike[str] | None = None,
    kind: str = "auto",
    *,
    frames: int = FRAMES,
    frames_per_second: float = FRAMES_PER_SECOND,
    spacing: Spacing = "length",
    size: tuple[int, int] | None = None,
    quality: int = QUALITY,
    turn: float = 0.0,
    coordinates: Coordinates = None,
    bounds: Any = None,
    zlim: Limits = None,
    zscale: Scale | Literal["auto"] | None = None,
    resolution: int = 256,
    **options: Unpack[Options],
) -> Film:
    """Make a film of runs: their paths grow, and the title says the step, or the epoch, and the value.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        path: the file to write, .gif, .mp4, .webp, or .html for a page that plays, with the numbers under the
            pointer; in three dimensions a surface that the mouse turns. None: no file, and the film shows itself in a
            notebook.
        kind: "curve" (several runs side by side), "contour", "contour_3d" or "surface"; "auto" takes the
            curve for one coordinate and the contour for more.
        frames: how many frames, from the start to the end; a single one shows the end.
        frames_per_second: how fast it plays, 50 at most as a .gif.
        spacing: the clock of the film: "length": the paths grow evenly, so that long first steps are seen one by one;
            "time": every step or epoch takes as long as any other.
        size: width and height in pixels; None: chosen for the kind.
        quality: how little is lost, from 1 to 100: the colours of a .gif, the detail of an .mp4 and a .webp. A .webp
            loses nothing at 100, nor from 50 on if the camera stands still; below 50 it is smaller.
        turn: by how many degrees the camera turns, in three dimensions; several processes then draw the frames.
        coordinates: of more than two, the two to show, the others held at the first run's final point; or "pca" (the
            default): the plane of the paths' principal components.
        bounds: the interval of each coordinate shown; None: chosen to show the runs.
        zlim, zscale: the heights of a landscape, as the picture of that kind has them.
        resolution: the number of grid points along each of two coordinates.
        options: the keywords of `fallline.views.Look`, but `ax`; the player of an .html page has a switch between light
            and dark of its own.

    Returns:
        The film.

    Raises:
        FalllineError: when an argument is wrong; before anything is computed when it is the path.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=50)
    >>> animate(run, frames=6, spacing="time").times
    array([ 0., 10., 20., 30., 40., 50.])
    """
    if path is not None:
        check_film_path(path)
    look = Look.of(options, animate)
    appearance.only_on_a_figure(look, "a film")
    pairs = paths.labelled(runs)
    objective = paths.objective_of(pairs)
    if zscale is not None:
        check_scale(zscale)
    check_film(
        objective.dimension,
        path,
        kind,
        frames=frames,
        frames_per_second=frames_per_second,
        spacing=spacing,
        size=size,
        quality=quality,
        turn=turn,
    )
    kind = _fitting(kind, objective.dimension)
    if size is not None:
        size = int(size[0]), int(size[1])
    data: Descent | Landscape
    if kind == "curve":
        data = descent_of(pairs, objective, bounds, points=512)
    else:
        usual: Scale | Literal["auto"] = "auto" if kind in SOLID else "linear"
        data = landscape_of(pairs, objective, coordinates, bounds, resolution, zlim, zscale or usual)
    every = np.unique(np.concatenate([time_of(pair.run) for pair in pairs]))
    times = clock.frame_times(every, clock.progress(data, every, spacing), frames)
    titles: tuple[tuple[tuple[str, ...], ...], ...]
    if kind != "curve" and len(pairs) > 1:
        # In characters: frames copy the letters of a title one by one.
        shown = str(words.objective_words(objective.title)) if look.title is None else look.title
        rule = paths.untold_rule(data.paths)
        titles = (tuple((shown, rule, f"{data.unit} {paths.time_text(time)}") for time in times),)
    else:
        titles = tuple(
            tuple(_title(group[0], data, float(time), look.title) for time in times) for group in paths.grouped(pairs)
        )
    scene = Scene(kind, data, times, titles, spacing, size, float(turn), look)
    film = Film(scene, float(frames_per_second), int(quality), objective.title, pairs)
    if path is not None:
        film.save(path)
    return film


def check_film(
    dimension: int,
    path: str | os.PathLike[str] | None = None,
    kind: str = "auto",
    *,
    frames: Any = FRAMES,
    frames_per_second: Any = FRAMES_PER_SECOND,
    spacing: Any = "length",
    size: Any = None,
    quality: Any = QUALITY,
    turn: Any = 0.0,
) -> None:
    """Check the arguments of a film before the runs are made.

    Arguments:
        dimension: how many coordinates the runs have.

    The other arguments are those of `animate`.

    Raises:
        FalllineError: naming the argument that is wrong.

    >>> check_film(2, kind="contour", turn=90)
    Traceback (most recent call last):
    fallline.errors.FalllineError: turn is 90, but a contour is flat; a contour_3d or a surface can turn
    """
    if kind not in ("auto", *FILMS):
        raise FalllineError("kind", kind, nearest(str(kind), ("auto", *FILMS)))
    kind = _fitting(kind, dimension)
    if kind == "curve" and dimension > 1:
        raise FalllineError(
            "kind", kind, "points on a curve need one", problem=f"but there are {dimension} coordinates"
        )
    if kind != "curve" and dimension == 1:
        raise FalllineError("kind", kind, "a landscape needs two", problem="but there is one coordinate")
    check_whole("frames", frames, least=1)
    if not (_is_number(frames_per_second) and SLOWEST <= frames_per_second <= FASTEST):
        raise FalllineError("frames_per_second", frames_per_second, f"it must be a number from {SLOWEST} to {FASTEST}")
    clock.check_spacing(spacing)
    if not (_is_number(quality) and quality in range(1, 101)):
        raise FalllineError("quality", quality, "it must be a whole number from 1 to 100")
    if not (_is_number(turn) and np.isfinite(turn)):
        raise FalllineError("turn", turn, "it must be a finite number of degrees")
    if turn and kind not in SOLID:
        raise FalllineError("turn", turn, "a contour_3d or a surface can turn", problem=f"but a {kind} is flat")
    if size is not None:
        sides = tuple(size) if isinstance(size, Sequence | np.ndarray) and not isinstance(size, str) else ()
        whole = all(isinstance(side, int | np.integer) and LEAST_SIDE <= side <= MOST_SIDE for side in sides)
        if len(sides) != 2 or not whole:
            raise FalllineError(
                "size", size, f"it must be two whole numbers, width and height, from {LEAST_SIDE} to {MOST_SIDE} pixels"
            )
    if path is not None:
        _check_holds(path, size, frames_per_second)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool)


def _check_holds(path: str | os.PathLike[str], size: Sequence[int] | None, rate: float) -> None:
    """Refuse a file that cannot hold the film."""
    ending = FilePath(path).suffix.lower()
    if ending == ".gif" and rate > FASTEST_GIF:
        raise FalllineError(
            "frames_per_second",
            Verbatim(f"{rate:g}"),
            f"browsers play a .gif of more than {FASTEST_GIF} slowly; choose {FASTEST_GIF} or fewer, or .mp4 or .webp",
        )
    if ending == ".mp4" and size is not None and any(side % 2 for side in size):
        raise FalllineError("size", Verbatim(tuple(size)), ".mp4 needs an even width and height")


def _fitting(kind: str, dimension: int) -> str:
    """The kind asked for, or for "auto" the one that fits the dimension."""
    return kind if kind != "auto" else "curve" if dimension == 1 else "contour"


def _title(pair: Labelled, data: Descent | Landscape, time: float, title: str | None) -> tuple[str, str]:
    """The title (None: the rule), and the state at a time: the step or epoch of the last point by then, the value.

    Of a rule that is repeated, only the time.
    """
    if pair.rule:
        return pair.rule if title is None else title, f"{data.unit} {paths.time_text(time)}"
    times = time_of(pair.run)
    row = int(np.searchsorted(times, time, side="right")) - 1
    value = words.number(float(pair.run.value[row]))
    symbol = value_symbol(pair.run.objective)
    rule = words.labelled(pair.label, words.optimizer_words(pair.run)) if title is None else title
    return rule, f"{data.unit} {paths.time_text(times[row])}: {symbol} = {value}"
