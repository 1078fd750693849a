"""compare(): several optimizers, or several starts, on one objective."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fallline.arguments import Rule, length_of, prepared, rules_of, starts_of, stop_of
from fallline.arrays import FloatArray
from fallline.engines import Engine, compiles, ends, engine_on, execute
from fallline.engines.problem import is_formula, is_ours
from fallline.minimizing import RunSettings, checkpoint_of, run_from
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.progress import progress_bar
from fallline.results.comparison import Comparison
from fallline.results.ends import Ends
from fallline.results.lazy import Lazy
from fallline.results.trajectory import Record, Trajectory
from fallline.slips import in_our_words
from fallline.stopping import Seconds, StoppingCondition, conditions

Item = TypeVar("Item")

# From this many starts on, runs of which only the ends are recorded are stored as columns.
_MANY = 256


@in_our_words
def compare(
    objective: Any,
    x0: Any,
    optimizers: Rule | Sequence[Rule] | Mapping[str, Rule],
    *,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    gradient: Any = "auto",
    engine: Engine = "auto",
    device: str | None = None,
    record: str | int | Record = "all",
    seed: int = 0,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Run several optimizers, or several starts, or each optimizer from each start, on one objective.

    Arguments:
        x0: one start as `minimize` takes it, or a list of starts, one per row.
        optimizers: one rule, several, or a mapping of labels to rules. All other arguments are those of `minimize`.

    Returns:
        The trajectories with their labels, optimizer by optimizer. For 256 or more starts on a formula, recorded as
        "ends", it stores the ends as columns, and computes a trajectory when it is accessed. After Ctrl-C it has the
        runs so far; of runs stored as columns, those of the optimizers that had finished.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.

    >>> from fallline import Adam, GradientDescent, compare
    >>> runs = compare("x**2", 1.0, {"plain": GradientDescent(0.1), "adam": Adam(0.1)}, max_steps=50)
    >>> runs.labels
    ('plain', 'adam')
    >>> compare("x**2", [[1.0], [2.0]], GradientDescent(0.5), max_steps=1)[1].final.x
    array([0.])
    """
    given = starts_of(x0)
    objective, starts = prepared(objective, given, gradient)
    names, rules = rules_of(optimizers)
    vector = length_of(given[0]) is not None
    where = engine_on(engine, device)
    settings = RunSettings(max_steps, stop_of(stop, target), where, Record.of(record), seed, gradient, vector)
    saved = None if checkpoint is None else checkpoint_of(checkpoint, objective, starts, rules, settings)
    parts: list[_Part] = []
    try:
        for number, (name, rule) in enumerate(zip(names, rules, strict=True)):
            if saved is None and _only_ends(objective, starts, rule, settings):
                parts.append(_ends_from(name, objective, starts, rule, settings, progress))
                continue
            part = None if saved is None else saved.part(number)
            runs = run_from(objective, starts, rule, settings, None, progress, part)
            parts.append(_Part(_labels(name, starts), runs, None))
            if any(run.stop.reason == "interrupted" for run in runs):
                break
    except KeyboardInterrupt:
        # Ctrl-C between two rules, or before the first step of one.
        if not parts:
            raise
    labels, trajectories, found = zip(*parts, strict=True)
    known = None if None in found else Ends.joined(found)
    return Comparison(_chained(labels), _chained(trajectories), known)


class _Part(NamedTuple):
    """The runs of one rule: their labels, the trajectories, and their ends, if known without the trajectories."""

    labels: Sequence[str]
    trajectories: Sequence[Trajectory]
    ends: Ends | None


def _only_ends(objective: Objective, starts: FloatArray, rule: Optimizer[Any], settings: RunSettings) -> bool:
    """Whether to store only the ends of runs: if there are many, and repeating a run gives the same result."""
    return (
        len(starts) >= _MANY
        and settings.record == Record(every=None)
        and is_formula(objective)
        and is_ours(rule)
        and compiles(settings.problem(objective, starts, rule), settings.engine)
        and not any(isinstance(condition, Seconds) for condition in conditions(settings.stop))
    )


def _ends_from(
    name: str, objective: Objective, starts: FloatArray, rule: Optimizer[Any], settings: RunSettings, progress: bool
) -> _Part:
    """Run one rule from each of the starts, and store the ends.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    with progress_bar(settings.max_steps, rule.label, shown=progress) as report:
        found = ends(settings.problem(objective, starts, rule, report=report, lowest=True), settings.engine)
    if found.ended_by("interrupted").any():
        raise KeyboardInterrupt
    runs = Lazy(len(starts), functools.partial(_run_again, objective, starts, rule, settings, found.engine))
    return _Part(_labels(name, starts), runs, found)


def _run_again(
    objective: Objective,
    starts: FloatArray,
    rule: Optimizer[Any],
    settings: RunSettings,
    engine: str,
    places: Sequence[int],
) -> list[Trajectory]:
    """Repeat the runs from some of the starts, by the engine that computed their ends."""
    chosen, settings = starts[list(places)], dataclasses.replace(settings, engine=engine)
    return settings.with_recipes(execute(settings.problem(objective, chosen, rule), engine), objective, chosen, rule)


def _labels(name: str, starts: FloatArray) -> Sequence[str]:
    """The labels of the runs of one rule: its name and, if there are several, their starts."""
    return (name,) if len(starts) == 1 else Lazy(len(starts), functools.partial(_named_places, name, starts))


def _named_places(name: str, starts: FloatArray, places: Sequence[int]) -> list[str]:
    return [f"{name} from ({', '.join(f'{number:g}' for number in row)})" for row in starts[list(places)].tolist()]


def _chained(parts: Sequence[Sequence[Item]]) -> Sequence[Item]:
    """The items of all parts, in order: as a tuple, unless some of them are lazy."""
    if all(isinstance(part, tuple | list) for part in parts):
        return tuple(itertools.chain.from_iterable(parts))
    return Lazy(sum(map(len, parts)), functools.partial(_from_parts, parts)) if len(parts) > 1 else parts[0]


def _from_parts(parts: Sequence[Sequence[Item]], places: Sequence[int]) -> list[Item]:
    firsts = np.cumsum([0, *map(len, parts)])
    return [
        parts[part][place - firsts[part]]
        for part, place in zip((np.searchsorted(firsts, places, "right") - 1).tolist(), places, strict=True)
    ]
