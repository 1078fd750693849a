"""The picture that fits: one call for any runs."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.figure import Figure

from fallline.errors import FalllineError, nearest
from fallline.pictures import paths
from fallline.pictures.paths import Runs
from fallline.results.series import on_data
from fallline.views.arrows import plot_arrows
from fallline.views.contour import plot_contour, plot_contour_3d
from fallline.views.curve import plot_descent
from fallline.views.epochs import plot_epochs
from fallline.views.histories import plot_histories, plot_steps
from fallline.views.picture_files import check_picture_path, save_picture
from fallline.views.surface import plot_surface

PICTURES: Mapping[str, Callable[..., Figure]] = {
    "curve": plot_descent,
    "contour": plot_contour,
    "contour_3d": plot_contour_3d,
    "surface": plot_surface,
    "histories": plot_histories,
    "steps": plot_steps,
    "arrows": plot_arrows,
    "epochs": plot_epochs,
}


ON_CURVES = ("curve", "epochs")
ON_LANDSCAPES = ("contour", "contour_3d", "surface")
OF_TWO_COORDINATES = (*ON_LANDSCAPES, "arrows")
OF_ONE_RUN = ("arrows", "epochs")


def plot(runs: Runs, path: str | os.PathLike[str] | None = None, kind: str = "auto", **options: Any) -> Figure:
    """Draw the picture that fits: points on the curve, a path on contours, or whichever is asked for.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories.
        path: the file to write, such as descent.png, .svg or .pdf; None: no file.
        kind: "curve", "contour", "contour_3d", "surface", "histories", "steps", "arrows" or "epochs"; "auto" takes
            the curve for one coordinate and the contour for two. For more it takes the contour in the plane of the
            path's principal components, and histories for a model on data, each of whose values is a pass over
            them, and where the objective is not known.
        options: what the function of that kind takes, such as style="dark": `plot_contour` for "contour", and so on.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong; before anything is computed when it is the path.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=10)
    >>> print(plot(run).axes[0].get_title())
    gradient descent, learning rate 0.1
    step limit after 10 steps: f = 0.1038
    """
    if path is not None:
        check_picture_path(path)
    if kind == "auto":
        kind = _fitting(runs, options)
    check_kind(kind)
    known = list(inspect.signature(PICTURES[kind]).parameters)[1:]
    for option in options:
        if option not in known:
            raise FalllineError(f"{option} is no option of the picture {kind!r}; {nearest(option, known)}")
    figure = PICTURES[kind](runs, **options)
    if path is not None:
        save_picture(figure, path)
    return figure


def check_kind(
    kind: str,
    dimension: int | None = None,
    *,
    several: bool = False,
    chosen: bool = False,
    parameter: str = "kind",
) -> None:
    """Refuse what is no kind of picture, or none of such runs: to be asked before the work starts.

    Arguments:
        kind: the kind asked for.
        dimension: the number of the runs' coordinates; None: not known yet.
        several: whether there are several runs.
        chosen: whether two coordinates were chosen for it.
        parameter: where the kind was given.

    Raises:
        FalllineError: naming `parameter` and the kinds that there are, or those that fit.

    >>> check_kind("curve", 2, parameter="--picture")
    Traceback (most recent call last):
    fallline.errors.FalllineError: --picture is 'curve', but there are 2 coordinates; Allowed: auto, contour, ...
    """
    known = ["auto", *PICTURES]
    if kind not in known:
        raise FalllineError(f"{parameter} is {kind!r}; {nearest(str(kind), known)}")
    flat = kind in ON_CURVES and dimension is not None and dimension > 1
    if flat or (kind in ON_LANDSCAPES and dimension == 1):
        fitting = [name for name in known if name not in (ON_CURVES if flat else ON_LANDSCAPES)]
        coordinates = f"are {dimension} coordinates" if flat else "is 1 coordinate"
        raise FalllineError(f"{parameter} is {kind!r}, but there {coordinates}; {nearest('', fitting)}")
    if chosen and kind not in ("auto", *OF_TWO_COORDINATES):
        allowed = nearest("", ["auto", *OF_TWO_COORDINATES])
        raise FalllineError(f"{parameter} is {kind!r}, which shows no two chosen coordinates; {allowed}")
    if several and kind in OF_ONE_RUN:
        fitting = [name for name in known if name not in OF_ONE_RUN]
        raise FalllineError(f"{parameter} is {kind!r}, which shows one run; {nearest('', fitting)}")


def _fitting(runs: Runs, options: Mapping[str, Any]) -> str:
    run = paths.labelled(runs)[0].run
    if run.objective is None:
        return "histories"
    if len(run.names) == 1:
        return "curve"
    if len(run.names) > 2 and "coordinates" not in options and on_data(run.objective):
        return "histories"
    return "contour"
