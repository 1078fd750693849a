"""The frames of a film: the still part of a picture is drawn once, the paths again for each frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure

from fallline.arrays import FloatArray
from fallline.pictures.clock import Spacing
from fallline.pictures.curve import Descent
from fallline.pictures.kinds import SOLID
from fallline.pictures.landscape import Landscape
from fallline.pictures.paths import Path, grouped
from fallline.tables import Printed
from fallline.views import appearance, contour, curve, legends, surface
from fallline.views.encoders import Frame
from fallline.views.fonts import make_legible
from fallline.views.growing import Dots, Growing, on_screen
from fallline.views.lettering import lettering, visible
from fallline.views.look import Look, sizes_of


@dataclass(frozen=True, eq=False, repr=False)
class Scene(Printed):
    """The data of a film, picklable so that several processes can draw it.

    Attributes:
        kind: "curve", "contour", "contour_3d" or "surface".
        data: the runs on a curve or a landscape.
        times: the step or epoch up to which each frame shows the runs, shape (frames,).
        titles: the lines of the title over each axes in each frame.
        spacing: how the frames are spread over the runs.
        size: width and height in pixels; None: chosen for the kind.
        turn: by how many degrees the camera turns from the first frame to the last.
        look: how it looks.
    """

    kind: str
    data: Landscape | Descent
    times: FloatArray
    titles: tuple[tuple[tuple[str, ...], ...], ...]
    spacing: Spacing = "length"
    size: tuple[int, int] | None = None
    turn: float = 0.0
    look: Look = field(default_factory=Look)

    def open(self) -> Callable[[int], Frame]:
        """A function that draws the frame with a given number."""
        return Screen(self).frame


@dataclass(frozen=True, eq=False, repr=False)
class Stage(Printed):
    """One axes of a film, with the still part on it.

    Attributes:
        ax: the axes.
        draw: draws the paths on axes up to a time and returns the artists.
        titles: the title of each frame.
        cover: a still artist, such as a surface, that hides what has a lower zorder; None when there is none.
    """

    ax: Any
    draw: Callable[[Any, float], list[Artist]]
    titles: tuple[str, ...]
    cover: Artist | None = None

    @cached_property
    def retraced(self) -> Retraced:
        """Draws the paths up to a time, reusing the artists of the previous frame."""
        return Retraced(self.ax, self.draw)


class Retraced:
    """Stands in for axes whose camera does not move: it makes each line and point artist once, and then reuses it."""

    def __init__(self, ax: Any, draw: Callable[[Any, float], list[Any]]) -> None:
        self.name = ax.name
        self._ax, self._draw = ax, draw
        self._projection = ax.get_proj() if ax.name == "3d" else None
        self._made: list[Any] = []
        self._drawn = 0
        self(np.inf)

    def __call__(self, time: float) -> list[Any]:
        """The artists to draw up to a time, sorted by zorder."""
        self._drawn = 0
        return sorted(self._draw(self, time), key=lambda artist: artist.get_zorder())

    def get_figure(self, root: bool = False) -> Any:
        """The figure, whose background decides the theme."""
        return self._ax.get_figure(root)

    def get_proj(self) -> Any:
        """The projection matrix, as `Axes3D.get_proj` gives it."""
        return self._projection

    def get_xlim(self) -> tuple[float, float]:
        """The limits of the first axis."""
        return tuple(self._ax.get_xlim())

    def get_ylim(self) -> tuple[float, float]:
        """The limits of the second axis."""
        return tuple(self._ax.get_ylim())

    def plot(self, *places: FloatArray, **look: Any) -> list[Growing]:
        """As `Axes.plot`, for one line, of which each frame shows the first points."""
        line: Growing = self._next(Growing, lambda: self._ax.plot(*places, **look)[0])
        line.count = len(places[0])
        return [line]

    def scatter(self, *places: FloatArray, **look: Any) -> Dots:
        """As `Axes.scatter`, for points of one colour or of one colour each."""
        dots: Dots = self._next(Dots, lambda: self._ax.scatter(*places, **look))
        colours = to_rgba_array(look["c"], look["alpha"]) if "c" in look else None
        if self._projection is None:
            dots.points = on_screen(places, None)
        else:
            # From back to front, as Matplotlib does.
            there = np.isfinite(places).all(axis=0)
            points = on_screen(tuple(place[there] for place in places), self._projection)
            order = np.argsort(points[:, 2])[::-1]
            dots.points = points[order, :2]
            colours = None if colours is None else colours[there][order]
        if colours is not None:
            dots.colours = colours
        return dots

    def _next(self, kind: Callable[[Any, Any], Any], make: Callable[[], Any]) -> Any:
        """The next stand-in for an artist; both are made in the first frame only."""
        if self._drawn == len(self._made):
            artist = make()
            _project(artist)
            self._made.append(kind(artist, self._ax.figure.canvas.get_renderer()))
            artist.remove()
        self._drawn += 1
        return self._made[self._drawn - 1]


class Screen:
    """Draws a scene, frame by frame."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        # The time that the last frame drawn shows, which the next may show as well.
        self._shown = np.nan
        data = scene.data
        self.figure, self.stages = _curves(scene, data) if isinstance(data, Descent) else _landscape(scene, data)
        # Even, as an .mp4 needs it.
        usual = tuple(2 * round(side / 2) for side in self.figure.bbox.size)
        self.size: tuple[int, int] = scene.size or (usual[0], usual[1])
        # The size in pixels changes the dots per inch, so that text grows with the picture.
        dots = self.figure.dpi * min(self.size[0] / usual[0], self.size[1] / usual[1])
        self.figure.set_dpi(dots)
        self.figure.set_size_inches(_inches(self.size[0], dots), _inches(self.size[1], dots))

    def frame(self, number: int) -> Frame:
        """The pixels of a frame, shape (height, width, 4), opaque."""
        return self.draw(number).copy()

    def draw(self, number: int) -> Frame:
        """The same, valid only until the next frame is drawn into the same buffer."""
        if self.scene.turn:
            return self.whole(number)
        return self._last if number == len(self.scene.times) - 1 else self._drawn(number)

    @cached_property
    def _last(self) -> Frame:
        """The last frame, which is drawn first as well, for the colours of a .gif."""
        return self._drawn(len(self.scene.times) - 1).copy()

    def _drawn(self, number: int) -> Frame:
        canvas, background, letterings, covers = self._still
        time = float(self.scene.times[number])
        if time == self._shown and number < len(self.scene.times) - 1:
            return np.asarray(canvas.buffer_rgba())
        self._shown = time
        canvas.restore_region(background)
        for stage, lettered, cover in zip(self.stages, letterings, covers, strict=True):
            stage.ax.title.set_text(stage.titles[number])
            stage.ax.title.draw(lettered)
            artists = stage.retraced(time)
            if stage.cover is not None:
                depth = stage.cover.get_zorder()
                _draw(canvas.renderer, [artist for artist in artists if artist.get_zorder() < depth])
                # Under a partly transparent image, a shadow may be one shade off; the last frame is exact.
                if number == len(self.scene.times) - 1:
                    _draw(canvas.renderer, [stage.cover])
                else:
                    canvas.renderer.draw_image(canvas.renderer.new_gc(), *cover)
                artists = [artist for artist in artists if artist.get_zorder() > depth]
            _draw(canvas.renderer, artists)
        return np.asarray(canvas.buffer_rgba())

    def whole(self, number: int) -> Frame:
        """The same, but with the still part drawn again, from the camera's position in this frame: slow."""
        self._shown = np.nan
        canvas = self._canvas
        time, last = float(self.scene.times[number]), len(self.scene.times) - 1
        drawn: list[Artist] = []
        for stage, azimuth in zip(self.stages, self._azimuths, strict=True):
            if self.scene.turn:
                stage.ax.view_init(elev=stage.ax.elev, azim=azimuth + self.scene.turn * number / max(1, last))
            stage.ax.title.set(text=stage.titles[number], animated=False)
            drawn += stage.draw(stage.ax, time)
        canvas.draw()
        for artist in drawn:
            artist.remove()
        return np.asarray(canvas.buffer_rgba()).copy()

    @cached_property
    def _azimuths(self) -> list[float]:
        """The initial azimuth of each axes' camera."""
        return [getattr(stage.ax, "azim", 0.0) for stage in self.stages]

    @cached_property
    def _canvas(self) -> Any:
        """The canvas, with the layout fixed for all frames."""
        canvas: Any = FigureCanvasAgg(self.figure)
        # The layout makes room for the tallest titles, and is then fixed.
        for stage in self.stages:
            appearance.set_title(stage.ax)
            stage.ax.title.set_text(max(reversed(stage.titles), key=lambda title: title.count("\n")))
        make_legible(self.figure)
        engine = self.figure.get_layout_engine()
        assert engine is not None
        engine.execute(self.figure)
        self.figure.set_layout_engine("none")
        return canvas

    @cached_property
    def _still(self) -> tuple[Any, Any, list[Any], list[Any]]:
        """The canvas, the still part drawn on it, and each stage's lettering and cover image."""
        canvas = self._canvas
        for stage in self.stages:
            # `canvas.draw` leaves animated artists out.
            stage.ax.title.set_animated(True)
            if stage.cover is not None:
                stage.cover.set_visible(False)
        canvas.draw()
        background = canvas.copy_from_bbox(self.figure.bbox)
        letterings: list[Any] = []
        covers: list[Any] = []
        for stage in self.stages:
            letterings.append(lettering(stage.ax.title, canvas.renderer, stage.titles))
            covers.append(None)
            if stage.cover is not None:
                canvas.renderer.clear()
                stage.cover.set_visible(True)
                _draw(canvas.renderer, [stage.cover])
                covers[-1] = visible(canvas.buffer_rgba())
        return canvas, background, letterings, covers


def _inches(pixels: int, dots: float) -> float:
    """A length in pixels as inches, slightly more: Matplotlib truncates what rounding leaves below a whole pixel."""
    inches = pixels / dots
    return inches if int(inches * dots) == pixels else float(np.nextafter(inches, np.inf))


def _draw(renderer: Any, artists: Sequence[Artist]) -> None:
    """Draw the artists that move."""
    for artist in artists:
        _project(artist)
        artist.draw(renderer)


def _project(artist: Artist) -> None:
    """Project a three-dimensional collection, which does not do so when it is drawn."""
    getattr(artist, "do_3d_projection", lambda: None)()


def _curves(scene: Scene, data: Descent) -> tuple[Figure, tuple[Stage, ...]]:
    """The figure and stages for runs side by side, each on its own curve, or those that repeat a rule on one."""
    groups = grouped(data.paths)
    figure = appearance.new_figure(max(8.0, 6.2 * len(groups)), 5, scene.look)
    axes = appearance.new_axes(figure, 1, len(groups), sharey=True)
    stages: list[Stage] = []
    for ax, paths, titles in zip(axes, groups, scene.titles, strict=True):
        curve.draw_still(ax, data)
        appearance.label_outer(ax, left=not stages, bottom=True)
        single = len(paths) == 1
        appearance.note(ax, paths[0].remark if single else "")
        keys = legends.step_keys(ax, paths[0].last(data.unit) if single else "end")
        legends.legend_of(ax, keys)
        stages.append(Stage(ax, _on_curve(paths), _wrapped(ax, titles)))
    return appearance.finished(figure, scene.look), tuple(stages)


def _on_curve(paths: Sequence[Path]) -> Callable[[Any, float], list[Artist]]:
    numbered = len(paths) == 1
    return lambda ax, time: [
        artist for path in paths for artist in curve.draw_points(ax, path, time, numbered=numbered)
    ]


def _landscape(scene: Scene, data: Landscape) -> tuple[Figure, tuple[Stage, ...]]:
    """The figure and stage for all runs on one landscape."""
    keys = legends.lines_below(scene.look, data.paths)
    figure, ax = appearance.figure_of(scene.look, solid=scene.kind in SOLID, keys=keys)
    draw_paths: Callable[[Any, Landscape, float], list[Artist]]
    cover = None
    if scene.kind == "contour":
        contour.draw_still(ax, data)
        draw_paths = contour.draw_paths
    elif scene.kind == "contour_3d":
        contour.draw_still_3d(ax, data)
        draw_paths = contour.draw_paths_3d
    else:
        cover = surface.draw_still(ax, data)
        draw_paths = surface.draw_paths
    stage = Stage(ax, lambda ax, time: draw_paths(ax, data, time), _wrapped(ax, scene.titles[0]), cover)
    return appearance.finished(figure, scene.look), (stage,)


def _wrapped(ax: Any, titles: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The title of each frame, wrapped to the width of the axes."""
    width = appearance.inches(ax)[0]
    return tuple(appearance.title_text(sizes_of(ax), *lines, width=width) for lines in titles)
