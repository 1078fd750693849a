"""A search for hyperparameters, trial by trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fallline.errors import FalllineError, check_whole
from fallline.optimizers import Optimizer

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Trial:
    """One setting that was tried, over all starts and seeds.

    Attributes:
        settings: the hyperparameters by name.
        converged: the share of the runs that converged.
        steps: the median of the steps that those took; NaN if there are none.
        value: the median of the values at the end.
        score: what the search made as small as it could; infinite where a run diverged.
    """

    settings: Mapping[str, Any]
    converged: float
    steps: float
    value: float
    score: float


@dataclass(frozen=True, eq=False)
class Tuning:
    """A search, trial by trial.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        target: the value to reach; None if there was none.
        trials: in the order in which they were made.
        best_rule: the rule with the settings of the best trial.
        complete: whether all trials were made.
        gradient_kind: how the gradient was found, as in a trajectory.
    """

    title: str
    optimizer: str
    target: float | None
    trials: tuple[Trial, ...]
    best_rule: Optimizer[Any]
    complete: bool
    gradient_kind: str

    @property
    def best(self) -> Trial:
        """The trial with the lowest score; of several, the first."""
        return self.ranked(1)[0]

    def ranked(self, count: int = 10) -> list[Trial]:
        """The best trials: those with the lowest scores; of several, the first made comes first.

        Raises:
            FalllineError: when the count is none.
        """
        check_whole("count", count, least=0)
        return sorted(self.trials, key=lambda trial: trial.score)[:count]

    def to_frame(self) -> pd.DataFrame:
        """The trials as a pandas data frame, one a row.

        Raises:
            FalllineError: when pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise FalllineError('to_frame needs pandas: pip install "fallline[frames]"') from None
        rows = [dataclasses.asdict(trial) for trial in self.trials]
        return pd.DataFrame([{**row.pop("settings"), **row} for row in rows])
