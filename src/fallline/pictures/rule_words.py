"""A rule and its settings as titles and legends tell them, in the field's words and symbols."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.fields import fields_of
from fallline.hyperparameters import hyperparameters
from fallline.letters import greek, lowered, number
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS, Optimizer
from fallline.optimizers.base import layers
from fallline.results.trajectory import Trajectory
from fallline.schedules import SCHEDULES, Constant, Schedule, WarmUp, watches_values

# A setting of a rule: how deep inside wrappers the rule stands, and the setting's name.
Setting = tuple[int, str]
# More numbers than these are not told of one setting, or of a start.
MOST_NUMBERS = 4
# A rate of this part of the first one is told as a peak, or as 0 where the next is 0.
_HIGHER = 1.001


def optimizer_words(run: Trajectory, also: Collection[Setting] = ()) -> str:
    """The rule of a run and the settings that are not obvious; of a schedule, the rates that it gave.

    Arguments:
        also: settings to tell even where they are the defaults.

    >>> import fallline
    >>> rule = fallline.ClipNorm(fallline.RMSProp(1.0, convention="tutorial"), limit=2.0)
    >>> optimizer_words(fallline.minimize("x**2", 3.0, rule, max_steps=2))
    'RMSProp (tutorial), η = 1, norm clipping (c = 2)'
    >>> rule = fallline.Adam(fallline.Cosine(0.1, 50), beta1=0.5)
    >>> optimizer_words(fallline.minimize("x**2", 3.0, rule, max_steps=50))
    'Adam, η: cosine 0.1 → 0, β₁ = 0.5'
    """
    if run.rule is None:
        return _recorded_words(run)
    *wrappers, (depth, rule) = enumerate(layers(run.rule))
    name = rule.spelling if rule.convention == "paper" else f"{rule.spelling} ({rule.convention})"
    words = [name, *_settings(rule, depth, also, run)]
    for depth, wrapper in reversed(wrappers):
        told = [] if wrapper.convention == "paper" else [wrapper.convention]
        told += _settings(wrapper, depth, also, run)
        words.append(f"{wrapper.spelling} ({', '.join(told)})" if told else wrapper.spelling)
    return ", ".join(words)


def different_settings(rules: Sequence[Optimizer[Any]]) -> set[Setting]:
    """The settings that differ between rules of the same kind.

    >>> from fallline import Adam, AdaGrad
    >>> different_settings([Adam(0.1), Adam(0.1, beta1=0.8), AdaGrad(0.5)])
    {(0, 'beta1')}
    """
    first: dict[tuple[type, ...], Optimizer[Any]] = {}
    found: set[Setting] = set()
    for rule in rules:
        kinds: tuple[type, ...] = ()
        for depth, one in enumerate(layers(rule)):
            kinds = (*kinds, type(one))
            other = first.setdefault(kinds, one)
            found |= {(depth, entry.name) for entry in fields_of(one) if entry.init and _differ(one, other, entry.name)}
    return found


def words_of_runs(runs: Sequence[Trajectory]) -> list[str]:
    """Runs side by side: each by its rule and what differs; runs of one rule by their starts or their seeds alone.

    >>> import fallline
    >>> words_of_runs(fallline.compare("x**2", [[1.0], [-2.0]], fallline.Adam(0.1), max_steps=2))
    ['from 1', 'from −2']
    >>> words_of_runs(fallline.compare("x**2", 1.0, [fallline.Adam(0.1), fallline.Adam(0.1, beta1=0.8)], max_steps=2))
    ['Adam, η = 0.1, β₁ = 0.9', 'Adam, η = 0.1, β₁ = 0.8']
    """
    also = different_settings([run.rule for run in runs if run.rule is not None])
    rules = [optimizer_words(run, also) for run in runs]
    if len(runs) > 1 and len(set(rules)) == 1 and (apart := _apart(runs)):
        return apart
    told = list(rules)
    for rule in {rule for rule in rules if rules.count(rule) > 1}:
        places = [place for place, other in enumerate(rules) if other == rule]
        for place, more in zip(places, _apart([runs[place] for place in places]), strict=False):
            told[place] = f"{rule}, {more}"
    return told


def _apart(runs: Sequence[Trajectory]) -> list[str]:
    """What tells runs of the same rule apart: their starts, or their seeds, or both; empty if they are alike."""
    parts = []
    for words in ([start_words(run.x[0]) for run in runs], [f"seed {run.seed}" for run in runs]):
        if len(set(words)) > 1:
            parts.append(words)
    return [", ".join(words) for words in zip(*parts, strict=True)]


def start_words(x: FloatArray) -> str:
    """Where a run started.

    >>> start_words(np.array([-1.2, 1.0])), start_words(np.array([3.0]))
    ('from (−1.2, 1)', 'from 3')
    """
    return f"from {_value(x if len(x) > 1 else float(x[0]))}"


def label_words(label: str) -> str:
    """What a rule's label says, in the words of pictures: for a result that holds no more of its rule.

    >>> label_words("rmsprop@tutorial, learning_rate 1, beta 0.9"), label_words("MyRule, learning_rate 0.1, my_size 2")
    ('RMSProp (tutorial), η = 1, β = 0.9', 'MyRule, η = 0.1, my size = 2')
    """
    *wrappers, inner = (_parts_of_label(part) for part in label.split(", of "))
    name, convention, settings = inner
    words = [f"{name} ({convention})" if convention else name, *settings]
    for name, convention, settings in reversed(wrappers):
        told = ", ".join([*filter(None, [convention]), *settings])
        words.append(f"{name} ({told})" if told else name)
    return ", ".join(words)


def _parts_of_label(label: str) -> tuple[str, str, list[str]]:
    """The name, the convention and the settings in the label of one rule."""
    head, *settings = _split(label)
    name, _, convention = head.partition("@")
    kind = OPTIMIZERS.get(name) or BOUNDED.get(name) or WRAPPERS.get(name)
    if kind is None:
        return head.replace("_", " "), "", [_label_setting(setting, None) for setting in settings]
    told = [_label_setting(setting, kind) for setting in settings]
    return kind.called or kind.__name__, convention, [setting for setting in told if setting]


def _label_setting(text: str, kind: type[Optimizer[Any]] | None) -> str:
    """A setting in the label of a rule of this class; empty for the line search that the rule has by itself."""
    name, _, value = text.partition(" ")
    if "(" in name:
        name, value = "learning_rate", text
    about = hyperparameters(kind).get(name) if kind else None
    symbol = symbol_text(about.symbol) if about is not None and about.symbol else name.replace("_", " ")
    symbol = "η" if name == "learning_rate" else symbol
    if "(" not in value:
        return f"{symbol} = {value.replace('-', '−')}" if value else symbol
    kinds: list[type[Schedule] | type[LineSearch]] = [*SCHEDULES.values(), *LINE_SEARCHES.values()]
    made = next((one for one in kinds if one.__name__ == value.partition("(")[0]), None)
    if made is not None and kind is not None and issubclass(made, LineSearch) and "learning_rate" not in kind.told:
        return ""
    return f"{symbol}: {value.partition('(')[0] if made is None else made.called or made.name.replace('_', ' ')}"


def _split(label: str) -> list[str]:
    """The parts of a label between commas outside of brackets."""
    parts, depth = [""], 0
    for character in label:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _recorded_words(run: Trajectory) -> str:
    """What is known of a rule that only its user can make again: its label, or its name and the rates that it gave."""
    rates = run.rate[np.isfinite(run.rate)]
    if "(" not in run.optimizer:
        return label_words(run.optimizer)
    name = label_words(run.optimizer.partition(",")[0])
    return f"{name}, η: {_way(rates)}" if rates.size else name


def _settings(rule: Optimizer[Any], depth: int, also: Collection[Setting], run: Trajectory) -> Iterator[str]:
    """The settings of one rule that are told, in the order of its definition."""
    known, unusual = hyperparameters(rule), rule.unusual
    for entry in fields_of(rule):
        value = getattr(rule, entry.name)
        told = entry.name in (*rule.told, *unusual) or (depth, entry.name) in also
        if not told or not entry.init or entry.name == "convention" or isinstance(value, Optimizer):
            continue
        about = known.get(entry.name)
        symbol = entry.name.replace("_", " ")
        if about is not None:
            symbol = symbol_text(about.symbol) if about.symbol else symbol
        symbol = symbol_text(entry.metadata["symbol"]) if "symbol" in entry.metadata else symbol
        symbol = "η" if entry.name == "learning_rate" else symbol
        if isinstance(value, Schedule):
            yield f"{symbol}: {_schedule(value, run)}"
        elif isinstance(value, LineSearch):
            yield f"{symbol}: {value.spelling}"
        elif isinstance(value, bool):
            yield symbol if value else f"no {symbol}"
        elif dataclasses.is_dataclass(value):
            yield f"{symbol} {_value(value)}"
        else:
            yield f"{symbol} = {_value(value)}"


def symbol_text(latex: str) -> str:
    r"""A symbol of a hyperparameter in plain characters.

    >>> symbol_text(r"\beta_1"), symbol_text(r"\Delta_{\max}"), symbol_text(r"\eta_\infty"), symbol_text("c")
    ('β₁', 'Δₘₐₓ', 'η_∞', 'c')
    """
    letter, line, index = latex.replace("{", "").replace("}", "").partition("_")
    name, below = (part.removeprefix("\\") for part in (letter, index))
    below = {"infty": "∞"}.get(below, below)
    return (greek(name) or name) + (lowered(below) if line else "")


def _value(value: Any) -> str:
    """A setting's value: numbers short, an object with its own settings in brackets."""
    if isinstance(value, str):
        return value.replace("_", " ")
    if dataclasses.is_dataclass(value):
        known = hyperparameters(value)
        parts = []
        for entry in fields_of(value):
            about = known.get(entry.name)
            name = symbol_text(about.symbol) if about is not None and about.symbol else entry.name
            part = getattr(value, entry.name)
            if part is not entry.default and part != ():
                parts.append(f"{name} = {_value(part)}")
        return f"{type(value).__name__}({', '.join(parts)})" if parts else type(value).__name__
    if np.ndim(value):
        numbers = np.ravel(value).tolist()
        shown = [*map(_value, numbers[:MOST_NUMBERS]), *["…"] * (len(numbers) > MOST_NUMBERS)]
        return f"({', '.join(shown)})"
    return number(value).replace("inf", "∞") if isinstance(value, int | float) else str(value)


def _schedule(schedule: Schedule, run: Trajectory) -> str:
    """A schedule's name and the rates that it gave in a run."""
    name = schedule.spelling
    if isinstance(schedule, WarmUp) and not isinstance(schedule.after, Constant):
        name += f" and {schedule.after.spelling}"  # type: ignore[union-attr]
    rates = run.rate[np.isfinite(run.rate)]
    if not rates.size:
        return name
    # A fall to 0 ends there, though no step is made with the rate 0.
    if not watches_values(schedule) and np.all(schedule.rate(run.step_count + 1) == 0):
        rates = np.append(rates, 0.0)
    return f"{name} {_way(rates)}"


def _way(rates: FloatArray) -> str:
    """The first and the last of some rates, and the highest between them if it is higher than both."""
    highest = rates.max()
    middle = [highest] if highest > _HIGHER * max(rates[0], rates[-1]) else []
    told = [number(float(rate), 3) for rate in (rates[0], *middle, rates[-1])]
    return " → ".join(rate for rate, _ in itertools.groupby(told))


def _differ(one: Any, other: Any, name: str) -> bool:
    """Whether a setting differs; rules inside are compared by themselves."""
    values = getattr(one, name), getattr(other, name)
    return not isinstance(values[0], Optimizer) and not np.array_equal(*values)
