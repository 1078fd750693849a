"""sweep(): one objective, and every combination of hyperparameters, starts, seeds and optimizers."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from fallline.arguments import Rule, rule_of, starts_of
from fallline.arrays import BoolArray, FloatArray
from fallline.engines import Cluster, Engine, Problem, WorkersLost, ends
from fallline.engines.per_run import entries
from fallline.errors import FalllineError, shortened
from fallline.experiments.store import Row, Store, fingerprint
from fallline.gradients import Perturbation, with_gradient
from fallline.hyperparameters import Range
from fallline.line_search import LineSearch
from fallline.machine_code.threads import threads
from fallline.objectives import Objective, as_objective
from fallline.objectives.points import one_point
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import has_setting, setting_of, with_settings
from fallline.progress import progress_bar
from fallline.recipe import encode
from fallline.results.sweep import NAMES, NOT_RUN, Sweep
from fallline.results.trajectory import Record
from fallline.schedules import Schedule
from fallline.stopping import Diverging, StepSize, Target, conditions

Item = TypeVar("Item")

# What stands beside the hyperparameters among the factors of a sweep, and the argument that gives it.
OTHER_FACTORS = {"optimizer": "optimizers", "start": "x0", "seed": "seeds"}
# Between two entries in the store each thread makes so many steps of a formula; of what may cost far more, all make so
# many runs. More runs at a time take much memory. On a cluster all workers are to have some, to the end.
_FORMULA_STEPS, _OTHER_RUNS, _MOST_RUNS, _PORTIONS_A_WORKER = 64_000_000, 64, 1 << 16, 4


def sweep(
    objective: Any,
    grid: Mapping[str, Sequence[Any]],
    x0: Any,
    optimizers: Rule | Sequence[Rule] = "gradient_descent",
    *,
    target: float | None = None,
    max_steps: int = 1000,
    seeds: Sequence[int] = (0,),
    gradient: Any = "auto",
    engine: Engine = "auto",
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Sweep:
    """Run every combination of hyperparameters, starts, seeds and optimizers on one objective.

    A run ends when it reaches the target, comes to rest, leaves for infinity, or has made its steps; `OUTCOMES` says
    what it is called then.

    Arguments:
        objective: what `minimize` takes.
        grid: the values of each hyperparameter, by its name. A name that an optimizer does not have itself is looked
            for in the rule or the schedule inside it; "learning_rate" is the first rate of a schedule.
        x0: one start as `minimize` takes it, or a list of starts, one a row.
        optimizers: one rule or several, which have all hyperparameters of the grid.
        target: the value to reach.
        seeds: of everything random: the order of mini-batches, and noise.
        store: the path of an SQLite file that the results are kept in as they come. Runs that it has are not made
            again, so an interrupted sweep goes on where it was, a larger one begins with what is there, and several
            processes with the same sweep share its runs.
        engine: as in `minimize`; a `Cluster` spreads the runs over its workers.
        max_steps, gradient, progress: as in `minimize`.

    Returns:
        The runs. After Ctrl-C those made so far.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.

    >>> from fallline import GradientDescent
    >>> runs = sweep("x**2/2", {"learning_rate": [0.5, 1.9, 2.0, 2.1]}, 1.0, GradientDescent(), max_steps=500)
    >>> [NAMES[place] for place in runs.outcome.ravel()]
    ['converged', 'converged', 'oscillating', 'diverged']
    >>> runs.best(1)[0].settings["learning_rate"]
    0.5
    """
    seeds = _several(seeds, "seeds")
    for name, number, allowed in (
        ("max_steps", max_steps, Range(1, whole=True)),
        ("target", 0.0 if target is None else target, Range()),
        *(("seeds", seed, Range(0, whole=True)) for seed in seeds),
    ):
        if not (np.ndim(number) == 0 and allowed.allows(number)):
            raise FalllineError(f"{name} is {shortened(number)}; it must be {allowed}")
    starts = starts_of(x0)
    length = len(starts[0]) if isinstance(starts[0], Sequence | np.ndarray) else None
    of = with_gradient(as_objective(objective, length), gradient)
    places = np.array([one_point(of, start, "x0") for start in starts])
    if isinstance(optimizers, str) or not isinstance(optimizers, Iterable):
        optimizers = [optimizers]
    rules = [rule_of(rule) for rule in optimizers]
    if not rules:
        raise FalllineError("optimizers is empty; give at least one")
    if not isinstance(grid, Mapping):
        raise FalllineError(f"grid is {shortened(grid)}; it must give the values of each hyperparameter, by its name")
    for name in grid:
        if name in OTHER_FACTORS:
            raise FalllineError(f"grid names {name!r}, which is no hyperparameter; give it as an argument of its own")
    values = {name: tuple(_several(given, f"grid: {name}")) for name, given in grid.items()}
    for rule, (name, given) in itertools.product(rules, values.items()):
        for value in given:
            with_settings(rule, {name: value})
            if _may_be_array(rule, name) and (isinstance(value, Schedule | LineSearch) or np.ndim(value)):
                raise FalllineError(f"grid: {name} has {shortened(value)}; each of its values must be one number")
    factors = {
        "optimizer": tuple(_label(rule, values) for rule in rules),
        **values,
        "start": tuple(tuple(place) for place in places.tolist()),
        "seed": tuple(int(seed) for seed in seeds),
    }
    for name, given in factors.items():
        twice = next((value for value, count in Counter(map(repr, given)).items() if count > 1), None)
        if twice:
            raise FalllineError(f"{OTHER_FACTORS.get(name, f'grid: {name}')} has {twice} twice; give each once")
    shape = tuple(len(given) for given in factors.values())
    found = Sweep(
        title=of.title,
        names=of.names,
        target=target,
        max_steps=int(max_steps),
        factors=factors,
        outcome=np.full(shape, NOT_RUN, np.int8),
        steps=np.zeros(shape, np.int64),
        value=np.full(shape, np.nan),
        x=np.full((*shape, of.dimension), np.nan),
    )
    with _making(engine) as (make, workers), progress_bar(len(found), "runs", shown=progress) as report:
        portions = _portions(found, of, rules, workers)
        try:
            made = make((portion, portion.problem) for portion in portions)
            for portion, results in made if store is None else _kept(store, portions, make, of, gradient):
                # The outcome last: with it a run is made.
                for name, part in reversed(results._asdict().items()):
                    getattr(found, name)[portion.places] = part
                report(int(np.count_nonzero(found.outcome != NOT_RUN)))
        except KeyboardInterrupt:
            if (found.outcome == NOT_RUN).all():
                raise
    return found


class Results(NamedTuple):
    """How k runs ended: as the arrays of a `Sweep`, shape (k,) and for x (k, n)."""

    outcome: npt.NDArray[np.int8]
    steps: npt.NDArray[np.int64]
    value: FloatArray
    x: FloatArray


@dataclass(frozen=True)
class Portion:
    """Some runs of a sweep that are made together.

    Attributes:
        places: the place of each run among the sweep's factors, one array of shape (k,) a factor.
        problem: the runs.
        own: what tells them apart: each run's value of each factor but the optimizer.
    """

    places: tuple[npt.NDArray[np.int64], ...]
    problem: Problem
    own: tuple[Mapping[str, Any], ...]

    def only(self, chosen: BoolArray) -> Portion:
        """The chosen ones of the runs."""
        own = tuple(itertools.compress(self.own, chosen))
        return dataclasses.replace(
            self, places=tuple(place[chosen] for place in self.places), problem=_only(self.problem, chosen), own=own
        )


def results_of(problem: Problem, engine: str) -> Results:
    """Make the runs of a portion.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    found = ends(problem, engine)
    if found.ended_by("interrupted").any():
        raise KeyboardInterrupt
    outcome = np.full(len(found), NAMES.index("stuck"), np.int8)
    has_target = any(isinstance(condition, Target) for condition in problem.conditions)
    rested = found.converged | found.ended_by("no lower value")
    outcome[found.ended_by("target reached") if has_target else rested] = NAMES.index("converged")
    outcome[found.ended_by("not finite") | found.ended_by("diverging")] = NAMES.index("diverged")
    limited = found.ended_by("step limit")
    if limited.any():
        values = np.column_stack([found.marks, found.value])[limited]
        outcome[limited] = _under_way(values, problem.objective, problem.starts[limited])
    return Results(outcome, found.steps, found.value, found.x)


def _quarters(max_steps: int) -> tuple[int, ...]:
    """The steps at which the quarters of the second half begin, as far as there are so many."""
    return tuple(sorted({-(-max_steps * eighth // 8) for eighth in range(4, 8)} - {max_steps}))


def _under_way(values: FloatArray, objective: Objective, starts: FloatArray) -> npt.NDArray[np.int8]:
    """The outcomes of runs that used up their steps, by their values at the marks and at the end, shape (k, m + 1)."""
    change = np.diff(values)
    falling, rising = (change < 0).all(axis=1), (change > 0).all(axis=1)
    with np.errstate(all="ignore"):
        rising &= values[:, -1] > objective.value(starts)
    names = [NAMES.index(name) for name in ("slow", "diverged", "oscillating")]
    return np.select([falling, rising], names[:2], names[2]).astype(np.int8)


def _only(problem: Problem, chosen: BoolArray) -> Problem:
    return dataclasses.replace(problem, starts=problem.starts[chosen], optimizer=entries(problem.optimizer, chosen))


def _most_together(found: Sweep, objective: Objective, rule: Optimizer[Any], workers: int) -> int:
    """How many runs of a rule are made together, in this process or by each of so many workers of one thread."""
    most = _OTHER_RUNS
    # A line search goes run by run, in Python.
    if "formula" in (objective.recipe() or {}) and not isinstance(rule.learning_rate, LineSearch):
        most = min((1 if workers else threads()) * _FORMULA_STEPS // found.max_steps, _MOST_RUNS)
    if workers:
        most = min(most, len(found) // (_PORTIONS_A_WORKER * workers))
    return max(1, most)


def _portions(found: Sweep, objective: Objective, rules: Sequence[Optimizer[Any]], workers: int) -> Iterator[Portion]:
    """The runs of a sweep: of each rule those together that can be a batch, but not too many."""
    names, values = list(found.factors), list(found.factors.values())
    grid = names[1:-2]
    starts = np.array(found.factors["start"])
    stop = StepSize() | Diverging()
    stop = stop if found.target is None else Target(found.target) | stop
    for number, rule in enumerate(rules):
        most = _most_together(found, objective, rule, workers)
        batched = [name for name in grid if _may_be_array(rule, name)]
        # The factors whose values are the same in all runs of a portion come first.
        alone = [axis for axis, name in enumerate(names) if name not in (*batched, "start", "optimizer")]
        together = [axis for axis, name in enumerate(names) if name in (*batched, "start")]
        for fixed in itertools.product(*(range(len(values[axis])) for axis in alone)):
            shared = {names[axis]: values[axis][i] for axis, i in zip(alone, fixed, strict=True)}
            seed = shared.pop("seed")
            seeded = shared | ({"seed": seed} if has_setting(rule, "seed") else {})
            size = [len(values[axis]) for axis in together]
            for runs in _dealt(int(np.prod(size[:-1])), len(starts), most):
                places: list[Any] = [np.full(len(runs), number)] * len(names)
                for axis, i in zip(alone, fixed, strict=True):
                    places[axis] = np.full(len(runs), i)
                for axis, place in zip(together, np.unravel_index(runs, size), strict=True):
                    places[axis] = place
                columns = {
                    name: np.array(found.factors[name], float)[places[names.index(name)], None] for name in batched
                }
                yield Portion(
                    places=tuple(places),
                    problem=Problem(
                        objective=objective,
                        starts=starts[places[-2]],
                        optimizer=with_settings(rule, seeded | columns),
                        max_steps=found.max_steps,
                        conditions=conditions(stop),
                        record=Record(every=None, at=_quarters(found.max_steps)),
                        seed=seed,
                        callback=None,
                    ),
                    own=tuple(
                        {names[axis]: values[axis][place[run]] for axis, place in enumerate(places) if axis}
                        for run in range(len(runs))
                    ),
                )


# Makes the runs of each problem, and gives them, in any order, with the thing that stood beside it.
Making: TypeAlias = Callable[[Iterable[tuple[Any, Problem]]], Iterator[tuple[Any, Results]]]


@contextlib.contextmanager
def _making(engine: Engine) -> Iterator[tuple[Making, int]]:
    """What makes runs, and how many workers: this process, 0, or those of a cluster while the `with` block lasts."""
    if isinstance(engine, Cluster):
        with engine.opened() as workers:
            yield functools.partial(workers.each, functools.partial(results_of, engine="auto")), workers.threads
    else:
        yield lambda work: ((portion, results_of(problem, engine)) for portion, problem in work), 0


def _kept(
    path: str | os.PathLike[str], portions: Iterable[Portion], make: Making, objective: Objective, gradient: Any
) -> Iterator[tuple[Portion, Results]]:
    """The results from the store, and those that it lacked, which it then has; what others work on comes last."""
    if objective.recipe() is None or not isinstance(gradient, str | Perturbation):
        what = objective.title if objective.recipe() is None else "the gradient"
        raise FalllineError(
            f"store is {os.fspath(path)!r}, but results of {what} cannot be kept: it is a Python function, and one "
            "cannot be told from another"
        )
    with Store(path) as store:
        claims: set[str] = set()
        others: list[Portion] = []
        found: list[tuple[Portion, Results]] = []

        def lacking(portions: Iterable[Portion], free: bool) -> Iterator[tuple[Any, Problem]]:
            """The runs that the store lacks when it is their turn; results that it has go to `found`."""
            for portion in portions:
                problem, runs = _fingerprints(portion, gradient)
                claim = next(iter(runs))
                if free and len(store.found(list(runs))) < len(runs):
                    if not store.claim(claim):
                        others.append(portion)
                        continue
                    claims.add(claim)
                known = store.found(list(runs))
                there = np.array([run in known for run in runs])
                if there.any():
                    found.append((portion.only(there), _results([known[run] for run in runs if run in known])))
                if there.all():
                    claims.discard(claim)
                    store.release(claim)
                else:
                    left = portion.only(~there)
                    yield (left, problem, {run: runs[run] for run in runs if run not in known}, claim), left.problem

        try:
            # What others have claimed and not finished, they may have been killed over.
            for some, free in ((portions, True), (others, False)):
                for (portion, problem, runs, claim), results in make(lacking(some, free)):
                    store.add(problem, runs, _rows(results))
                    claims.discard(claim)
                    store.release(claim)
                    yield portion, results
                    yield from _taken(found)
                yield from _taken(found)
        except WorkersLost as error:
            raise WorkersLost(f"{error}; store {os.fspath(path)!r} keeps what is done") from None
        finally:
            for claim in claims:
                store.release(claim)


def _taken(items: list[Item]) -> Iterator[Item]:
    """The items, out of the list."""
    while items:
        yield items.pop()


def _rows(results: Results) -> list[Row]:
    """Results as the store keeps them."""
    return [
        Row(NAMES[outcome], steps, value, x)
        for outcome, steps, value, x in zip(*(part.tolist() for part in results), strict=True)
    ]


def _results(rows: Iterable[Row]) -> Results:
    """Results that the store has kept."""
    outcome, steps, value, x = zip(*rows, strict=True)
    return Results(
        np.array([NAMES.index(name) for name in outcome], np.int8),
        np.array(steps, np.int64),
        np.array(value, float),
        np.array(x, float),
    )


def _dealt(settings: int, starts: int, most: int) -> Iterator[npt.NDArray[np.int64]]:
    """The numbers of all runs, dealt out in portions that take about equally long, a setting's starts together.

    Neighbours among the settings may all be slow, so chance deals, always alike.
    """
    order = np.random.default_rng(0).permutation(settings)
    for dealt in np.array_split(order, -(-settings // max(1, most // starts))):
        runs = (np.sort(dealt)[:, None] * starts + np.arange(starts)).ravel()
        yield from (runs[first : first + most] for first in range(0, len(runs), most))


def _fingerprints(portion: Portion, gradient: Any) -> tuple[str, dict[str, Mapping[str, Any]]]:
    """What the runs of a portion have in common, as text, and each one's own settings by its fingerprint."""
    problem = portion.problem
    common = {
        "objective": problem.objective.recipe(),
        "gradient": encode(gradient),
        "optimizer": _without_arrays(encode(problem.optimizer)),
        "max_steps": problem.max_steps,
        "stop": encode(problem.conditions),
    }
    text = json.dumps(common, sort_keys=True)
    return text, {fingerprint(text, own): own for own in portion.own}


def _without_arrays(recipe: Any) -> Any:
    """The recipe of a rule without the settings that differ from run to run."""
    if isinstance(recipe, dict):
        return {name: _without_arrays(part) for name, part in recipe.items()}
    return None if isinstance(recipe, list) and recipe and isinstance(recipe[0], list) else recipe


def _may_be_array(rule: Optimizer[Any], name: str) -> bool:
    """Whether one rule can have many values of it, run by run: it is a number that enters the formula."""
    known = setting_of(rule, name)[1]
    return known is not None and known.symbol is not None and not known.range.whole


def _label(rule: Optimizer[Any], grid: Iterable[str]) -> str:
    """The rule in a few words, without what the grid says."""
    name, *words = rule.label.split(", ")
    return ", ".join([name, *(word for word in words if word.partition(" ")[0] not in tuple(grid))])


def _several(given: Any, parameter: str) -> Sequence[Any]:
    """The numbers or texts of a list, an array or a range."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise FalllineError(f"{parameter} is {shortened(given)}; it must be a list of values, one at least")
    return [value.item() if isinstance(value, np.generic) else value for value in given]
