"""What the measurements of a diagnosis may cost, by what the run itself cost."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import numpy as np

from fallline.diagnosis.known import Known

# All checks together may take this share of the run's own time, or so many seconds.
SHARE, SECONDS = 0.2, 0.05
# The rows that a short descent takes; it is judged by twice as many others.
DESCENDED = 100
# So many evaluations are always allowed of a formula, of a model on data in memory of at most so many rows times
# parameters, and of whatever else takes less than so many seconds, as the quickest of a few evaluations tells.
ALWAYS, SMALL, QUICK, TIMED = 40, 100_000, 3e-3, 10


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
        if (self.loss.gradient_kind or "").startswith("autodiff"):
            allowed = int(self.seconds / self._quickest)
        else:
            allowed = int(self.seconds * self.rows_evaluated / (2 * self._probed * max(self.run.seconds, 1e-6)))
        return max(allowed, ALWAYS) if self.cheap else allowed

    @cached_property
    def cheap(self) -> bool:
        """Whether `ALWAYS` evaluations are allowed whatever the clock says: that of a first run counts imports, too."""
        probe, of_data, kind = self.probes[0], self.loss.of_data, self.loss.gradient_kind
        if kind is None or (of_data and probe.dataset is not None):
            return False
        ours = of_data or kind == "symbolic"
        return (ours and self._probed * probe.dimension <= SMALL) or self._quickest < QUICK

    @property
    def _probed(self) -> int:
        """The rows of data in an evaluation of the first of `probes`."""
        return self.probes[0].rows if self.loss.of_data else 1

    @cached_property
    def _quickest(self) -> float:
        """The shortest time, in seconds, of a few evaluations of the first of `probes` with its gradient."""
        times: list[float] = []
        # A slow one is not timed again.
        while len(times) < TIMED and sum(times) < SECONDS:
            began = time.perf_counter()
            with np.errstate(all="ignore"):
                self.probes[0].value_and_gradient(self.run.start.x)
            times.append(time.perf_counter() - began)
        return min(times)

    @cached_property
    def probes(self) -> tuple[Any, Any]:
        """The loss on a few rows, to descend on, and on others, to judge by.

        Without data, or where that has few rows, both are the loss itself.
        """
        loss: Any = self.loss
        if not loss.of_data or loss.rows < 4 * DESCENDED or loss.dataset is not None:
            return loss, loss
        rows = np.random.default_rng(0).permutation(loss.rows)[: 3 * DESCENDED]
        descended, judged = np.sort(rows[:DESCENDED]), np.sort(rows[DESCENDED:])
        return loss.on_rows(descended), loss.on_rows(judged)
