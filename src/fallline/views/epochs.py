"""The grid of epochs: one small plot per epoch, with the curve and all points so far."""

from __future__ import annotations

from typing import Unpack

from matplotlib.figure import Figure

from fallline.pictures import words
from fallline.pictures.epochs import Epochs, epochs_data
from fallline.pictures.paths import Interval
from fallline.results.trajectory import Trajectory
from fallline.views import appearance
from fallline.views.appearance import WIDTH, new_figure
from fallline.views.curve import draw_points, draw_still
from fallline.views.look import Look, Options, sizes_of

# The width and height of a small plot: three side by side are as wide as other pictures.
PLOT = WIDTH / 3, 2.1


def plot_epochs(
    run: Trajectory, *, rows: int = 4, columns: int = 3, bounds: Interval | None = None, **options: Unpack[Options]
) -> Figure:
    """Draw a grid of small plots, one per epoch, each with the curve and all points so far.

    Arguments:
        run: a trajectory in one coordinate.
        rows, columns: the shape of the grid; the run's first rows × columns epochs are shown.
        bounds: the interval of the curve; None: chosen to show these epochs.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2 + 5 * x + 6, 5.0, fallline.GradientDescent(0.1), max_steps=12)
    >>> len(plot_epochs(run).axes)
    12
    """
    look = Look.of(options, plot_epochs)
    appearance.only_on_a_figure(look, "the grid of epochs")
    data = epochs_data(run, rows=rows, columns=columns, bounds=bounds)
    figure = new_figure(PLOT[0] * columns, 1.0 + PLOT[1] * data.rows, look)
    draw_epochs(figure, data)
    return appearance.finished(figure, look)


def draw_epochs(figure: Figure, data: Epochs) -> None:
    """Draw the small plots on a figure."""
    path, columns = data.descent.paths[0], data.columns
    axes = appearance.new_axes(figure, data.rows, columns, sharey=True)
    appearance.set_figure_title(figure, words.objective_words(data.descent.curve.title), path.title[0])
    for place, epoch, count in zip(axes, data.epochs, data.counts, strict=False):
        draw_still(place, data.descent)
        draw_points(place, path, until=epoch, share=0.6)
        # A common factor of the ticks, which the user's settings may ask for, has no room.
        place.ticklabel_format(style="sci", scilimits=(-5, 6))
        x = words.number(path.x[count - 1, 0])
        title = appearance.plain(f"epoch {epoch}: {data.descent.curve.name} = {x}")
        place.set_title(title, fontsize=sizes_of(place).note)
        first = epoch % columns == 1 or columns == 1
        appearance.label_outer(place, left=first, bottom=epoch + columns > len(data.epochs))
    for place in axes[len(data.epochs) :]:
        place.set_axis_off()
