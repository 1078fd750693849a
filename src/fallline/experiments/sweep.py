"""sweep(): run every combination of hyperparameters, starts, seeds and optimizers on one objective."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arguments import Rule, prepared, starts_of, stop_of
from fallline.engines import Engine, engine_on, is_cluster
from fallline.errors import check_whole
from fallline.experiments.design import Design, factors_of
from fallline.experiments.keeping import Making, kept
from fallline.experiments.outcomes import Results, results_of
from fallline.experiments.seeds import seeds_of, warn_of_equal_runs
from fallline.progress import progress_bar
from fallline.results.sweep import NOT_RUN, Sweep
from fallline.slips import in_our_words
from fallline.stopping import Diverging, StepSize, StoppingCondition, Target, conditions


@in_our_words
def sweep(
    objective: Any,
    x0: Any,
    optimizers: Rule | Sequence[Rule] | Mapping[str, Rule],
    grid: Mapping[str, Sequence[Any]],
    *,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    seeds: Sequence[int] = (0,),
    gradient: Any = "auto",
    engine: Engine = "auto",
    device: str | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Sweep:
    """Run every combination of hyperparameters, starts, seeds and optimizers on one objective.

    A run ends when it reaches the target, comes to rest, diverges, or has made its steps; `OUTCOMES` defines the
    outcomes. A run that another condition ends earlier is classified by comparing its final value with its first.

    Arguments:
        objective: what `minimize` takes.
        x0: one start as `minimize` takes it, or a list of starts, one per row.
        optimizers: one rule, several, or a mapping of labels to rules, which have all hyperparameters of the grid.
        grid: the values of each hyperparameter, by its name. A name that an optimizer does not have itself is looked
            up in the rule or the schedule inside it; "learning_rate" is the initial rate of a schedule.
        stop: as in `minimize`; by default a small step, or a value that has risen far above its start (`Diverging`).
        seeds: the seeds of everything random: the order of mini-batches, and noise. A warning says when they cannot
            matter.
        store: the path of an SQLite file to which results are added as they are computed. Runs that it has are not
            repeated: an interrupted sweep continues, a larger one reuses what is there, and several processes with the
            same sweep share its runs.
        engine: as in `minimize`; a `Cluster` spreads the runs over its workers.
        max_steps, target, gradient, device, progress: as in `minimize`.

    Returns:
        The runs; after Ctrl-C, those made so far.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.

    >>> from fallline import GradientDescent
    >>> from fallline.results.sweep import NAMES
    >>> runs = sweep("x**2/2", 1.0, GradientDescent(), {"learning_rate": [0.5, 1.9, 2.0, 2.1]}, max_steps=500)
    >>> [NAMES[place] for place in runs.outcome.ravel()]
    ['converged', 'converged', 'oscillating', 'diverged']
    >>> runs.best.settings["learning_rate"]
    0.5
    """
    check_whole("max_steps", max_steps, 1)
    of, points = prepared(objective, starts_of(x0), gradient)
    ending = conditions(stop_of(stop, target, StepSize() | Diverging()))
    rules, factors = factors_of(optimizers, grid, points, seeds_of(seeds))
    warn_of_equal_runs(factors["seed"], of, rules)
    design = Design(of, rules, points, factors, ending, int(max_steps))
    return _made(design, gradient, engine_on(engine, device), store, progress)


def _made(design: Design, gradient: Any, engine: Engine, store: str | os.PathLike[str] | None, progress: bool) -> Sweep:
    """Run the runs of a design, or take them from the store."""
    of, shape = design.objective, design.shape
    found = Results(
        np.full(shape, NOT_RUN, np.int8),
        np.zeros(shape, np.int64),
        np.full(shape, np.nan),
        np.full((*shape, of.dimension), np.nan),
    )
    wholes: tuple[npt.NDArray[Any], ...] = found
    with _making(engine) as (make, workers), progress_bar(found.outcome.size, "runs", shown=progress) as report:
        portions = design.portions(workers)
        try:
            made = make((portion, portion.problem) for portion in portions)
            for portion, results in made if store is None else kept(store, portions, make, of, gradient):
                places = np.ravel_multi_index(portion.places, shape)
                # The outcome last: with it a run is made.
                for whole, part in reversed(list(zip(wholes, results, strict=True))):
                    whole.reshape(-1, *part.shape[1:])[places] = part
                report(int(np.count_nonzero(found.outcome != NOT_RUN)))
        except KeyboardInterrupt:
            if (found.outcome == NOT_RUN).all():
                raise
    return Sweep(
        title=of.title,
        names=of.names,
        target=next((condition.value for condition in design.conditions if isinstance(condition, Target)), None),
        max_steps=design.max_steps,
        factors=design.factors,
        **found._asdict(),
        gradient_kind=of.gradient_kind or "none",
        objective=of,
        rules=tuple(design.rules),
    )


@contextlib.contextmanager
def _making(engine: Engine) -> Iterator[tuple[Making, int]]:
    """The function that makes runs, and the number of its workers: 0 for this process, or those of a cluster."""
    if is_cluster(engine):
        with engine.opened() as workers:
            yield functools.partial(workers.each, functools.partial(results_of, engine="auto")), workers.threads
    else:
        yield lambda work: ((portion, results_of(problem, engine)) for portion, problem in work), 0
