"""The data of a sweep's picture: outcomes and steps over two of its factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.pictures import words
from fallline.pictures.paths import Interval
from fallline.results.sweep import NAMES, NOT_RUN, Sweep
from fallline.tables import Printed

# The factors that a cell pools.
POOLED = ("start", "seed")


@dataclass(frozen=True, eq=False, repr=False)
class HeatMap(Printed):
    """The data of the picture of a sweep.

    Attributes:
        title: the lines of the title.
        names: the factors along the picture's width and height; the second is empty if there is only one.
        values: the values of each.
        outcome: the most frequent outcome of a cell's runs, as an index into `NAMES`, shape (rows, columns); NOT_RUN
            in an empty cell.
        steps: the median steps of its converged runs, shape (rows, columns); NaN without any.
        scale: the fewest and the most of these steps, with a margin; None when nothing converged.
        best: the column and the row of the best setting; None when nothing converged, or when it is in no cell.
        shares: the share of each outcome that occurs among all runs shown.
        held: the other factors and their values.
    """

    title: tuple[str, str]
    names: tuple[str, str]
    values: tuple[tuple[Any, ...], tuple[Any, ...]]
    outcome: npt.NDArray[np.int64]
    steps: FloatArray
    scale: Interval | None
    best: tuple[int, int] | None
    shares: Mapping[str, float]
    held: Mapping[str, Any]


def heat_map_data(
    runs: Sweep, x: str | None = None, y: str | None = None, at: Mapping[str, Any] | None = None
) -> HeatMap:
    """The data of the picture of a sweep.

    Arguments:
        runs: what `sweep` returned.
        x: the factor along the width; None: the first hyperparameter with several values.
        y: the factor along the height; None: the next, or the optimizers.
        at: the values of other factors; None: those of the best setting.

    Raises:
        FalllineError: when there is no such factor or value.
    """
    settings = [name for name in runs.factors if name not in POOLED]
    several = [name for name in (*settings[1:], settings[0]) if len(runs.factors[name]) > 1]
    x = _factor(x, "x", settings) if x is not None else next(iter(several), settings[-1])
    rest = [name for name in several if name != x]
    y = _factor(y, "y", [name for name in settings if name != x]) if y is not None else next(iter(rest), "")
    first = next(iter(runs.ranked(1)), None)
    best = first.settings if first else {}
    held = {}
    place: list[Any] = [slice(None)] * runs.outcome.ndim
    for name in settings:
        if name not in (x, y):
            held[name] = (at or {}).get(name, best.get(name, runs.factors[name][0]))
            if held[name] not in runs.factors[name]:
                allowed = ", ".join(map(str, runs.factors[name]))
                raise FalllineError(
                    "at", problem=f"has {held[name]!r} for {name}", allowed=f"it must be one of {allowed}"
                )
            place[list(runs.factors).index(name)] = runs.factors[name].index(held[name])
    for name in at or {}:
        _factor(name, "at", [name for name in settings if name not in (x, y)])
    outcome, steps = runs.outcome[tuple(place)], runs.steps[tuple(place)]
    if y and settings.index(y) < settings.index(x):
        outcome, steps = outcome.swapaxes(0, 1), steps.swapaxes(0, 1)
    if not y:
        outcome, steps = outcome[:, None], steps[:, None]
    # Starts and seeds along the last axis, rows along the first.
    outcome, steps = (part.reshape(*part.shape[:2], -1).swapaxes(0, 1) for part in (outcome, steps))
    counts = np.stack([(outcome == number).sum(axis=-1) for number in range(len(NAMES))])
    # In a tie the worse outcome counts.
    most = len(NAMES) - 1 - counts[::-1].argmax(axis=0)
    most[~counts.any(axis=0)] = NOT_RUN
    median = np.full(most.shape, np.nan)
    some = counts[0] > 0
    median[some] = np.nanmedian(np.where(outcome == 0, steps, np.nan)[some], axis=-1)
    shown = median[most == 0]
    scale = (max(float(shown.min()), 1.0), max(float(shown.max()), float(shown.min()) + 1, 2.0)) if shown.size else None
    total = np.count_nonzero(outcome != NOT_RUN)
    shares = {
        name: float((outcome == number).sum() / total) for number, name in enumerate(NAMES) if counts[number].any()
    }
    values = tuple(runs.factors[x]), tuple(runs.factors[y]) if y else ("",)
    in_view = first is not None and first.converged > 0 and all(best[name] == value for name, value in held.items())
    goal = "to rest" if runs.target is None else f"to {words.number(runs.target)}"
    pooled = [f"{len(runs.factors[name])} {name}s" for name in POOLED if len(runs.factors[name]) > 1]
    return HeatMap(
        title=(words.objective_words(runs.title), ", ".join([f"{goal} in {runs.max_steps} steps", *pooled])),
        names=(x, y),
        values=values,
        outcome=most,
        steps=median,
        scale=scale,
        best=(values[0].index(best[x]), values[1].index(best[y]) if y else 0) if in_view else None,
        shares=shares,
        held={name: value for name, value in held.items() if name == "optimizer" or len(runs.factors[name]) > 1},
    )


def _factor(name: str, parameter: str, known: list[str]) -> str:
    if name not in known:
        raise FalllineError(parameter, problem=f"names the factor {name!r}", allowed=nearest(str(name), known))
    return name
