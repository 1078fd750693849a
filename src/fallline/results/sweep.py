"""The result of `sweep`: its runs in arrays with one axis for each factor."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, check_whole, nearest
from fallline.files import whole_file
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.optimizers.recipes import kept, unkept
from fallline.results.archive import Archived, Contents
from fallline.results.schema import (
    COUNT,
    DIFFERENT,
    NUMBER,
    NUMBER_OR_NULL,
    TEXT,
    TEXTS,
    Entry,
    check_arrays,
    check_header,
    list_of,
)
from fallline.results.shown import Shown
from fallline.tables import data_frame

if TYPE_CHECKING:
    import pandas as pd


# The outcomes of a sweep's runs.
OUTCOMES: Mapping[str, str] = {
    "converged": "reached the target; without a target, came to rest at a minimum",
    "stuck": "came to rest above the target, or where there is no minimum",
    "slow": "used up its steps, and fell in each quarter of their second half",
    "oscillating": "used up its steps, and neither fell nor rose in each quarter of their second half",
    "diverged": "left for infinity, or used up its steps above its start and rose in each quarter of their second half",
}
NAMES = tuple(OUTCOMES)
NOT_RUN = -1


class Setting(NamedTuple):
    """One combination of optimizer and hyperparameters, over all starts and seeds.

    Attributes:
        settings: the optimizer and the hyperparameters by name.
        converged: the share of the runs that converged.
        steps: the median of the steps of the converged runs; NaN if there are none.
        value: the median of the final values.
    """

    settings: Mapping[str, Any]
    converged: float
    steps: float
    value: float


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Archived, Shown):
    """The runs of a sweep, in arrays with one axis for each factor.

    Attributes:
        title: what was minimised.
        names: the coordinates' names, n of them.
        target: the value to reach; None if there was none.
        max_steps: the limit of updates per run.
        factors: the values of each factor by its name: "optimizer" (labels), each hyperparameter of the grid, "start"
            (points) and "seed", in the order of the arrays' axes.
        outcome: each run's outcome as an index into `NAMES`; NOT_RUN where the sweep was interrupted before.
        steps: the number of updates.
        value: the objective at the final point.
        x: the final point, with the n coordinates on an additional last axis.
        gradient_kind: how the gradient was found, as in a trajectory.
        objective: what was minimised; None in a loaded sweep.
        rules: the optimizers as they were given, with their own settings; empty in a loaded sweep.

    In a loaded sweep, a setting whose class is the user's own is replaced by its recipe.
    """

    file_format: ClassVar[str] = "fallline sweep 1"
    file_called: ClassVar[str] = "a sweep"
    picture: ClassVar[str] = "plot_heat_map"

    title: str
    names: tuple[str, ...]
    target: float | None
    max_steps: int
    factors: Mapping[str, Sequence[Any]]
    outcome: npt.NDArray[np.int8]
    steps: npt.NDArray[np.int64]
    value: FloatArray
    x: FloatArray
    gradient_kind: str
    objective: Objective | None = None
    rules: tuple[Optimizer[Any], ...] = ()

    def __len__(self) -> int:
        return self.outcome.size

    @property
    def complete(self) -> bool:
        """Whether all runs were made."""
        return bool((self.outcome != NOT_RUN).all())

    def count(self, outcome: str) -> int:
        """The number of runs with this outcome.

        Raises:
            FalllineError: when there is no such outcome.
        """
        if outcome not in OUTCOMES:
            raise FalllineError("outcome", outcome, nearest(str(outcome), OUTCOMES))
        return int(np.count_nonzero(self.outcome == NAMES.index(outcome)))

    @property
    def best(self) -> Setting:
        """The best setting, as `ranked` finds it.

        Raises:
            FalllineError: when the sweep was interrupted before all runs of a setting were made.
        """
        for setting in self.ranked(1):
            return setting
        raise FalllineError(problem="best: the sweep was interrupted before all runs of one setting were made")

    def ranked(self, count: int = 10) -> list[Setting]:
        """The best settings: those from which the most runs converged, in the fewest steps, to the lowest value.

        Raises:
            FalllineError: when `count` is negative or not a whole number.
        """
        check_whole("count", count, least=0)
        pooled = self.outcome.ndim - 2
        shape = self.outcome.shape[:pooled]
        converged = (self.outcome == 0).reshape(*shape, -1)
        share = converged.mean(axis=-1)
        steps = np.where(converged, self.steps.reshape(*shape, -1), np.nan)
        with np.errstate(all="ignore"):
            value = np.median(self.value.reshape(*shape, -1), axis=-1)
        taken = np.full(shape, np.nan)
        taken[share > 0] = np.nanmedian(steps[share > 0], axis=-1)
        run = (self.outcome != NOT_RUN).reshape(*shape, -1).all(axis=-1)
        order = np.lexsort([_last(value).ravel(), _last(taken).ravel(), -share.ravel(), ~run.ravel()])
        places = np.transpose(np.unravel_index(order[: min(count, np.count_nonzero(run))], shape)).tolist()
        names = list(self.factors)[:pooled]
        return [
            Setting(
                {name: self.factors[name][i] for name, i in zip(names, place, strict=True)},
                float(share[tuple(place)]),
                float(taken[tuple(place)]),
                float(value[tuple(place)]),
            )
            for place in places
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each run that was made: its factors, outcome, steps, value and end, by name."""
        for place in zip(*np.nonzero(self.outcome != NOT_RUN), strict=True):
            row = {name: values[i] for (name, values), i in zip(self.factors.items(), place, strict=True)}
            row |= {"outcome": NAMES[self.outcome[place]], "steps": int(self.steps[place])}
            row |= {"value": float(self.value[place])}
            yield row | {f"final {name}": float(end) for name, end in zip(self.names, self.x[place], strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with one run per row.

        Raises:
            FalllineError: when pandas is not installed.
        """
        return data_frame(self.rows())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the runs to a CSV file, one per row.

        Raises:
            FalllineError: when the file cannot be written; no partial file is left.
        """
        header = [*self.factors, "outcome", "steps", "value", *(f"final {name}" for name in self.names)]
        with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, header)
            table.writeheader()
            for row in self.rows():
                table.writerow(row | {"start": " ".join(map(repr, row["start"]))})

    def contents(self) -> Contents:
        """The contents of the sweep's file."""
        factors = [[name, [kept(value) for value in values]] for name, values in self.factors.items()]
        header = {name: getattr(self, name) for name in HEADER} | {"names": list(self.names), "factors": factors}
        return Contents(header, {name: getattr(self, name) for name in ARRAYS})

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Sweep:
        """The sweep from the contents of its file."""
        check_header(header, HEADER)
        names, listed = tuple(header.pop("names")), dict(header.pop("factors"))
        if [*listed][:1] + [*listed][-2:] != ["optimizer", "start", "seed"]:
            raise FalllineError("factors", [*listed], "it must begin with optimizer, and end with start and seed")
        point = list_of("numbers", NUMBER.allows, len(names))
        known = {
            "optimizer": TEXTS,
            "start": list_of(f"points of {len(names)} numbers", point.allows),
            "seed": list_of("whole numbers", COUNT.allows),
        }
        check_header({name: listed[name] for name in known}, known)
        factors = {name: tuple(map(unkept, values)) for name, values in listed.items()}
        axes = " ".join(str(len(values)) for values in factors.values())
        check_arrays(arrays, {name: kind.replace("axes", axes) for name, kind in ARRAYS.items()}, n=len(names))
        if not ((arrays["outcome"] >= NOT_RUN) & (arrays["outcome"] < len(NAMES))).all():
            raise FalllineError("outcome", arrays["outcome"].tolist(), f"it must be from {NOT_RUN} to {len(NAMES) - 1}")
        return cls(names=names, factors=factors, **header, **arrays)


def _is_factor(pair: Any) -> bool:
    """Whether it is a name with its values, of which there is one at least."""
    return isinstance(pair, list) and [type(part) for part in pair] == [str, list] and len(pair[1]) > 0


# The contents of a sweep's file: see `check_header` and `check_arrays`; the arrays have an axis for each factor.
HEADER: Mapping[str, Entry] = {
    **dict.fromkeys(("title", "gradient_kind"), TEXT),
    "names": DIFFERENT,
    "max_steps": COUNT,
    "factors": list_of("factors, each a name and its values", _is_factor),
    "target": NUMBER_OR_NULL,
}
ARRAYS = {"outcome": "i1 axes", "steps": "i8 axes", "value": "f8 axes", "x": "f8 axes n"}


def _last(numbers: FloatArray) -> FloatArray:
    """The numbers with NaN as infinity, so that it is sorted last."""
    return np.where(np.isnan(numbers), np.inf, numbers)
