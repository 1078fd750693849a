"""Schedules as the command line writes them."""

from __future__ import annotations

import dataclasses
import inspect

from fallline.errors import FalllineError, nearest
from fallline.schedules.base import SCHEDULES, Schedule


def schedule_form(kind: type[Schedule]) -> str:
    """How a schedule is written on the command line, its settings in capitals.

    >>> from fallline import StepDecay, WarmUp
    >>> schedule_form(StepDecay), schedule_form(WarmUp)
    ('step:FACTOR:EVERY', 'warm_up:STEPS:START:SCHEDULE')
    """
    first, *others = (entry.name for entry in dataclasses.fields(kind) if entry.name != "convention")
    words = [kind.name, *(setting.upper() for setting in others), *(["SCHEDULE"] if first == "after" else [])]
    return ":".join(words)


def parse_schedule(text: str, rate: float) -> Schedule:
    """Read a schedule as the command line writes it: `step:0.9:40`, `multi_step:0.1:30,80`, `cosine`.

    The numbers are the schedule's settings after its rate, in order; those left out keep their defaults. A
    convention may follow, and, if the schedule builds on another, the other schedule: `warm_up:100:cosine:1000`.

    Arguments:
        text: the schedule.
        rate: the rate that it scales.

    Raises:
        FalllineError: naming the schedule or the setting that is wrong.

    >>> parse_schedule("step:0.9:40", 0.05)
    StepDecay(initial=0.05, factor=0.9, every=40, convention='paper')
    >>> parse_schedule("warm_up:5:exponential:0.5", 0.1)
    WarmUp(after=Exponential(initial=0.1, decay=0.5), steps=5, start=0.333...)
    """
    name, *words = text.split(":")
    if name not in SCHEDULES:
        raise FalllineError("schedule", text, nearest(name, SCHEDULES))
    kind = SCHEDULES[name]
    scaled: Schedule | float = rate
    if "after" in kind.__dataclass_fields__:
        inner = next((place for place, word in enumerate(words) if word in SCHEDULES), len(words))
        if words[inner:]:
            scaled = parse_schedule(":".join(words[inner:]), rate)
        words = words[:inner]
    named = {"convention": words.pop()} if words and words[-1] in kind.conventions else {}
    try:
        settings = inspect.signature(kind).bind(scaled, *map(_numbers, words), **named)
    except (TypeError, ValueError):
        raise FalllineError("schedule", text, f"write it as {schedule_form(kind)}") from None
    return kind(*settings.args, **settings.kwargs)


def _numbers(word: str) -> float | tuple[float, ...]:
    """One number, or several separated by commas."""
    if "," in word:
        return tuple(float(part) for part in word.split(",") if part)
    return int(word) if word.isdecimal() else float(word)
