"""Numbers, rules and outcomes as text for titles, legends and tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fallline.results.trajectory import Trajectory


def padded(low: float, high: float) -> tuple[float, float]:
    """The interval with a margin at both ends, so that markers are not cut; never empty."""
    room = 0.05 * (high - low) or 0.5 * abs(low) or 1.0
    return low - room, high + room


def outcome(run: Trajectory, symbol: str) -> str:
    """How a run ended: the reason, the number of steps, the final value."""
    steps = "1 step" if run.step_count == 1 else f"{run.step_count} steps"
    return f"{run.stop.reason} after {steps}: {symbol} = {number(run.final.value)}"


def run_title(run: Trajectory, symbol: str) -> tuple[str, str]:
    """The two lines of the title of a picture of one run: the rule with its rate, and the outcome."""
    return optimizer_words(run), outcome(run, symbol)


def optimizer_words(run: Trajectory) -> str:
    """The rule and its settings as text for a title; for a schedule, the rates that it gave."""
    label = run.optimizer.replace("_", " ")
    rates = run.rate[np.isfinite(run.rate)]
    if not rates.size:
        return label
    return re.sub(r"\w+\(.*\)", f"learning rate {number(rates[0])} to {number(rates[-1])}", label)


def number(value: float, digits: int = 4) -> str:
    """A number as text for titles, with a true minus sign.

    >>> number(-0.000123456)
    '−0.0001235'
    """
    return f"{value:.{digits}g}".replace("-", "−")


def tick(value: float) -> str:
    """A number in three digits, with powers of ten only where it has many more."""
    return number(float(f"{value:.3g}"), 6)


def percent(share: float) -> str:
    """A share as text in percent.

    >>> percent(0.12345)
    '12.3 %'
    """
    return f"{100 * share:.3g} %"
