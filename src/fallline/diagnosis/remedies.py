"""Remedies that several findings offer: the rule of the run with a schedule, another rule, another start."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.finding import Remedy
from fallline.hyperparameters import hyperparameters
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import with_learning_rate
from fallline.schedules import Schedule
from fallline.tables import MOST_COORDINATES, vector_text


def as_python(setting: Any) -> str:
    """A rule, a schedule or another setting as a person writes it in Python: without what is the default.

    >>> import fallline
    >>> as_python(fallline.ClipNorm(fallline.Adam(0.01, beta1=0.5), limit=2.0))
    'ClipNorm(Adam(0.01, beta1=0.5), limit=2)'
    """
    if not dataclasses.is_dataclass(setting):
        return f"{setting:g}" if isinstance(setting, float) else repr(setting)
    known, convention = hyperparameters(setting), getattr(setting, "convention", "paper")
    words: list[str] = []
    for entry in sorted(dataclasses.fields(setting), key=lambda entry: bool(entry.kw_only)):
        value, default = getattr(setting, entry.name), cast("Any", entry.default)
        if entry.name in known:
            default = known[entry.name].defaults.get(convention, known[entry.name].default)
        if not entry.init or (words and np.array_equal(value, default)):
            continue
        # The first setting, which is the rate or the inner rule, is written without its name.
        words.append(f"{entry.name}={as_python(value)}" if words else as_python(value))
    return f"{type(setting).__name__}({', '.join(words)})"


def rounded(number: float) -> float:
    """A number with the two digits that a person would write.

    >>> rounded(0.123456)
    0.12
    """
    return float(f"{number:.2g}")


def with_schedule(rule: Optimizer[Any], schedule: Schedule) -> Remedy:
    """The rule with a rate that changes, and nothing else changed.

    >>> import fallline
    >>> with_schedule(fallline.ClipNorm(fallline.Adam(0.1)), fallline.Cosine(0.1, 50)).text
    'ClipNorm(Adam(Cosine(0.1, steps=50)))'
    """
    return by(with_learning_rate(rule, schedule))


def by(rule: Optimizer[Any]) -> Remedy:
    """Another rule."""
    return Remedy(as_python(rule), {"optimizer": rule})


def started_at(x: FloatArray) -> Remedy:
    """Another start."""
    if len(x) > MOST_COORDINATES:
        # A text that leaves some out is no Python: it names where all of them are.
        return Remedy(f"x0=remedy.settings['x0'], which is {vector_text(x)}", {"x0": np.asarray(x)})
    text = ",".join(f"{rounded(number):g}" for number in x.tolist())
    return Remedy(f"x0={vector_text(x)}", {"x0": np.asarray(x)}, f"--start {text}")
