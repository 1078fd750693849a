"""The learning curve: the loss against the steps, on the training rows and on those held out."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from fallline.arrays import FloatArray
from fallline.views import appearance, legends, traces
from fallline.views.look import Look, Options


def plot_learning_curve(
    steps: npt.NDArray[np.int64],
    loss: FloatArray,
    held_out: FloatArray | None = None,
    **options: Unpack[Options],
) -> Figure:
    """Draw a learning curve, such as `fit(...).learning_curve()`.

    Positive losses that span more than two decades get a log axis.

    Arguments:
        steps: the steps at which the losses were taken, shape (k,).
        loss: the loss on the rows fitted to, shape (k,).
        held_out: the loss on the rows held out, shape (k,); None if there are none.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> figure = plot_learning_curve(np.array([0, 10]), np.array([0.7, 0.4]), np.array([0.7, 0.5]))
    >>> figure.axes[0].get_ylabel()
    'loss'
    """
    curves = {"rows fitted to": loss} | ({} if held_out is None else {"rows held out": held_out})
    look = Look(**options)
    figure, place = appearance.figure_of(look, keys=len(curves))
    appearance.set_title(place, "Learning curve")
    appearance.label_axes(place, "step", "loss")
    for number, (_, curve) in enumerate(curves.items()):
        place.plot(steps, curve, **traces.series_look(place, number))
    every = np.concatenate(list(curves.values()))
    finite = every[np.isfinite(every)]
    if finite.size and finite.min() > 0 and finite.max() > 100 * finite.min():
        place.set_yscale("log")
    if len(curves) > 1:
        keys = [legends.key(place, name, traces.series_look(place, i)) for i, name in enumerate(curves)]
        legends.legend_below(place, keys, columns=2)
    return appearance.finished(figure, look)
