"""The result of `tune`: a search for hyperparameters, trial by trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fallline.errors import FalllineError, check_whole
from fallline.optimizers import Optimizer
from fallline.optimizers.recipes import kept, unkept
from fallline.results.archive import Archived, Contents
from fallline.results.schema import BOOLEAN, NUMBER_OR_NULL, OBJECT, TEXT, Entry, check_arrays, check_header, list_of
from fallline.results.shown import Shown
from fallline.tables import data_frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Trial:
    """One trial of a search: a setting, over all starts and seeds.

    Attributes:
        settings: the hyperparameters by name.
        converged: the share of the runs that converged.
        steps: the median of the steps of the converged runs; NaN if there are none.
        value: the median of the final values.
        score: the quantity that the search minimises; infinite where a run diverged.
    """

    settings: Mapping[str, Any]
    converged: float
    steps: float
    value: float
    score: float


@dataclass(frozen=True, eq=False, repr=False)
class Tuning(Archived, Shown):
    """A search, trial by trial.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        target: the value to reach; None if there was none.
        trials: the trials in the order in which they were made.
        best_rule: the rule with the settings of the best trial; in a loaded tuning its recipe, if the class is the
            user's own.
        complete: whether all trials were made.
        gradient_kind: how the gradient was found, as in a trajectory.
    """

    file_format: ClassVar[str] = "fallline tuning 1"
    file_called: ClassVar[str] = "a tuning"
    picture: ClassVar[str] = "plot_tuning"

    title: str
    optimizer: str
    target: float | None
    trials: tuple[Trial, ...]
    best_rule: Optimizer[Any]
    complete: bool
    gradient_kind: str

    @property
    def best(self) -> Trial:
        """The trial with the lowest score; in a tie, the first."""
        return self.ranked(1)[0]

    def ranked(self, count: int = 10) -> list[Trial]:
        """The best trials: those with the lowest scores; in a tie, the earlier one comes first.

        Raises:
            FalllineError: when `count` is negative or not a whole number.
        """
        check_whole("count", count, least=0)
        return sorted(self.trials, key=lambda trial: trial.score)[:count]

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with one trial per row.

        Raises:
            FalllineError: when pandas is not installed.
        """
        rows = [dataclasses.asdict(trial) for trial in self.trials]
        return data_frame({**row.pop("settings"), **row} for row in rows)

    def contents(self) -> Contents:
        """The contents of the tuning's file."""
        header = {
            **{name: getattr(self, name) for name in ("title", "optimizer", "target", "complete", "gradient_kind")},
            "best_rule": kept(self.best_rule),
            "settings": [{name: kept(value) for name, value in trial.settings.items()} for trial in self.trials],
        }
        return Contents(header, {name: np.array([getattr(trial, name) for trial in self.trials]) for name in FIGURES})

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Tuning:
        """The tuning from the contents of its file."""
        check_header(header, HEADER)
        check_arrays(arrays, FIGURES, trials=len(header["settings"]))
        settings = [{name: unkept(value) for name, value in each.items()} for each in header.pop("settings")]
        if any(own.keys() != settings[0].keys() for own in settings):
            raise FalllineError("settings", settings, "it must have the same names in every trial")
        recipe = header.pop("best_rule")
        rule = unkept(recipe)
        if not (rule is recipe or isinstance(rule, Optimizer)):
            raise FalllineError("best_rule", recipe, "it must be the recipe of an update rule")
        figures = zip(*(arrays[name].tolist() for name in FIGURES), strict=True)
        trials = tuple(Trial(own, *row) for own, row in zip(settings, figures, strict=True))
        return cls(trials=trials, best_rule=rule, **header)


# The contents of a tuning's file: see `check_header` and `check_arrays`.
HEADER: Mapping[str, Entry] = {
    **dict.fromkeys(("title", "optimizer", "gradient_kind"), TEXT),
    "complete": BOOLEAN,
    "best_rule": OBJECT,
    "settings": list_of("settings by name", OBJECT.allows),
    "target": NUMBER_OR_NULL,
}
FIGURES = dict.fromkeys(("converged", "steps", "value", "score"), "f8 trials")
