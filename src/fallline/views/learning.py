"""The learning curve: the loss against the steps, on the training rows and on those held out."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from fallline.arrays import FloatArray
from fallline.pictures.histories import learning_data
from fallline.views.histories import XScale, check_xscale, draw_alone
from fallline.views.look import Look, Options


def plot_learning_curve(
    steps: npt.NDArray[np.int64],
    loss: FloatArray,
    held_out: FloatArray | None = None,
    xscale: XScale = "linear",
    **options: Unpack[Options],
) -> Figure:
    """Draw a learning curve, such as `fit(...).learning_curve()`.

    A circle marks the lowest loss, on the rows held out if there are any. Positive losses that span more than two
    decades get a log axis.

    Arguments:
        steps: the steps at which the losses were taken, shape (k,).
        loss: the loss on the rows fitted to, shape (k,).
        held_out: the loss on the rows held out, shape (k,); None if there are none.
        xscale: "linear" or "log", the scale of the steps; on a log scale the start, step 0, is not seen.
        options: the keywords of `fallline.views.Look`: style, context, ax, title and others.

    Returns:
        The figure.

    >>> figure = plot_learning_curve(np.array([0, 10]), np.array([0.7, 0.4]), np.array([0.7, 0.5]))
    >>> figure.axes[0].get_ylabel()
    'loss'
    """
    check_xscale(xscale)
    return draw_alone(Look.of(options, plot_learning_curve), learning_data(steps, loss, held_out), xscale)
