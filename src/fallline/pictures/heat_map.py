"""The data of a sweep's picture: outcomes and steps over two of its factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.optimizers.settings import setting_of
from fallline.pictures import words
from fallline.pictures.factor_axis import FactorAxis, factor_axis, ordered
from fallline.pictures.paths import Interval
from fallline.pictures.stability_border import Border, border_of
from fallline.results.sweep import NAMES, NOT_RUN, Setting, Sweep
from fallline.tables import Printed

# The factors that a cell pools.
POOLED = ("start", "seed")


@dataclass(frozen=True, eq=False, repr=False)
class HeatMap(Printed):
    """The data of the picture of a sweep.

    Attributes:
        title: the lines of the title.
        names: the factors along the picture's width and height; the second is empty if there is only one.
        axes: where the values of each stand.
        outcome: the most frequent outcome of a cell's runs, as an index into `NAMES`, shape (rows, columns); NOT_RUN
            in an empty cell.
        steps: the median steps of its converged runs, shape (rows, columns); NaN without any.
        scale: the fewest and the most of these steps, with a margin; None when nothing converged.
        left: how far above the target the median of a slow cell's runs ended, or above the lowest end of all without a
            target, shape (rows, columns); NaN in other cells.
        target: the value to reach; None without one.
        left_scale: the least and the most of these; None where they do not differ.
        best: the column and the row of the best setting; None when nothing converged, or when it is in no cell.
        best_text: the best setting and its steps in words; empty without one.
        given: the settings that the rules were given with, as places on the axes, shape (k, 2).
        border: where the rules become unstable by theory; None where that is not known.
        shares: the share of each outcome that occurs among all runs shown.
        not_run: the share of the runs shown that were not made.
        held: the other factors and their values.
    """

    title: tuple[str, str]
    names: tuple[str, str]
    axes: tuple[FactorAxis, FactorAxis]
    outcome: npt.NDArray[np.int64]
    steps: FloatArray
    scale: Interval | None
    target: float | None
    left: FloatArray
    left_scale: Interval | None
    best: tuple[int, int] | None
    best_text: str
    given: FloatArray
    border: Border | None
    shares: Mapping[str, float]
    not_run: float
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
    parts: tuple[Any, ...] = tuple(part[tuple(place)] for part in (runs.outcome, runs.steps, runs.value))
    if y and settings.index(y) < settings.index(x):
        parts = tuple(part.swapaxes(0, 1) for part in parts)
    if not y:
        parts = tuple(part[:, None] for part in parts)
    # Starts and seeds along the last axis, rows along the first.
    outcome, steps, value = (part.reshape(*part.shape[:2], -1).swapaxes(0, 1) for part in parts)
    counts = np.stack([(outcome == number).sum(axis=-1) for number in range(len(NAMES))])
    # In a tie the worse outcome counts.
    most = len(NAMES) - 1 - counts[::-1].argmax(axis=0)
    most[~counts.any(axis=0)] = NOT_RUN
    median = np.full(most.shape, np.nan)
    some = counts[0] > 0
    median[some] = np.nanmedian(np.where(outcome == 0, steps, np.nan)[some], axis=-1)
    shown = median[most == 0]
    scale = (max(float(shown.min()), 1.0), max(float(shown.max()), float(shown.min()) + 1, 2.0)) if shown.size else None
    total = int(np.count_nonzero(outcome != NOT_RUN))
    shares = {
        name: float((outcome == number).sum() / total) for number, name in enumerate(NAMES) if counts[number].any()
    }
    axes = factor_axis(x, tuple(runs.factors[x])), factor_axis(y, tuple(runs.factors[y]) if y else ("",))
    left = _left(runs, most, outcome, value)
    in_view = first is not None and first.converged > 0 and all(best[name] == value for name, value in held.items())
    goal = "to rest" if runs.target is None else f"to {words.number(runs.target)}"
    pooled = [f"{len(runs.factors[name])} {name}s" for name in POOLED if len(runs.factors[name]) > 1]
    return HeatMap(
        title=(words.objective_words(runs.title), ", ".join([f"{goal} in {runs.max_steps} steps", *pooled])),
        names=(x, y),
        axes=axes,
        outcome=most,
        steps=median,
        scale=scale,
        target=runs.target,
        left=left,
        left_scale=_span(left),
        best=(axes[0].values.index(best[x]), axes[1].values.index(best[y]) if y else 0) if in_view else None,
        best_text=_best_text(first, [name for name in (x, y) if name]) if first is not None and in_view else "",
        given=_given(runs, axes, held),
        border=border_of(runs, *axes, held),
        shares=shares,
        not_run=1 - total / outcome.size,
        held={name: value for name, value in held.items() if name == "optimizer" or len(runs.factors[name]) > 1},
    )


def _left(runs: Sweep, most: npt.NDArray[np.int64], outcome: npt.NDArray[np.int8], value: FloatArray) -> FloatArray:
    """How far above the goal the slow runs of the slow cells ended, in the median."""
    slow = NAMES.index("slow")
    ends = runs.value[np.isfinite(runs.value)]
    goal = runs.target if runs.target is not None else float(ends.min()) if ends.size else np.nan
    left = np.full(most.shape, np.nan)
    cells = most == slow
    above = np.where((outcome == slow) & np.isfinite(value), value - goal, np.nan)[cells]
    if above.size:
        left[cells] = np.nanmedian(above, axis=-1)
    return left


def _span(left: FloatArray) -> Interval | None:
    """The least and the most of the positive numbers, if they differ."""
    positive = left[left > 0]
    if not positive.size or positive.max() < 1.01 * positive.min():
        return None
    return float(positive.min()), float(positive.max())


def _best_text(best: Setting, names: Sequence[str]) -> str:
    settings = ", ".join(words.setting(name, best.settings[name]) for name in names)
    return f"best: {settings}, {words.number(best.steps)} step{'s' * (best.steps != 1)}"


def _given(runs: Sweep, axes: tuple[FactorAxis, FactorAxis], held: Mapping[str, Any]) -> FloatArray:
    """Where the settings stand that the rules were given with: of the rule that is held, or of all on an axis."""
    labels = runs.factors["optimizer"]
    places = []
    for label, rule in zip(labels, runs.rules, strict=False):
        if held.get("optimizer", label) != label:
            continue
        place = []
        for axis in axes:
            own = setting_of(rule, axis.name)[0] if axis.name not in ("", "optimizer") else None
            if axis.name in ("", "optimizer"):
                place.append(axis.middle(labels.index(label) if axis.name else 0))
            elif isinstance(own, int | float) and ordered(axis.values) is not None:
                place.append(axis.place(own))
            else:
                place.append(axis.middle(axis.values.index(own)) if own in axis.values else np.nan)
        if np.isfinite(place).all():
            places.append(place)
    return np.array(places, float).reshape(-1, 2)


def _factor(name: str, parameter: str, known: list[str]) -> str:
    if name not in known:
        raise FalllineError(parameter, problem=f"names the factor {name!r}", allowed=nearest(str(name), known))
    return name
