"""How cost grows with steps of a run, starts of a batch, and rows of data: `python -m benchmarks.growth`.

It draws docs/images/cost.png.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.engines import NEVER, RATE, batch
from benchmarks.measure import Row, in_turn, show

import fallline
from fallline.models import Logistic
from fallline.views import Look, appearance, legends, traces

TITLE = "Cost against work"
ABOUT = """\
Twice the work should take twice the time: no more, or large problems are out of reach; and no less, because then
fixed costs dominate the measurement. The exponent is the slope of the lines below, fitted to the least time at each
size: 1 is proportional.

![Time against steps, starts and rows](images/cost.png)"""
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "cost.png"
MOST_ROWS, FEATURES = 2_000_000, 100
APART = 0.1


@dataclass(frozen=True)
class Curve:
    """The least time, in seconds, for each amount of work."""

    work: str
    sizes: list[int]
    seconds: list[float]

    @property
    def exponent(self) -> float:
        """The exponent of the growth of time with size."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.seconds), 1)[0])


def rows(repeats: int = 9) -> Iterator[Row]:
    """The exponent of each curve; draws the picture at the end."""
    curves = []
    for work, sizes, sized in WORK:
        calls = {str(size): sized(size) for size in sizes}
        taken = in_turn(calls, repeats)
        curve = Curve(work, sizes, [min(seconds) for seconds in taken.values()])
        curves.append(curve)
        yield Row(
            f"exponent of the time in the {work}, {sizes[0]:,} to {sizes[-1]:,}",
            ours=f"{curve.exponent:.2f}",
            aim=f"1.0 ± {APART:g}",
            reached=abs(curve.exponent - 1) <= APART,
        )
    draw(curves, PICTURE)


def steps(size: int) -> Callable[[], Any]:
    """One recorded run of `size` steps."""
    return functools.partial(
        fallline.minimize, "rosenbrock", (-1.2, 1.0), fallline.Adam(RATE), max_steps=size, stop=NEVER, engine="compiled"
    )


def starts(size: int) -> Callable[[], Any]:
    """A batch of `size` starts."""
    return batch("rosenbrock", size)


def gradient(size: int) -> Callable[[], Any]:
    """A gradient over `size` rows."""
    X, y, x = data()
    return functools.partial(Logistic(X[:size], y[:size]).gradient, x)


@functools.cache
def data() -> tuple[Any, Any, Any]:
    """The largest data, of which smaller ones are the first rows, and a point."""
    random = np.random.default_rng(0)
    X = random.standard_normal((MOST_ROWS, FEATURES))
    return X, (random.random(MOST_ROWS) < 0.5).astype(float), random.normal(size=FEATURES + 1) / 10


# Large enough that the fixed cost of a call, which would bend the lines, is a small part.
WORK: tuple[tuple[str, list[int], Callable[[int], Callable[[], Any]]], ...] = (
    ("steps of one recorded run", [250_000 * 2**i for i in range(4)], steps),
    ("starts of a batch, 200 steps each", [65_536 * 2**i for i in range(4)], starts),
    (f"rows of a logistic gradient, {FEATURES} features", [MOST_ROWS // 2**i for i in (3, 2, 1, 0)], gradient),
)


def draw(curves: list[Curve], path: Path) -> None:
    """Draw time against work, with a thin line of proportional cost through each curve's end."""
    figure = appearance.new_figure(8, 6, Look())
    (ax,) = appearance.new_axes(figure)
    keys = []
    for number, curve in enumerate(curves):
        look = traces.run_look(ax, number)
        sizes = np.array(curve.sizes)
        ax.loglog(sizes, curve.seconds, **look)
        ax.loglog(sizes, curve.seconds[-1] * sizes / sizes[-1], color=look["color"], linestyle=":")
        keys.append(legends.key(f"{curve.work}: exponent {curve.exponent:.2f}", look))
    keys.append(legends.key("proportional", {"color": "grey", "linestyle": ":"}))
    appearance.label_axes(ax, "steps, starts or rows", "seconds")
    appearance.set_title(ax, "Cost against work")
    legends.legend_of(ax, keys)
    figure.savefig(path)


if __name__ == "__main__":
    show(rows)
