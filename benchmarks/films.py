"""Pictures and films, compared with Matplotlib's animation and with encoding alone: `python -m benchmarks.films`."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from benchmarks.measure import Row, faster, in_turn, measured, show, timed
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter
from PIL import Image

import fallline
from fallline.views import Film, appearance, encoders

SIZE = (800, 600)
RATE = 20
# How many times faster than Matplotlib's animation, and how many times as long as drawing once and encoding.
LEAST, MOST = 12.0, 1.3
# Frames of the films that are compared with encoding alone.
FEW = 100
SCENES = ["contour", "contour_3d", "surface"]
TITLE = "Films"
ABOUT = f"""\
Four paths over a landscape, or one on a curve, as a film of {SIZE[0]} × {SIZE[1]} pixels: `animate` from the runs to
the file. First compared with Matplotlib's `FuncAnimation.save` with the same figure and artists, each with its usual
encoder: Fallline draws the still part once, Matplotlib again for every frame. Then with drawing the last picture once
(`plot`, as a .png) and encoding all frames, which lie ready as arrays, as one does without Fallline: Pillow's
`save_all` for a .gif, imageio-ffmpeg for an .mp4. A film should take at most 1.3 times as long. Fallline's encoders
take only what changed from frame to frame; where they are the peer, with ready frames, the difference is the price of
drawing what moves: about two milliseconds a frame, and a .gif's frame is encoded in one."""


def rows(repeats: int = 3, frames: int = 200, scenes: list[str] = SCENES) -> Iterator[Row]:
    """Every scene as GIF and as MP4."""
    endings = (".gif", ".mp4")
    return measured(
        *(functools.partial(film, kind, ending, repeats, frames) for kind in scenes for ending in endings),
        *(functools.partial(encoding, kind, ending, repeats) for kind in ("curve", *scenes) for ending in endings),
    )


def film(kind: str, ending: str, repeats: int, frames: int) -> Iterator[Row]:
    """One film by both."""
    if ending == ".mp4":
        import imageio_ffmpeg

        matplotlib.rcParams["animation.ffmpeg_path"] = imageio_ffmpeg.get_ffmpeg_exe()
    runs = four_runs()
    theirs, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/film{ending}"
        for _ in range(repeats):
            theirs.append(timed(functools.partial(by_matplotlib, runs, kind, frames, path)))
            ours.append(timed(functools.partial(by_fallline, runs, kind, frames, path)))
    yield faster(f"{kind}, {ending[1:].upper()}, {frames} frames: FuncAnimation", theirs, ours, LEAST)


def encoding(kind: str, ending: str, repeats: int) -> Iterator[Row]:
    """A film compared with drawing once and encoding ready frames, by the usual encoder and by Fallline's own."""
    runs = one_run() if kind == "curve" else four_runs()
    film: Film = runs.animate(None, kind, frames=FEW, frames_per_second=RATE, size=SIZE)
    ready = list(film.pictures())
    usual, name = (by_pillow, "Pillow") if ending == ".gif" else (by_imageio, "imageio-ffmpeg")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/film{ending}"

        def drawn_once(encode: Callable[[Sequence[Any], str], None]) -> Callable[[], None]:
            def both() -> None:
                runs.plot(f"{folder}/picture.png", kind=kind)
                encode(ready, path)

            return both

        peers = {name: drawn_once(usual), "Fallline's encoder": drawn_once(functools.partial(by_own, film))}
        ours = functools.partial(by_fallline, runs, kind, FEW, path)
        taken = in_turn({**peers, "ours": ours}, repeats)
    claim = f"{kind}, {ending[1:].upper()}, {FEW} frames: drawing once, and encoding by"
    for peer in peers:
        yield faster(f"{claim} {peer}", taken[peer], taken["ours"], 1 / MOST)


def by_pillow(frames: Sequence[Any], path: str) -> None:
    """Ready frames as a .gif."""
    first, *others = (Image.fromarray(frame[..., :3]) for frame in frames)
    first.save(path, save_all=True, append_images=others, duration=1000 // RATE, loop=0)


def by_imageio(frames: Sequence[Any], path: str) -> None:
    """Ready frames as an .mp4."""
    import imageio_ffmpeg

    # Otherwise it would change the size to a multiple of 16.
    writer = imageio_ffmpeg.write_frames(path, SIZE, pix_fmt_in="rgba", fps=RATE, macro_block_size=2)
    writer.send(None)
    for frame in frames:
        writer.send(frame)
    writer.close()


def by_own(film: Film, frames: Sequence[Any], path: str) -> None:
    """Ready frames by Fallline's encoders."""
    moments = [1000 * number // RATE for number in range(len(frames) + 1)]
    if path.endswith(".gif"):
        encoders.write_gif(iter(frames), Path(path), moments, film.quality, frames[-1])
    else:
        encoders.write_mp4(iter(frames), Path(path), SIZE, RATE, film.quality)


def one_run() -> fallline.Trajectory:
    """A rule on a curve with two valleys."""
    return fallline.minimize("x**4 - 3*x**2 + x", 2.2, fallline.Adam(0.02), max_steps=400)


def four_runs() -> fallline.Comparison:
    """Four rules on Rosenbrock's valley."""
    rules: dict[str, fallline.Optimizer[Any]] = {
        "gradient descent": fallline.GradientDescent(0.001),
        "momentum": fallline.Momentum(0.0005),
        "adam": fallline.Adam(0.05),
        "rmsprop": fallline.RMSProp(0.01),
    }
    return fallline.compare("(1 - x)**2 + 100*(y - x**2)**2", (-1.2, 1.0), rules, max_steps=400)


def by_fallline(runs: Any, kind: str, frames: int, path: str) -> None:
    """Everything from the runs to the file."""
    runs.animate(path, kind, frames=frames, frames_per_second=RATE, size=SIZE)


def by_matplotlib(runs: Any, kind: str, frames: int, path: str) -> None:
    """The same figure and artists, which are created once and get longer paths in each frame.

    The layout is fixed after the first drawing: otherwise Matplotlib would lay out each frame and take longer still.
    """
    film: Film = runs.animate(None, kind, frames=frames, frames_per_second=RATE, size=SIZE)
    (stage,) = film.stages
    appearance.set_title(stage.ax)
    stage.ax.title.set_text(stage.titles[-1])
    film.figure.draw_without_rendering()
    film.figure.set_layout_engine("none")
    artists: list[Any] = list(stage.draw(stage.ax, float(film.times[-1])))

    def show(number: int) -> list[Any]:
        stage.ax.title.set_text(stage.titles[number])
        shown = Places(stage.ax)
        stage.draw(shown, float(film.times[number]))
        for artist, places in zip(artists, shown.places, strict=True):
            if stage.ax.name == "3d":
                artist.set_data_3d(*places)
            else:
                artist.set_data(*places)
        return artists

    movie = FuncAnimation(film.figure, show, frames=film.frames, init_func=lambda: artists, blit=False)
    writer = PillowWriter(fps=RATE) if path.endswith(".gif") else FFMpegWriter(fps=RATE, codec="libx264")
    movie.save(path, writer=writer, dpi=film.figure.dpi)
    if not Path(path).stat().st_size:
        raise RuntimeError(f"Matplotlib wrote nothing to {path}")


class Places:
    """Axes that draw nothing and record the points of lines."""

    def __init__(self, ax: Any) -> None:
        self.name, self.get_figure, self._projection = ax.name, ax.get_figure, None
        if ax.name == "3d":
            self._projection = ax.get_proj()
        self.places: list[tuple[Any, ...]] = []

    def get_proj(self) -> Any:
        """The projection matrix."""
        return self._projection

    def plot(self, *places: Any, **_look: Any) -> list[None]:
        """Record a line."""
        self.places.append(places)
        return [None]


if __name__ == "__main__":
    show(rows)
