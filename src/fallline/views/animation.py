"""Films: the still part of a picture is drawn once, and only the paths grow from frame to frame."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.files import whole_file
from fallline.views import contour, curve, grid, paths, player, style, surface
from fallline.views.files import check_film_path
from fallline.views.paths import Labelled, Path, Runs

KINDS = ("auto", "curve", "contour", "contour_3d", "surface")


@dataclass(frozen=True, eq=False)
class Stage:
    """One axes of a film: what is drawn on it anew in every frame.

    Attributes:
        ax: the axes, with the still part on it.
        draw: draws the paths up to a time and returns what it has drawn.
        title: the lines of the title at a time.
        cover: a still part, such as a surface, that hides what lies deeper; None when there is none.
    """

    ax: Axes
    draw: Callable[[float], list[Artist]]
    title: Callable[[float], tuple[str, ...]]
    cover: Artist | None = None


@dataclass(frozen=True, eq=False)
class Film:
    """A picture in which the paths grow. In a notebook it shows itself, with controls.

    Attributes:
        times: the step or epoch up to which each frame shows the runs, shape (frames,).
        frames_per_second: how fast it plays.
        title: what it shows, in a few words.
        figure: the still part.
        stages: what moves.
    """

    times: FloatArray
    frames_per_second: float
    title: str
    figure: Figure = field(repr=False)
    stages: tuple[Stage, ...] = field(repr=False)

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self.times)

    def pictures(self) -> Iterator[Image.Image]:
        """The frames one after the other, each drawn when it is asked for."""
        # One table of few colours for all frames makes small files; the last frame has all colours.
        table = self._frame(float(self.times[-1])).quantize(255, method=Image.Quantize.MAXCOVERAGE)
        for time in self.times:
            yield self._frame(float(time)).quantize(palette=table, dither=Image.Dither.NONE)

    def _frame(self, time: float) -> Image.Image:
        canvas, background, covers = self._still
        canvas.restore_region(background)
        for stage, cover in zip(self.stages, covers, strict=True):
            style.set_title(stage.ax, *stage.title(time))
            stage.ax.draw_artist(stage.ax.title)
            artists = stage.draw(time)
            if stage.cover is not None:
                depth = stage.cover.get_zorder()
                _draw(stage.ax, [artist for artist in artists if artist.get_zorder() < depth])
                canvas.renderer.draw_image(canvas.renderer.new_gc(), 0, 0, cover)
                artists = [artist for artist in artists if artist.get_zorder() > depth]
            _draw(stage.ax, artists)
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the film to a file, whole or not at all: a .gif, or an .html page with controls.

        Raises:
            FalllineError: when the ending is another one, or the file cannot be written.
        """
        check_film_path(path)
        with whole_file(path) as draft:
            if FilePath(path).suffix.lower() == ".html":
                draft.write_text(self.html(), encoding="utf-8")
                return
            pictures = self.pictures()
            next(pictures).save(
                draft,
                save_all=True,
                append_images=pictures,
                duration=round(1000 / self.frames_per_second),
                loop=0,
            )

    def html(self) -> str:
        """The film as one page with controls to play, pause and step."""
        return player.page(self._files, self.title, self._size[0], self.frames_per_second)

    def _repr_html_(self) -> str:
        return player.inline(self.html(), *self._size)

    @property
    def _size(self) -> tuple[int, int]:
        width, height = self.figure.bbox.size
        return int(width), int(height)

    @cached_property
    def _files(self) -> list[bytes]:
        """The frames as PNG files."""
        files = []
        for picture in self.pictures():
            file = io.BytesIO()
            picture.save(file, format="PNG", optimize=True)
            files.append(file.getvalue())
        return files

    @cached_property
    def _still(self) -> tuple[Any, Any, list[Any]]:
        """The canvas, the still part as drawn on it, and each stage's cover as an image."""
        canvas: Any = FigureCanvasAgg(self.figure)
        # The longest titles claim their room; then nothing may move any more, and they leave.
        for stage in self.stages:
            style.set_title(stage.ax, *stage.title(float(self.times[-1])))
        canvas.draw()
        self.figure.set_layout_engine("none")
        covers: list[Any] = []
        for stage in self.stages:
            stage.ax.set_title("")
            covers.append(None)
            if stage.cover is not None:
                canvas.renderer.clear()
                stage.ax.draw_artist(stage.cover)
                # Images are counted from the bottom here, and the canvas from the top.
                covers[-1] = np.asarray(canvas.buffer_rgba())[::-1].copy()
                stage.cover.set_visible(False)
        canvas.draw()
        return canvas, canvas.copy_from_bbox(self.figure.bbox), covers


def _draw(ax: Axes, artists: Sequence[Artist]) -> None:
    """Draw what lives for one frame only."""
    for artist in artists:
        # In space, collections find their place on the screen when told to.
        getattr(artist, "do_3d_projection", lambda: None)()
        ax.draw_artist(artist)
        artist.remove()


def animate(
    runs: Runs,
    path: str | os.PathLike[str] | None = None,
    kind: str = "auto",
    *,
    frames: int = 20,
    frames_per_second: float = 5.0,
    coordinates: Sequence[str] | None = None,
    bounds: Any = None,
    resolution: int = 256,
) -> Film:
    """Make a film of runs: their paths grow, and the title says the step, or the epoch, and the value.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        path: the file to write, .gif or .html; None: no file, and the film shows itself in a notebook.
        kind: "curve" (several runs side by side), "contour", "contour_3d" or "surface"; "auto" takes the
            curve for one coordinate and the contour for more.
        frames: how many frames at most, spread evenly over the run; the start and the end are among them.
        frames_per_second: how fast it plays.
        coordinates: the two to show where there are more; the others are held at the first run's final point.
        bounds: the interval of each coordinate shown; None: what shows the runs.
        resolution: the number of grid points along each of two coordinates.

    Returns:
        The film.

    Raises:
        FalllineError: when an argument is wrong; before anything is computed when it is the path.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=50)
    >>> animate(run, frames=6).times
    array([ 0., 10., 20., 30., 40., 50.])
    """
    if path is not None:
        check_film_path(path)
    if kind not in KINDS:
        raise FalllineError(f"kind is {kind!r}; {nearest(str(kind), KINDS)}")
    grid.check_count(frames, "frames", least=1)
    if not (np.isreal(frames_per_second) and 0 < frames_per_second <= 100):
        raise FalllineError(f"frames_per_second is {frames_per_second!r}; it must be a number above 0 and at most 100")
    pairs = paths.labelled(runs)
    objective = paths.objective_of(pairs)
    if kind == "curve" or (kind == "auto" and objective.dimension == 1):
        figure, stages = _curves(pairs, curve.descent_of(pairs, objective, bounds, points=512))
    else:
        landscape = contour.landscape_of(pairs, objective, coordinates, bounds, resolution)
        figure, stages = _landscape(pairs, landscape, "contour" if kind == "auto" else kind)
    every = np.unique(np.concatenate([paths.time_of(run) for _, run in pairs]))
    film = Film(
        times=every[paths.thinned(len(every), frames)],
        frames_per_second=float(frames_per_second),
        title=objective.title,
        figure=figure,
        stages=stages,
    )
    if path is not None:
        film.save(path)
    return film


def _curves(pairs: Sequence[Labelled], data: curve.Descent) -> tuple[Figure, tuple[Stage, ...]]:
    """Each run on a curve of its own, side by side."""
    figure = style.new_figure(max(8.0, 6.2 * len(pairs)), 5)
    axes = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
    stages: list[Stage] = []
    for ax, pair, path in zip(axes, pairs, data.paths, strict=True):
        curve.draw_still(ax, data)
        style.label_outer(ax, left=not stages, bottom=True)
        style.note(ax, path.remark)
        style.legend_below(ax, style.step_keys(f"{data.unit} {path.times[-1]:g}"), columns=2)
        stages.append(_stage(ax, pair, data.unit, path))
    return figure, tuple(stages)


def _stage(ax: Axes, pair: Labelled, unit: str, path: Path) -> Stage:
    return Stage(
        ax,
        lambda time: curve.draw_points(ax, path, time),
        lambda time: (style.optimizer_words(pair.run), _progress(pair.run, unit, time)),
    )


def _landscape(pairs: Sequence[Labelled], data: contour.Landscape, kind: str) -> tuple[Figure, tuple[Stage, ...]]:
    """All runs on one landscape."""
    figure, ax = style.figure_of(None, solid=kind != "contour", keys=len(pairs))
    draw_paths: Callable[[Any, contour.Landscape, float], list[Artist]]
    cover = None
    if kind == "contour":
        contour.draw_still(ax, data)
        draw_paths = contour.draw_paths
    elif kind == "contour_3d":
        contour.draw_still_3d(ax, data)
        draw_paths = contour.draw_paths_3d
    else:
        cover = surface.draw_still(ax, data)
        draw_paths = surface.draw_paths

    def title(time: float) -> tuple[str, ...]:
        if len(pairs) == 1:
            return style.optimizer_words(pairs[0].run), _progress(pairs[0].run, data.unit, time)
        return data.title, f"{data.unit} {time:g}"

    return figure, (Stage(ax, lambda time: draw_paths(ax, data, time), title, cover),)


def _progress(run: Any, unit: str, time: float) -> str:
    """Where a run is at a time: the step or epoch of its last point until then, and the value there."""
    times = paths.time_of(run)
    row = int(np.searchsorted(times, time, side="right")) - 1
    value = style.number(float(run.value[row]))
    return f"{unit} {times[row]:g}: {paths.value_symbol(run.objective)} = {value}"
