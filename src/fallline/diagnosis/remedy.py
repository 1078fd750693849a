"""The proof of remedies: each is run beside the unchanged run, from other starts or seeds, at equal evaluations."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.again import REFERENCE_STEP, Again, CannotRepeat, Ended, again
from fallline.diagnosis.finding import Finding, Remedy, raised
from fallline.fitting.result import Fit
from fallline.results.trajectory import Trajectory

# How often a remedy is run, and the unchanged run beside it.
TRIES = 5
# A remedy wins if all of its runs reach a level that at most so many of the unchanged runs reach.
CHANCE = 1
# It must be a clear win: all of its runs end lower than the unchanged ones by this part of the whole fall ...
CLEAR_FALL = 0.1
# ... or leave this many times less above the lowest value seen, where the difference is not nothing: this part of the
# fall, on data, whose loss has a floor of noise; and elsewhere.
CLEAR_RATIO = 10.0
NOTHING_ON_DATA, NOTHING = 0.05, 1e-8
# The level that is told is this part of the fall above the lowest value, if that is above where the runs end.
TOLD = 1e-3


class _NoTime(Exception):
    """Raised when the proof would take longer than is allowed."""


class _Interrupted(Exception):
    """Raised when Ctrl-C ended a run of the proof."""


def proved(
    findings: Sequence[Finding],
    result: Trajectory | Fit,
    seconds: float,
    first: int = 1,
) -> tuple[Finding, ...]:
    """The findings, their remedies tried: with the first that wins; without those that do not help.

    The remedy is run `TRIES` times from other starts (or with other seeds) and the unchanged run from as many others.
    All are compared by where they end at equal evaluations, measured by the run's own objective over all data. The
    remedy wins if all of its runs end below their start and reach a level that at most one of the unchanged runs
    reaches, clearly.

    Arguments:
        findings: what was found; those that are remarks are not tried.
        result: the run or the fit.
        seconds: the time allowed, for all of them; what it does not suffice for stays "likely".
        first: the number of the first start or seed.
    """
    found = list(findings)
    trial: Trial | None = None
    for place, finding in enumerate(found):
        if finding.remark or not any(remedy.settings for remedy in finding.remedies):
            continue
        try:
            trial = trial or Trial(again(result), seconds, first)
            found[place] = trial.settled(finding)
        except CannotRepeat as reason:
            found[place] = dataclasses.replace(finding, proof=f"Not proved: {reason}.")
        except (KeyboardInterrupt, _Interrupted):
            found[place] = dataclasses.replace(finding, proof="Not proved: interrupted.")
            break
    return tuple(found)


class Trial:
    """The runs of one proof: those unchanged serve for all remedies.

    Arguments:
        repeat: the run, which it repeats.
        seconds: the time allowed for all.
        first: the number of the first start or seed.
    """

    def __init__(self, repeat: Again, seconds: float, first: int) -> None:
        self.again = repeat
        self.first = first
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        # Machine code may have run what a remedy leaves to the reference engine.
        slowest = max(repeat.seconds, REFERENCE_STEP) if repeat.steps * REFERENCE_STEP > seconds else repeat.seconds
        self.steps = repeat.steps
        if 2 * TRIES * slowest * self.steps > seconds:
            self.steps = repeat.made
        self._longest = slowest * self.steps
        self._unchanged: dict[str, list[Ended]] = {}

    def settled(self, finding: Finding) -> Finding:
        """The finding with the remedy that wins; without those that do not."""
        kept, lost = [], 0
        untold = ""
        for remedy in finding.remedies:
            if not remedy.settings:
                kept.append(remedy)
                continue
            try:
                proof = self.proof(remedy, finding.measure)
            except _NoTime:
                untold = f"Not proved: that takes longer than the {self._seconds:g} s allowed."
                kept.append(remedy)
                continue
            if proof:
                return dataclasses.replace(finding, remedies=(remedy,), grade="proved", proof=proof)
            lost += 1
        tried = f"{'The remedy' if lost == 1 else f'{lost} remedies'} tried did not help." if lost else ""
        return dataclasses.replace(finding, remedies=tuple(kept), proof=" ".join(filter(None, (tried, untold))))

    def proof(self, remedy: Remedy, measure: str) -> str:
        """What was measured, as a sentence, where the remedy wins; empty where it does not.

        Raises:
            _NoTime: when the time does not suffice.
            CannotRepeat: when the unchanged run raises from other starts.
        """
        settings = remedy.settings
        measure = self.again.measured_by(settings, measure)
        # A start is part of what the remedy changes, so the run without it is the one from the start as it was.
        own_start = "x0" in settings and self.again.varied == "starts"
        try:
            unchanged = self.unchanged(measure, own_start)
        except (_NoTime, _Interrupted):
            raise
        except Exception as error:
            raise CannotRepeat(f"a run from elsewhere {raised(error)}") from None
        budget = self.steps * float(np.median([ended.cost for ended in unchanged]))
        longer = self._longer(settings)
        # Half of the time that is left: a slow remedy leaves some to those after it.
        until = (time.monotonic() + self._ends) / 2
        numbers = range(self.first, self.first + TRIES)
        try:
            changed = [self._run(settings, number, budget * longer, measure, until) for number in numbers]
        except (_NoTime, _Interrupted):
            raise
        except Exception:
            # The settings do not fit this run, or the user's function raises where they lead.
            return ""
        level = level_won(changed, unchanged, exact=self.again.exact)
        if level is None:
            if self.steps < self.again.steps:
                raise _NoTime
            return ""
        kind = self.again.varied
        reached = sum(ended.end <= level for ended in unchanged)
        name = self.again.named(measure)
        shown = f"{name}{-level if measure == 'score' else level:.15g}"
        others = "from its own start" if own_start else f"on other {kind}"
        with_more = f" in {longer:.2g} times the steps" if longer > 1 else ""
        return (
            f"Proved: {TRIES} of {TRIES} {kind} reach {shown}{with_more}; "
            f"unchanged, {others}, {reached} of {len(unchanged)}."
        )

    def unchanged(self, measure: str, own_start: bool) -> list[Ended]:
        """The unchanged runs; from the run's own start, where every one would be the same, only one."""
        key = f"{measure}{own_start}"
        if key not in self._unchanged:
            numbers: Iterable[int] = [0] if own_start else range(self.first + TRIES, self.first + 2 * TRIES)
            self._unchanged[key] = [self._run({}, number, math.inf, measure, self._ends) for number in numbers]
        return self._unchanged[key]

    def _longer(self, settings: Mapping[str, Any]) -> float:
        """How many times as many steps a remedy asks for."""
        asked = float(settings.get("max_steps") or 0)
        if settings.get("epochs"):
            asked = float(settings["epochs"]) * self.again.steps_per_epoch
        return max(1.0, asked / self.again.steps)

    def _run(self, settings: Mapping[str, Any], number: int, allowed: float, measure: str, until: float) -> Ended:
        left = until - time.monotonic()
        if self._longest * (self._longer(settings) if settings else 1.0) > left:
            raise _NoTime
        ended = self.again.ended(settings, number, self.steps, left, allowed, measure)
        if ended.told == "time used up":
            raise _NoTime
        if ended.told == "interrupted":
            raise _Interrupted
        return ended


def level_won(changed: Sequence[Ended], unchanged: Sequence[Ended], *, exact: bool) -> float | None:
    """The level that all changed runs reach and at most one unchanged run does; None without a clear win.

    Arguments:
        changed: the runs with the remedy.
        unchanged: those without it.
        exact: whether the measure has no floor of noise.

    >>> def ended(start, end): return Ended(start, end, 1.0, 0.0, "step limit")
    >>> level_won([ended(1.0, 0.0312)] * 5, [ended(1.0, 0.9)] * 5, exact=False)
    0.04
    >>> level_won([ended(1.0, 0.899)] * 5, [ended(1.0, 0.9)] * 5, exact=False)
    """
    ends, others = _finite(one.end for one in changed), np.sort(_finite(one.end for one in unchanged))
    starts = _finite(one.start for one in changed)
    worst = float(ends.max())
    # A level below this one is reached by at most as many of the unchanged runs as chance allows.
    barrier = float(others[: CHANCE + 1][-1])
    if not worst < barrier or not (ends < starts).all():
        return None
    lowest = float(min(ends.min(), others.min()))
    top = float(np.median(starts[np.isfinite(starts)])) if np.isfinite(starts).any() else worst
    fall = max(top - lowest, 0.0)
    gain = min(barrier, top) - worst
    nothing = (NOTHING if exact else NOTHING_ON_DATA) * fall
    if not (gain >= CLEAR_FALL * fall or (gain > nothing and barrier - lowest >= CLEAR_RATIO * (worst - lowest))):
        return None
    # A person would not ask for the last digits of a minimum.
    told = lowest + TOLD * fall
    return _short_between(max(worst, told) if told < barrier else worst, min(barrier, top))


def _finite(values: Iterable[float]) -> FloatArray:
    """The values, with infinity for NaN."""
    array = np.array(list(values), float)
    return np.where(np.isnan(array), np.inf, array)


def _short_between(low: float, high: float) -> float:
    """The number of fewest digits that is at least `low` and less than `high`; the lowest of these.

    >>> _short_between(0.0312, 0.9), _short_between(-8.4, -8.0), _short_between(0.0, 1.0)
    (0.04, -8.4, 0.0)
    """
    if low == 0:
        return low
    magnitude = math.floor(math.log10(abs(low)))
    for digits in range(15):
        unit = 10.0 ** (magnitude - digits)
        level = float(f"{math.ceil(low / unit - 1e-9) * unit:.15g}")
        if low <= level < high:
            return level
    return low
