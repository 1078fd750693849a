"""The course of a run's value: where it began and ended, where it rose, and whether it still falls at the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.diagnosis.quantiles import median, quantile
from fallline.stopping import ROUNDING

# A rise counts if it is more than this part of the value's height above the lowest one seen.
NOTICEABLE = 1e-3
# Differences of medians count from so many standard errors on.
CERTAIN = 4.0


@dataclass(frozen=True, eq=False)
class Course:
    """The values of a run at its recorded steps.

    Attributes:
        steps: the recorded steps, shape (k,).
        values: the value at each, shape (k,), not all of them finite perhaps.
        rounding: the relative rounding of a value, as a multiple of that of float64.
    """

    steps: npt.NDArray[np.int64]
    values: FloatArray
    rounding: float = 1.0

    @cached_property
    def finite(self) -> BoolArray:
        """Which values are finite."""
        return np.isfinite(self.values)

    @property
    def length(self) -> int:
        """The number of steps from the first row to the last."""
        return int(self.steps[-1] - self.steps[0])

    @property
    def start(self) -> float:
        """The value at the start."""
        return float(self.values[0])

    @cached_property
    def lowest(self) -> float:
        """The lowest finite value; NaN if there is none."""
        return float(np.min(self.values[self.finite], initial=np.inf)) if self.finite.any() else np.nan

    @cached_property
    def highest(self) -> float:
        """The highest finite value; NaN if there is none."""
        return float(np.max(self.values[self.finite], initial=-np.inf)) if self.finite.any() else np.nan

    @cached_property
    def end(self) -> float:
        """The median of the last tenth; infinite if the run did not end at a finite value."""
        return self.level(0.9, 1.0) if self.finite[-1] else np.inf

    @property
    def fall(self) -> float:
        """How far the value fell from the start to the end; below 0 if it rose."""
        return self.start - self.end

    @cached_property
    def noise(self) -> FloatArray:
        """The rounding of each value, shape (k,)."""
        with np.errstate(all="ignore"):
            size = np.fmax(np.abs(self.values), np.fmin(np.abs(self.values[0]), 1.0))
            noise: FloatArray = ROUNDING * self.rounding * size
            return noise

    def part(self, begin: float, end: float) -> BoolArray:
        """The rows of a part of the run, given by two shares of its steps, both included."""
        first, last = (self.steps[0] + share * self.length for share in (begin, end))
        inside: BoolArray = (self.steps >= first) & (self.steps <= last)
        return inside

    def level(self, begin: float, end: float) -> float:
        """The median of the finite values in a part of the run; NaN if there are none."""
        values = self.values[self.part(begin, end) & self.finite]
        return float(median(values)) if values.size else np.nan

    def swing(self, begin: float, end: float) -> float:
        """How far the values in a part of the run are apart: from their 10th to their 90th percentile."""
        values = self.values[self.part(begin, end) & self.finite]
        return float(quantile(values, 0.9) - quantile(values, 0.1)) if values.size else np.nan

    @cached_property
    def rises(self) -> BoolArray:
        """From which rows the value rises noticeably to the next one, shape (k - 1,)."""
        with np.errstate(all="ignore"):
            rise = np.diff(self.values)
            least = NOTICEABLE * (self.values[:-1] - self.lowest) + self.noise[:-1]
            return (rise > least) | (self.finite[:-1] & ~self.finite[1:])

    @cached_property
    def late_fall(self) -> float:
        """The part of the whole fall that the last tenth of the steps made; 0 where that is not certain."""
        values = [self.values[self.part(*ends) & self.finite] for ends in ((0.8, 0.9), (0.9, 1.0))]
        if not self.fall > self.noise[0]:
            return 0.0
        if min(map(len, values)) < 2:
            return self._late_fall_of_few
        before, after = values
        # Half of the spread within a tenth is the fall itself, where it is straight.
        straight = max(median(before) - median(after), 0.0)
        scatter = [_residual(part) / np.sqrt(len(part)) for part in values]
        whole = max(self.fall, self.start - float(self.values[-1]))
        return float(straight / whole) if straight > CERTAIN * np.hypot(*scatter) + self.noise[-1] else 0.0

    @property
    def _late_fall_of_few(self) -> float:
        """The same from few rows, such as those of some epochs: certain if there are at least 3 and each is lower."""
        if len(self.values) < 3 or not (np.diff(self.values) < -self.noise[:-1]).all():
            return 0.0
        before = np.interp(self.steps[-1] - 0.1 * self.length, self.steps, self.values)
        return float((before - self.values[-1]) / (self.values[0] - self.values[-1]))

    @cached_property
    def flat_since(self) -> int:
        """The step from which on the value stays within a thousandth of the whole range of its end."""
        with np.errstate(all="ignore"):
            far = ~(np.abs(self.values - self.values[-1]) <= 1e-3 * (self.highest - self.lowest) + self.noise[-1])
        first = min(np.flatnonzero(far)[-1] + 1, len(self.steps) - 1) if far.any() else 0
        return int(self.steps[first])


def _residual(values: FloatArray) -> float:
    """The standard deviation of values about a straight line through them, by their differences."""
    second = np.diff(values, 2)
    return float(np.sqrt(np.mean(second**2) / 6)) if second.size else float(np.ptp(values))
