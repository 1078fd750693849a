"""How much faster a film is written than by Matplotlib's own animation: the same scene, side by side, in one run."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import matplotlib
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

import fallline
from fallline.views import Film, animate, appearance

SIZE = (800, 600)
RATE = 20
LEAST = 12.0


def main() -> None:
    """Print the times and their ratios, and whether all reach what is aimed at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scenes", nargs="+", default=["contour", "contour_3d", "surface"])
    asked = parser.parse_args()
    matplotlib.rcParams["animation.ffmpeg_path"] = imageio_ffmpeg.get_ffmpeg_exe()
    print(f"{machine()}; Python {platform.python_version()}, Matplotlib {matplotlib.__version__}")
    print(f"4 paths, {asked.frames} frames, {SIZE[0]} x {SIZE[1]}; {asked.repeats} times each, in turn; seconds\n")
    print(f"{'scene':12} {'file':5} {'FuncAnimation':>24} {'Fallline':>24} {'ratio':>22}")
    runs = four_runs()
    short = False
    with tempfile.TemporaryDirectory() as folder:
        for kind in asked.scenes:
            for ending in (".gif", ".mp4"):
                theirs, ours = [], []
                for number in range(asked.repeats):
                    path = f"{folder}/{number}{ending}"
                    theirs.append(timed(by_matplotlib, runs, kind, asked.frames, path))
                    ours.append(timed(by_fallline, runs, kind, asked.frames, path))
                ratios = [one / other for one, other in zip(theirs, ours, strict=True)]
                short |= statistics.median(ratios) < LEAST
                print(
                    f"{kind:12} {ending:5} {spread(theirs):>24} {spread(ours):>24} {spread(ratios, '×'):>22}",
                    flush=True,
                )
    print(f"\nmedian (least to most); at least {LEAST:g} times faster: {'no' if short else 'yes'}")


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
    animate(runs, path, kind, frames=frames, frames_per_second=RATE, size=SIZE)


def by_matplotlib(runs: Any, kind: str, frames: int, path: str) -> None:
    """The same figure and the same artists, which are made once and given longer paths in each frame.

    The layout is fixed after the first drawing, as in a figure without a layout engine: otherwise Matplotlib
    would lay out each frame and take longer still.
    """
    film: Film = animate(runs, None, kind, frames=frames, frames_per_second=RATE, size=SIZE)
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
    """Axes that draw nothing and keep where lines were to go."""

    def __init__(self, ax: Any) -> None:
        self.name, self.get_figure, self._projection = ax.name, ax.get_figure, None
        if ax.name == "3d":
            self._projection = ax.get_proj()
        self.places: list[tuple[Any, ...]] = []

    def get_proj(self) -> Any:
        """Where the camera stands."""
        return self._projection

    def plot(self, *places: Any, **_look: Any) -> list[None]:
        """Keep a line."""
        self.places.append(places)
        return [None]


def timed(work: Callable[..., None], *arguments: Any) -> float:
    """How long it takes, in seconds."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def spread(numbers: list[float], unit: str = "") -> str:
    """The median, and from where to where the numbers go."""
    return f"{statistics.median(numbers):.2f}{unit} ({min(numbers):.2f} to {max(numbers):.2f})"


def machine() -> str:
    """What was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}"


if __name__ == "__main__":
    main()
