"""What the measurements of a diagnosis may cost, by what the run itself cost."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.known import Known
from fallline.objectives import Objective

# All checks together may take this share of the run's own time, or so many seconds.
SHARE, SECONDS = 0.2, 0.05
# The rows that a short descent takes; it is judged by twice as many others.
DESCENDED = 100
# So many evaluations of a formula, or of a model on data in memory of at most so many rows times parameters, are
# allowed whatever the clock said: they take a few milliseconds, and the clock of a first run counts imports, too.
ALWAYS, SMALL = 40, 100_000


class Budget(Known):
    """What one measurement may cost, in seconds and in evaluations of a loss that is cheap enough for it."""

    @property
    def seconds(self) -> float:
        """The time that each costly measurement may take: of those there are about six in any one case."""
        return max(SHARE * self.run.seconds, SECONDS) / 6

    @property
    def step_seconds(self) -> float:
        """The time that a step of the run took; not quite nothing where the clock saw none."""
        return max(self.run.seconds, 1e-6) / max(self.run.step_count, 1)

    @cached_property
    def allowance(self) -> int:
        """How many evaluations of the first of `probes`, with its gradient, one measurement may take.

        It follows from the time of the run's own, by the rows in each, so that it is the same at every diagnosis.
        """
        probe: Any = self.probes[0]
        if (self.loss.gradient_kind or "").startswith("autodiff"):
            return int(self.seconds / _quickest(probe, self.run.start.x))
        probed = probe.rows if self.loss.of_data else 1
        allowed = int(self.seconds * self.rows_evaluated / (2 * probed * max(self.run.seconds, 1e-6)))
        ours = probe.dataset is None if self.loss.of_data else self.loss.gradient_kind == "symbolic"
        return max(allowed, ALWAYS) if ours and probed * probe.dimension <= SMALL else allowed

    @cached_property
    def probes(self) -> tuple[Objective, Objective]:
        """The loss on a few rows, to descend on, and on others, to judge by.

        Without data, or where that has few rows, both are the loss itself.
        """
        loss: Any = self.loss
        if not loss.of_data or loss.rows < 4 * DESCENDED or loss.dataset is not None:
            return loss, loss
        rows = np.random.default_rng(0).permutation(loss.rows)[: 3 * DESCENDED]
        descended, judged = np.sort(rows[:DESCENDED]), np.sort(rows[DESCENDED:])
        return loss.on_rows(descended), loss.on_rows(judged)


def _quickest(objective: Objective, x: FloatArray) -> float:
    """The time of an evaluation; that of the run holds JAX's compilation, too."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        with np.errstate(all="ignore"):
            objective.value_and_gradient(x)
        times.append(time.perf_counter() - began)
    return min(times)
