"""The lines in which the formulas of two rules differ."""

from __future__ import annotations

from typing import Any

from fallline.optimizers.base import Optimizer
from fallline.optimizers.latex import with_short_memory
from fallline.optimizers.lines import X_BEFORE, Lines, X, lines_of
from fallline.optimizers.plain_text import in_words, moved_text, plain_text


def different_lines(one: Optimizer[Any], other: Optimizer[Any]) -> dict[str, tuple[str, str]]:
    """The lines that are not the same in both, by quantity, in the order of computation; "-" stands for no line.

    A quantity that is computed in the same way from the start is left out, whatever its parts are called. A memory of
    many steps is taken as one of two.

    >>> from fallline import AdaGrad
    >>> different_lines(AdaGrad(), AdaGrad(convention="tutorial"))
    {'change': ('g*rate/(epsilon + sqrt(total))', 'g*(epsilon + rate/sqrt(total))')}
    """
    texts, computed = zip(
        *(_told(lines_of(with_short_memory(rule), all_names=True)) for rule in (one, other)), strict=True
    )
    found: dict[str, tuple[str, str]] = {}
    for name in _merged(list(texts[0]), list(texts[1])):
        pair = texts[0].get(name, "-"), texts[1].get(name, "-")
        if pair[0] != pair[1] and computed[0].get(name) != computed[1].get(name):
            found[name] = pair
    return found


def _merged(one: list[str], other: list[str]) -> list[str]:
    """The names of both, those that only the other has before what follows them there."""
    merged = list(one)
    for place in reversed(range(len(other))):
        if other[place] not in merged:
            after = other[place + 1 : place + 2]
            merged.insert(merged.index(after[0]) if after else len(merged), other[place])
    return merged


def _told(step: Lines) -> tuple[dict[str, str], dict[str, int]]:
    """Each line as text, and how it is computed, by quantity."""
    words = in_words(step)
    texts = {"g": f"slope at {plain_text(step.place.xreplace(words))}"} if step.place != X_BEFORE else {}
    for line in step.lines:
        told = "…" if line.expression is None else plain_text(line.expression.xreplace(words))
        texts[step.letters[line.symbol].text] = told
    if step.change.expression is not None:
        texts[X] = moved_text(step.change.expression.xreplace(words))
    computed = {"g": hash(texts.get("g"))}
    computed |= {step.letters[line.symbol].text: line.computed for line in (*step.lines, step.change)}
    return texts, computed
