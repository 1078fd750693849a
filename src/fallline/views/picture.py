"""plot(): the picture that fits what is given."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure

from fallline.errors import FalllineError, nearest
from fallline.objectives import as_objective
from fallline.objectives.base import Objective
from fallline.pictures import paths
from fallline.pictures.kinds import FILMS, KINDS, check_kind
from fallline.pictures.paths import Runs
from fallline.results.series import on_data
from fallline.results.shown import Filmed
from fallline.views.animation import animate
from fallline.views.look import OPTIONS
from fallline.views.picture_files import PAGE, check_picture_path, save_picture


def plot(thing: Any, path: str | os.PathLike[str] | None = None, kind: str = "auto", **options: Any) -> Figure:
    """Draw the picture that fits: of any result, of a chain rule, or of an objective alone.

    Arguments:
        thing: a trajectory, a comparison, several trajectories, a sweep, basins, a tuning, a fit or a chain rule; or an
            objective: a formula, a landscape's name, a function.
        path: the file to write, such as descent.png, .svg or .pdf; or of runs .html, a page that plays, and
            whose surface the mouse turns; None: no file.
        kind: which picture, where there are several: see `plot_runs` and `Fit.plot`.
        options: what the function that draws it takes, such as style="dark": `plot_runs` for runs and objectives,
            `plot_heat_map` for a sweep, `plot_basins`, `plot_tuning`, `plot_chain` for a chain rule.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong; before anything is computed when it is the path.

    >>> import fallline
    >>> run = fallline.minimize(lambda x: x**2, 3.0, fallline.GradientDescent(0.1), max_steps=10)
    >>> print(plot(run).axes[0].get_title())
    gradient descent, η = 0.1
    step limit after 10 steps: f = 0.1038
    >>> plot("himmelblau", kind="surface", resolution=32).axes[0].get_zlabel()
    'f'
    """
    if path is not None:
        check_picture_path(path, page=True)
        if Path(path).suffix.lower() == PAGE:
            _check_page(thing, path, kind, options)
    if kind != "auto":
        options["kind"] = kind
    drawn = getattr(thing, "drawn", None)
    figure: Figure = plot_runs(thing, **options) if drawn is None else drawn(import_module("fallline.views"), **options)
    if path is not None and Path(path).suffix.lower() == PAGE:
        shown = {*inspect.signature(animate).parameters, *OPTIONS}
        animate(thing, path, **{name: value for name, value in options.items() if name in shown})
    elif path is not None:
        save_picture(figure, path)
    return figure


def _check_page(thing: Any, path: str | os.PathLike[str], kind: str, options: Mapping[str, Any]) -> None:
    """Refuse a page of what has none."""
    filmed = isinstance(thing, Filmed) or not (hasattr(thing, "drawn") or paths.is_objective(thing))
    shown = (_fitting(thing, options) if kind == "auto" else kind) if filmed else "it"
    if shown not in FILMS:
        raise FalllineError(
            "path", str(path), f"runs have one as {', '.join(FILMS)}", problem=f"but no page shows {shown}"
        )


def plot_runs(runs: Runs | Objective | str, kind: str = "auto", **options: Any) -> Figure:
    """Draw runs, or an objective alone: points on the curve, a path on contours, or whichever is asked for.

    Arguments:
        runs: a trajectory, a comparison, or several trajectories; or an objective.
        kind: "curve", "contour", "contour_3d", "surface", "histories", "steps", "arrows" or "epochs"; "auto" takes
            the curve for one coordinate and the contour for two. For more it takes the contour in the plane of the
            path's principal components; and histories for a model on data, where each value is a pass over the data,
            or where the objective is not known.
        options: what the function of that kind takes, such as style="dark": `plot_contour` for "contour", and so on.

    Returns:
        The figure.

    Raises:
        FalllineError: when an argument is wrong.
    """
    alone = paths.is_objective(runs)
    if kind == "auto":
        kind = _fitting(runs, options)
    check_kind(kind)
    if alone and KINDS[kind].dimension is None:
        fitting = [name for name, other in KINDS.items() if other.dimension is not None and not other.one_run]
        raise FalllineError(
            "kind", kind, nearest("", fitting), problem="which shows runs, but an objective is given alone"
        )
    module, function = ("curve", "plot_curve") if alone and kind == "curve" else KINDS[kind].draw
    draw: Callable[..., Figure] = getattr(import_module(f"fallline.views.{module}"), function)
    return draw(runs, **options)


def _fitting(runs: Runs | Objective | str, options: Mapping[str, Any]) -> str:
    if paths.is_objective(runs):
        return "curve" if as_objective(runs).dimension == 1 else "contour"
    run = paths.labelled(cast("Runs", runs))[0].run
    if run.objective is None:
        return "histories"
    if len(run.names) == 1:
        return "curve"
    if len(run.names) > 2 and "coordinates" not in options and on_data(run.objective):
        return "histories"
    return "contour"
