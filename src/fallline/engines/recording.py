"""The rows of the trajectories that the reference engine records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.engines.problem import Problem
from fallline.engines.stretches import Stretch
from fallline.results.rows import Rows
from fallline.state import named_leaves
from fallline.stopping import Progress


class Recording:
    """The rows of a problem's runs.

    Arguments:
        problem: the runs.
        first: the number of steps made before.
        last: the step after which the runs end.

    Attributes:
        last_kept: the last step at which the points of the active runs were recorded.
    """

    def __init__(self, problem: Problem, first: int, last: int) -> None:
        self._dimension, self._with_state = problem.objective.dimension, problem.record.state
        self._first, self._every = first, problem.record.every
        self._always = {first, last, *problem.record.at}
        self.last_kept = -1

    def begin(self, state: Any) -> None:
        """Allocate room for rows, with states of this structure."""
        coordinates = (self._dimension,)
        columns = {"steps": (), "x": coordinates, "value": (), "gradient": coordinates, "rate": ()}
        if self._with_state:
            columns |= {f"state.{name}": coordinates for name, _ in named_leaves(state)}
        self._rows = Rows(columns)

    def go_on_from(self, saved: Mapping[str, Any]) -> None:
        """Restore what `contents` returned."""
        self._rows = Rows.of(saved["run"], saved["columns"])
        self.last_kept = saved["last_recorded"]

    @property
    def contents(self) -> dict[str, Any]:
        """All rows, for a checkpoint."""
        return {"last_recorded": self.last_kept, "run": self._rows.run, "columns": self._rows.columns}

    def is_due(self, step: int) -> bool:
        """Whether the points after a step are recorded."""
        return step in self._always or (self._every is not None and (step - self._first) % self._every == 0)

    def keep(self, active: npt.NDArray[np.int64], progress: Progress, state: Any, rate: Any) -> None:
        """Record the points of the active runs and the rate of their next step, if due and not yet recorded."""
        if self.last_kept != progress.step and self.is_due(progress.step):
            self._rows.add_soon(active, self._block(progress, state, rate))
            self.last_kept = progress.step

    def keep_last(self, active: npt.NDArray[np.int64], progress: Progress, state: Any, ended: BoolArray) -> None:
        """Record the last points of the active runs that have ended."""
        if self.last_kept != progress.step:
            block = self._block(progress, state, np.nan)
            chosen = {name: part[ended] if np.ndim(part) else part for name, part in block.items()}
            self._rows.add(active[ended], chosen)

    def keep_passed(self, active: npt.NDArray[np.int64], stretch: Stretch, count: int) -> None:
        """Record the points before each of the first `count` steps of a stretch, where due."""
        points = stretch.points
        steps = np.arange(points.step, points.step + count)
        left = steps != self.last_kept
        if self._every != 1:
            left &= [self.is_due(step) for step in steps.tolist()]
        if left.any():
            block = {"x": points.x[:count][left], "value": points.value[:count][left]}
            block |= {"gradient": points.gradient[:count][left], "rate": stretch.rates[:count][left]}
            self._rows.add(np.repeat(active, np.count_nonzero(left)), block | {"steps": steps[left]})
            self.last_kept = int(steps[left][-1])

    def of_each(self, runs: int) -> list[dict[str, FloatArray]]:
        """The columns of each run's rows."""
        return self._rows.of_each(runs)

    def _block(self, progress: Progress, state: Any, rate: Any) -> dict[str, Any]:
        block: dict[str, Any] = {
            "steps": progress.step,
            "x": progress.x,
            "value": progress.value,
            "gradient": progress.gradient,
            "rate": rate[:, 0] if np.ndim(rate) else rate,
        }
        if self._with_state:
            for name, leaf in named_leaves(state):
                # A copy, because a rule may change its state in place.
                block[f"state.{name}"] = np.broadcast_to(leaf, progress.x.shape).copy()
        return block
