"""The state of a rule as arrows at points of its path: the gradient, what it remembers, and the step it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fallline.pictures.arrows import Arrows, arrows_data, longest
from fallline.pictures.curve import Descent
from fallline.pictures.landscape import Coordinates
from fallline.results.trajectory import Trajectory
from fallline.views import appearance, contour, curve, legends, traces
from fallline.views.appearance import figure_of
from fallline.views.look import Look, Options, sizes_of, theme_of

# Shorter arrows, as a share of the picture's sides, are not drawn.
SHORTEST = 0.01
# The area of the path's points, by that of other markers.
SMALL = 0.3
# The width of the shortest kind of arrow, and how much is added for each longer kind, as shares of the picture's width.
THIN, THICKER = 0.005, 0.003
# The width of the rims of arrows, by that of lines.
RIM = 0.3


def plot_arrows(
    run: Trajectory,
    *,
    shown: Sequence[str] | None = None,
    points: int = 12,
    coordinates: Coordinates = None,
    bounds: Any = None,
    resolution: int = 256,
    **options: Unpack[Options],
) -> Figure:
    """Draw the state of a rule as arrows at points of its path: gradient, step, and what the rule remembers.

    Every arrow points in the direction in which its quantity moves the run: the gradient's is minus the gradient. Each
    kind has its own scale, which the legend gives; steps are drawn at their true length where that is visible.

    Arguments:
        run: a trajectory; with `record=Record(state=True)`, `minimize` records the rule's state in it.
        shown: some of "gradient", "step" and the recorded parts of the state; None: these two and the state's
            parts that are directions, such as momentum.
        points: at how many points of the path, evenly spread along it.
        coordinates: which to show of more than two, as in `plot_contour`.
        bounds: the interval of each coordinate shown; None: chosen to show the run.
        resolution: the number of grid points along each of two coordinates.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong.

    >>> import fallline
    >>> rule, record = fallline.Momentum(0.05), fallline.Record(state=True)
    >>> run = fallline.minimize("x**2 + 3*y**2", (2, 1), rule, max_steps=20, record=record)
    >>> [text.get_text() for text in plot_arrows(run, resolution=32).axes[0].get_legend().get_texts()][2:]
    ['−gradient × 0.05', 'step', '−velocity × 0.57']
    """
    look = Look.of(options, plot_arrows)
    data = arrows_data(run, shown=shown, points=points, coordinates=coordinates, bounds=bounds, resolution=resolution)
    figure, ax = figure_of(look, keys=3)
    draw_arrows(ax, data)
    return appearance.finished(figure, look)


def draw_arrows(ax: Axes, data: Arrows) -> None:
    """Draw the curve or the landscape with the path, the arrows on it, and their legend."""
    theme, sizes = theme_of(ax), sizes_of(ax)
    ground, path = data.ground, data.ground.paths[0]
    low, high = data.window
    lift = 0.0
    if isinstance(ground, Descent):
        curve.draw_still(ax, ground)
        curve.draw_points(ax, path, share=SMALL)
        appearance.note(ax, path.remark)
        # In one dimension the arrows would cover each other.
        lift = 0.045 * float(np.diff(ax.get_ylim())[0])
    else:
        contour.draw_still(ax, ground)
        places = tuple(path.x.T)
        traces.trace_steps(
            ax, *places, line=places, colours=traces.step_colours(len(path)), size=SMALL * sizes_of(ax).marker ** 2
        )
    keys = legends.step_keys(ax, path.last(ground.unit))
    shaft: dict[str, Any] = {"linewidth": 1.5 * sizes.line, "marker": ">", "markersize": sizes.marker}
    look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1}
    # Short arrows are drawn over long ones, and thinner: both stay visible when they point the same way.
    ranks = _ranks([longest(kind.stretch * kind.vector / (high - low)) for kind in data.kinds])
    if lift:
        ranks = np.zeros_like(ranks)
    for number, (kind, rank) in enumerate(zip(data.kinds, ranks, strict=True)):
        colour = theme.arrows[number % len(theme.arrows)]
        x, y = data.tail.T
        head = kind.stretch * kind.vector
        seen = np.hypot(*(head / (high - low)).T) >= SHORTEST
        ax.quiver(
            x[seen],
            y[seen] + (number + 1) * lift,
            *head[seen].T,
            color=colour,
            edgecolor=theme.rim,
            linewidth=RIM * sizes.line,
            width=THIN + rank * THICKER,
            zorder=9 - rank / len(ranks),
            **look,
        )
        keys.append(legends.key(kind.words, {"color": colour} | shaft))
    if not isinstance(ground, Descent) and len(ground.minima):
        keys.append(legends.minimum_key(ax))
    legends.legend_of(ax, keys)
    appearance.set_title(ax, *path.title)


def _ranks(lengths: Sequence[float]) -> npt.NDArray[np.intp]:
    """The rank of each length, 0 for the shortest."""
    return np.argsort(np.argsort(lengths, kind="stable"), kind="stable")
