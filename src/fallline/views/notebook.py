"""The HTML that a notebook shows for runs."""

from __future__ import annotations

import io

from fallline.pictures import paths
from fallline.pictures.paths import Runs
from fallline.views import player
from fallline.views.animation import animate
from fallline.views.picture import plot

# Fine enough for the player, and small enough for many of them in one notebook.
RESOLUTION = 128


def notebook(runs: Runs) -> str:
    """HTML for runs: a player for one or two coordinates, histories for more or when the objective is not known.

    Raises:
        FalllineError: when there is nothing to draw.

    >>> import fallline
    >>> "<iframe" in notebook(fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1)))
    True
    """
    run = paths.labelled(runs)[0].run
    if run.objective is not None and len(run.names) <= 2:
        # The player does not depend on the number of frames; together with the rate it makes the film last ten seconds.
        return animate(runs, frames=100, frames_per_second=10, resolution=RESOLUTION)._repr_html_()
    file = io.BytesIO()
    plot(runs).savefig(file, format="png")
    return player.image(file.getvalue())
