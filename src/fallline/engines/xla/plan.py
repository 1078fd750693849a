"""What is known of the steps of runs before they are made: what is recorded, evaluated and counted, and batches."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray
from fallline.engines.evaluation import Evaluation
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.recording import Recording
from fallline.engines.xla.program import Arrival
from fallline.models.batches import Batches

# Steps between two looks at Ctrl-C and at the clock, and the numbers recorded in that time.
_STEPS, _NUMBERS = 1 << 10, 1 << 22


class Stretch(NamedTuple):
    """Some steps that are made together.

    Attributes:
        arrivals: what is known of the points that they lead to; arrays of a fixed length, of which `steps` rows count.
        places: the row in which the points are recorded that each step leaves; `room` for none.
        steps: the number of steps.
        room: the number of rows.
        recorded: the steps whose points are recorded, in the order of the rows.
    """

    arrivals: Arrival
    places: npt.NDArray[np.int64]
    steps: int
    room: int
    recorded: list[int]


class Plan:
    """The steps of a problem's runs.

    Arguments:
        problem: the runs.
        width: how many numbers are recorded at a step, of all runs of a block.

    Attributes:
        evaluation: evaluates the last points of runs.
        counted: the evaluations of value and of gradient up to each step that has been planned.
    """

    def __init__(self, problem: Problem, width: int) -> None:
        self._problem = problem
        self._recording = Recording(problem, 0, problem.max_steps)
        self.evaluation = Evaluation(problem, 0, self._recording.is_due)
        self._ahead = _looks_ahead(problem)
        every = problem.record.every
        most = _STEPS if every is None else min(_STEPS, max(1, _NUMBERS // width) * every)
        # A power of two, so that few lengths are compiled.
        self._length = 1 << (min(most, problem.max_steps) - 1).bit_length()
        # The first step and the last are recorded in any case.
        self._room = 2 + len(problem.record.at) + (0 if every is None else self._length // every + 1)
        self.counted = self._costs(np.ones(1, bool))

    def start(self) -> Arrival:
        """What is known of the starts."""
        rows = self._rows(range(1))
        return Arrival(np.True_, self.counted[0].sum(), None if rows is None else rows[0])

    def after(self, made: int) -> Stretch:
        """The next steps: as many as are compiled together, and have mini-batches of one size."""
        ahead = range(made + 1, made + 1 + min(self._length, self._problem.max_steps - made))
        rows = self._rows(ahead)
        count = len(ahead) if rows is None else len(rows)
        recorded = [step for step in range(made, made + count) if self._recording.is_due(step)]
        places = np.full(self._length, self._room)
        places[np.array(recorded, int) - made] = np.arange(len(recorded))
        looks = np.array([self.evaluation.looks_at_value(step) for step in ahead[:count]])
        counted = self.counted[-1] + np.cumsum(self._costs(looks), axis=0)
        self.counted = np.concatenate([self.counted, counted])
        arrivals = Arrival(looks, counted.sum(axis=1), rows)
        padded = Arrival(*(None if part is None else _padded(part, self._length) for part in arrivals))
        return Stretch(padded, places, count, self._room, recorded)

    def _costs(self, looks: BoolArray) -> npt.NDArray[np.int64]:
        """The evaluations of value and gradient at points, by whether the value is looked at."""
        seen = self.evaluation
        if not self._ahead and not self._problem.objective.stochastic:
            return np.tile(seen.cost_of_both, (len(looks), 1))
        return np.where(looks[:, None], seen.cost_ahead, seen.cost_of_gradient)

    def _rows(self, points: range) -> npt.NDArray[np.int64] | None:
        """The rows of the mini-batches taken at the points after these steps, up to one of another size."""
        batches = self._problem.objective
        if not isinstance(batches, Batches):
            return None
        every = np.arange(batches.loss.rows)
        chosen = [every[batches.rows_at(step + 1, self._problem.seed)] for step in points]
        return np.array(list(itertools.takewhile(lambda rows: len(rows) == len(chosen[0]), chosen)))


def _padded(part: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    padded = np.zeros((length, *part.shape[1:]), part.dtype)
    padded[: len(part)] = part
    return padded


def _looks_ahead(problem: Problem) -> bool:
    """Whether the rule takes the gradient at another point than x."""
    rule: Any = entries(problem.optimizer, slice(0, 1))
    x = problem.starts[:1].copy()
    return rule.lookahead(x, rule.init(x)) is not x
