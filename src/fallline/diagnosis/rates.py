"""Changed rates for remedies: a rule's rate, or the whole of its schedule, made larger or smaller by a factor."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.diagnosis.finding import Remedy
from fallline.diagnosis.remedies import by, rounded
from fallline.errors import FalllineError
from fallline.hyperparameters import Range
from fallline.line_search import LineSearch
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import setting_of, with_settings


def rate_of(rule: Optimizer[Any]) -> float | None:
    """The rate that a rule, its schedule, or the rule inside it starts from; None where no one number says it.

    >>> import fallline
    >>> rate_of(fallline.ClipNorm(fallline.Adam(fallline.Cosine(0.1, 50))))
    0.1
    """
    rate = None if isinstance(rule.learning_rate, LineSearch) else setting_of(rule, "learning_rate")[0]
    return float(rate) if isinstance(rate, int | float | np.number) else None


def scaled(rule: Optimizer[Any], factor: float) -> tuple[Remedy, ...]:
    """The rule with its rate, or all rates of its schedule, multiplied by a factor: one remedy, or none.

    >>> import fallline
    >>> scaled(fallline.Adam(fallline.Cosine(0.1, 50)), 0.123)[0].text
    'Adam(Cosine(0.012, steps=50))'
    """
    rate = rate_of(rule)
    if rate is None or not Range(0, low_open=True).allows(rounded(rate * factor)):
        return ()
    try:
        changed = with_settings(rule, {"learning_rate": rounded(rate * factor)})
    except FalllineError:
        return ()
    remedy = by(changed)
    plain = isinstance(changed.learning_rate, float)
    return (Remedy(remedy.text, remedy.settings, f"--learning-rate {changed.learning_rate:g}" if plain else ""),)
