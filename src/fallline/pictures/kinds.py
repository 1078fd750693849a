"""The table of the kinds of pictures of runs, which `plot`, `animate` and the command line share."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from fallline.errors import FalllineError, nearest


@dataclass(frozen=True)
class Kind:
    """A kind of picture.

    Attributes:
        name: its name in `plot(kind=...)` and --picture.
        draw: the function that draws it: its module in `fallline.views`, and its name there.
        data: the function that makes its data: its module in `fallline.pictures`, and its name there.
        dimension: the number of coordinates that it shows, 1 or 2; None: any number.
        chosen: whether the user may choose two of more coordinates.
        one_run: whether it shows a single run only.
        films: whether `animate` makes films of it.
        solid: whether it is three-dimensional, so that a camera can turn.
    """

    name: str
    draw: tuple[str, str]
    data: tuple[str, str]
    dimension: int | None = None
    chosen: bool = False
    one_run: bool = False
    films: bool = False
    solid: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """What may be chosen of it, whoever draws it: the keywords of the function that makes its data.

        >>> KINDS["epochs"].options
        ('rows', 'columns', 'bounds')
        """
        module, function = self.data
        make = getattr(importlib.import_module(f"fallline.pictures.{module}"), function)
        return tuple(inspect.signature(make).parameters)[1:]


_FIELD = ("landscape", "landscape_data")
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("curve", ("curve", "plot_descent"), ("curve", "descent_data"), dimension=1, films=True),
        Kind("contour", ("contour", "plot_contour"), _FIELD, dimension=2, chosen=True, films=True),
        Kind("contour_3d", ("contour", "plot_contour_3d"), _FIELD, dimension=2, chosen=True, films=True, solid=True),
        Kind("surface", ("surface", "plot_surface"), _FIELD, dimension=2, chosen=True, films=True, solid=True),
        Kind("histories", ("histories", "plot_histories"), ("histories", "histories_data")),
        Kind("steps", ("histories", "plot_steps"), ("histories", "steps_data")),
        Kind("arrows", ("arrows", "plot_arrows"), ("arrows", "arrows_data"), chosen=True, one_run=True),
        Kind("epochs", ("epochs", "plot_epochs"), ("epochs", "epochs_data"), dimension=1, one_run=True),
    )
}
FILMS = tuple(name for name, kind in KINDS.items() if kind.films)
SOLID = tuple(name for name, kind in KINDS.items() if kind.solid)

# The pictures that a fit has beside those of its descent; "scores" is the confusion matrix with the ROC curves.
FIT_KINDS = ("fit", "scores", "confusion", "roc", "residuals", "learning")


def check_kind(
    name: str,
    dimension: int | None = None,
    *,
    more: Sequence[str] = (),
    several: bool = False,
    chosen: bool = False,
    parameter: str = "kind",
) -> None:
    """Check that a kind of picture exists and suits the runs, before any work starts.

    Arguments:
        name: the kind asked for, or "auto".
        more: further kinds that there are.
        dimension: the number of the runs' coordinates; None: not known yet.
        several: whether there are several runs.
        chosen: whether the user chose two coordinates for it.
        parameter: the name of the argument that gave the kind, for error texts.

    Raises:
        FalllineError: when it does not; it names `parameter` and the kinds that exist, or those that fit.

    >>> check_kind("curve", 2, parameter="--picture")
    Traceback (most recent call last):
    fallline.errors.FalllineError: --picture is 'curve', but there are 2 coordinates; Allowed: auto, contour, ...
    """
    if name == "auto" or name in more:
        return
    if name not in KINDS:
        raise FalllineError(parameter, name, nearest(str(name), ["auto", *more, *KINDS]))
    kind = KINDS[name]
    flat = kind.dimension == 1 and dimension is not None and dimension > 1
    if flat or (kind.dimension == 2 and dimension == 1):
        fitting = [other.name for other in KINDS.values() if other.dimension != kind.dimension]
        coordinates = f"are {dimension} coordinates" if flat else "is 1 coordinate"
        raise FalllineError(parameter, name, nearest("", ["auto", *fitting]), problem=f"but there {coordinates}")
    if chosen and not kind.chosen:
        fitting = [other.name for other in KINDS.values() if other.chosen]
        raise FalllineError(
            parameter, name, nearest("", ["auto", *fitting]), problem="which shows no two chosen coordinates"
        )
    if several and kind.one_run:
        fitting = [other.name for other in KINDS.values() if not other.one_run]
        raise FalllineError(parameter, name, nearest("", ["auto", *fitting]), problem="which shows one run")
