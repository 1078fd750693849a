"""compare(): several optimizers, from several starts, with several seeds, on one objective."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fallline.arguments import Rule, length_of, prepared, rules_of, starts_of, stop_of
from fallline.arrays import FloatArray
from fallline.engines import Engine, compiles, ends, engine_on, execute
from fallline.engines.problem import is_formula, is_ours
from fallline.experiments.design import label_without
from fallline.experiments.seeds import seeds_of, warn_of_equal_runs, with_seed
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
    seeds: Sequence[int] | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Run each of several optimizers from each of several starts, with each of several seeds, on one objective.

    Arguments:
        x0: one start as `minimize` takes it, or a list of starts, one per row.
        optimizers: one rule, several, or a mapping of labels to rules. All other arguments are those of `minimize`.
        seeds: the seeds of everything random, the order of mini-batches and the noise of a rule; every run is made
            with each. A warning says when they cannot matter. None: `seed` alone.

    Returns:
        The trajectories with their labels, optimizer by optimizer, seed by seed. For 256 or more starts on a formula,
        recorded as "ends", it stores the ends as columns, and computes a trajectory when it is accessed. After Ctrl-C
        it has the runs so far; of runs stored as columns, those of the optimizers and seeds that had finished.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.

    >>> from fallline import Adam, GradientDescent, compare
    >>> runs = compare("x**2", 1.0, {"plain": GradientDescent(0.1), "adam": Adam(0.1)}, max_steps=50)
    >>> runs.labels
    ('plain', 'adam')
    >>> compare("x**2", [[1.0], [2.0]], GradientDescent(0.5), max_steps=1)[1].final.x
    array([0.])

    >>> from fallline.models import Linear
    >>> batches = Linear([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 2.0]).batches(1)
    >>> runs = compare(batches, [0.0, 0.0], {"plain": GradientDescent(0.1)}, seeds=range(30), max_steps=20)
    >>> len(runs), runs.labels[29], runs.rules[29]
    (30, 'plain, seed 29', 'plain')
    """
    given = starts_of(x0)
    objective, starts = prepared(objective, given, gradient)
    names, rules = rules_of(optimizers)
    vector = length_of(given[0]) is not None
    where = engine_on(engine, device)
    settings = RunSettings(max_steps, stop_of(stop, target), where, Record.of(record), seed, gradient, vector)
    drawn = None if seeds is None else seeds_of(seeds)
    if drawn is not None:
        warn_of_equal_runs(drawn, objective, rules)
        if not isinstance(optimizers, Mapping):
            names = [label_without(["seed"], rule) for rule in rules]
    saved = None if checkpoint is None else checkpoint_of(checkpoint, objective, starts, rules, settings, seeds=drawn)
    parts: list[_Part] = []
    try:
        for number, repeat in enumerate(_repeats(names, rules, settings, drawn)):
            if saved is None and _only_ends(objective, starts, repeat):
                parts.append(_ends_from(objective, starts, repeat, progress))
                continue
            part = None if saved is None else saved.part(number)
            runs = run_from(objective, starts, repeat.rule, repeat.settings, None, progress, part)
            parts.append(_Part(repeat.name, repeat.labels(starts), runs, None))
            if any(run.stop.reason == "interrupted" for run in runs):
                break
    except KeyboardInterrupt:
        # Ctrl-C between two rules, or before the first step of one.
        if not parts:
            raise
    ran, labels, trajectories, found = zip(*parts, strict=True)
    known = None if None in found else Ends.joined(found)
    of_each = [(name,) * len(starts) for name in ran]
    return Comparison(_chained(labels), _chained(trajectories), known, _chained(of_each))


class _Repeat(NamedTuple):
    """One rule with one seed, to be run from all starts.

    Attributes:
        name: the label of the rule.
        rule: the rule.
        settings: those of its runs, with the seed.
        seed_words: the end of their labels; empty if there is one seed.
    """

    name: str
    rule: Optimizer[Any]
    settings: RunSettings
    seed_words: str

    def labels(self, starts: FloatArray) -> Sequence[str]:
        """The labels of the runs: the rule's and, if there are several, the start and the seed."""
        if len(starts) == 1:
            return (f"{self.name}{self.seed_words}",)
        return Lazy(len(starts), functools.partial(_named_places, self.name, self.seed_words, starts))


def _repeats(
    names: Sequence[str], rules: Sequence[Optimizer[Any]], settings: RunSettings, seeds: Sequence[int] | None
) -> Iterator[_Repeat]:
    """Each rule with each seed; without seeds, with that of the settings, and noise with the rule's own."""
    for name, rule in zip(names, rules, strict=True):
        if seeds is None:
            yield _Repeat(name, rule, settings, "")
            continue
        for seed in seeds:
            words = f", seed {seed}" if len(seeds) > 1 else ""
            yield _Repeat(name, with_seed(rule, seed), dataclasses.replace(settings, seed=seed), words)


class _Part(NamedTuple):
    """The runs of one rule and seed: the rule's label, the runs', the trajectories, and the ends if known without."""

    name: str
    labels: Sequence[str]
    trajectories: Sequence[Trajectory]
    ends: Ends | None


def _only_ends(objective: Objective, starts: FloatArray, repeat: _Repeat) -> bool:
    """Whether to store only the ends of runs: if there are many, and repeating a run gives the same result."""
    rule, settings = repeat.rule, repeat.settings
    return (
        len(starts) >= _MANY
        and settings.record == Record(every=None)
        and is_formula(objective)
        and is_ours(rule)
        and compiles(settings.problem(objective, starts, rule), settings.engine)
        and not any(isinstance(condition, Seconds) for condition in conditions(settings.stop))
    )


def _ends_from(objective: Objective, starts: FloatArray, repeat: _Repeat, progress: bool) -> _Part:
    """Run one rule from each of the starts, and store the ends.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    rule, settings = repeat.rule, repeat.settings
    with progress_bar(settings.max_steps, rule.label, shown=progress) as report:
        found = ends(settings.problem(objective, starts, rule, report=report, lowest=True), settings.engine)
    if found.ended_by("interrupted").any():
        raise KeyboardInterrupt
    runs = Lazy(len(starts), functools.partial(_run_again, objective, starts, rule, settings, found.engine))
    return _Part(repeat.name, repeat.labels(starts), runs, found)


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


def _named_places(name: str, seed_words: str, starts: FloatArray, places: Sequence[int]) -> list[str]:
    rows = starts[list(places)].tolist()
    return [f"{name} from ({', '.join(f'{number:g}' for number in row)}){seed_words}" for row in rows]


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
