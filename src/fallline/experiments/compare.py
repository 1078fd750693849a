"""compare(): several optimizers, or several starts, on one objective."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from fallline.arguments import Rule, length_of, prepared, rules_of, starts_of, stop_of
from fallline.engines import Engine
from fallline.minimize import RunSettings, checkpoint_of, run_from
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Record, Trajectory
from fallline.slips import in_our_words
from fallline.stopping import StoppingCondition


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
    record: str | int | Record = "all",
    seed: int = 0,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Run several optimizers, or several starts, or each optimizer from each start, on one objective.

    Arguments:
        x0: one start as `minimize` takes it, or a list of starts, one a row.
        optimizers: one rule, several, or a mapping of labels to rules.

    The other arguments are those of `minimize`.

    Returns:
        The trajectories with their labels, optimizer by optimizer.

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
    settings = RunSettings(max_steps, stop_of(stop, target), engine, Record.of(record), seed, gradient, vector)
    saved = None if checkpoint is None else checkpoint_of(checkpoint, objective, starts, rules, settings)
    done: list[tuple[str, Trajectory]] = []
    try:
        for number, (name, rule) in enumerate(zip(names, rules, strict=True)):
            part = None if saved is None else saved.part(number)
            runs = run_from(objective, starts, rule, settings, None, progress, part)
            done += [(name if len(runs) == 1 else f"{name} from {_place(run)}", run) for run in runs]
            if any(run.stop.reason == "interrupted" for run in runs):
                break
    except KeyboardInterrupt:
        # Ctrl-C between two rules, or before the first step of one.
        if not done:
            raise
    labels, trajectories = zip(*done, strict=True)
    return Comparison(labels, trajectories)


def _place(run: Trajectory) -> str:
    return f"({', '.join(f'{number:g}' for number in run.start.x)})"
