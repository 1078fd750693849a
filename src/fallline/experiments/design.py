"""The design of a sweep: every combination of its factors' values, in portions that are run together."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arguments import rules_of
from fallline.arrays import BoolArray, FloatArray
from fallline.engines import Problem
from fallline.engines.per_run import entries
from fallline.errors import FalllineError, shortened
from fallline.line_search import LineSearch
from fallline.machine_code.threads import threads
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import has_setting, setting_of, with_settings
from fallline.results.lazy import Lazy
from fallline.results.trajectory import Record
from fallline.schedules import Schedule
from fallline.stopping import StoppingCondition

# The factors of a sweep other than hyperparameters, and the argument that gives each.
OTHER_FACTORS = {"optimizer": "optimizers", "start": "x0", "seed": "seeds"}
# The size of a portion, which is stored at once: for a formula so many steps per thread, about a second of them, since
# the last runs of each portion leave vector registers half empty; for a function that JAX compiles, and for anything
# else, so many runs. The most runs limit memory. A cluster gets several portions per worker, so that all stay busy to
# the end.
_FORMULA_STEPS, _AUTODIFF_RUNS, _OTHER_RUNS, _MOST_RUNS, _PORTIONS_A_WORKER = 256_000_000, 1 << 10, 64, 1 << 17, 4
# The largest seed that fits into an int64 column.
_MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Portion:
    """Some runs of a sweep that are run together.

    Attributes:
        places: the index of each run along each of the sweep's factors, one array of shape (k,) per factor.
        problem: the runs.
        shared: the values of the factors that are the same in all runs, without the optimizer.
        own: the values of the factors that differ, one array of k rows per factor.
    """

    places: tuple[npt.NDArray[np.int64], ...]
    problem: Problem
    shared: Mapping[str, Any]
    own: Mapping[str, npt.NDArray[Any]]

    def only(self, chosen: BoolArray) -> Portion:
        """The runs selected by a mask of shape (k,)."""
        problem = dataclasses.replace(
            self.problem,
            starts=self.problem.starts[chosen],
            optimizer=entries(self.problem.optimizer, chosen),
        )
        return dataclasses.replace(
            self,
            places=tuple(place[chosen] for place in self.places),
            problem=problem,
            own={name: column[chosen] for name, column in self.own.items()},
        )


@dataclass(frozen=True)
class Design:
    """All runs of a sweep.

    Attributes:
        objective: what is minimised.
        rules: the optimizers.
        points: the starts, one per row.
        factors: the values of each factor by its name, as in `Sweep`.
        conditions: the stopping conditions, checked in order.
        max_steps: the limit of updates per run.
    """

    objective: Objective
    rules: Sequence[Optimizer[Any]]
    points: FloatArray
    factors: Mapping[str, Sequence[Any]]
    conditions: tuple[StoppingCondition, ...]
    max_steps: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each factor."""
        return tuple(len(values) for values in self.factors.values())

    def portions(self, workers: int) -> Iterator[Portion]:
        """The runs, rule by rule, in portions of those that can be one batch, of limited size.

        Arguments:
            workers: the number of workers, of one thread each, that run the portions; 0 for this process.
        """
        for number, rule in enumerate(self.rules):
            # The factors whose values are the same in all runs of a portion, and the others.
            names = [name for name in self.factors if name != "optimizer"]
            alone = [name for name in names if not self._in_columns(rule, name)]
            together = [name for name in names if name not in alone]
            size = [len(self.factors[name]) for name in together]
            settings = [name for name in together if name not in OTHER_FACTORS]
            deal = functools.partial(
                _dealt,
                math.prod(size[: len(settings)]),
                math.prod(size[len(settings) :]),
                self._most_together(rule, workers),
            )
            for fixed in itertools.product(*(range(len(self.factors[name])) for name in alone)):
                for runs in deal():
                    places = {"optimizer": np.full(len(runs), number)}
                    places |= {name: np.full(len(runs), place) for name, place in zip(alone, fixed, strict=True)}
                    places |= dict(zip(together, np.unravel_index(runs, size), strict=True))
                    yield self._portion(rule, alone, {name: places[name] for name in self.factors})

    def _portion(
        self, rule: Optimizer[Any], alone: Sequence[str], places: Mapping[str, npt.NDArray[np.int64]]
    ) -> Portion:
        shared = {name: self.factors[name][places[name][0]] for name in alone}
        own = {name: self._columns[name][place] for name, place in places.items() if name not in (*alone, "optimizer")}
        settings = {name: value for name, value in shared.items() if name != "seed" or has_setting(rule, "seed")}
        settings |= {name: column[:, None] for name, column in own.items() if name not in OTHER_FACTORS}
        problem = Problem(
            objective=self.objective,
            starts=own["start"],
            optimizer=with_settings(rule, settings),
            max_steps=self.max_steps,
            conditions=self.conditions,
            record=Record(every=None, at=_quarters(self.max_steps)),
            seed=shared.get("seed", 0),
        )
        return Portion(tuple(places.values()), problem, shared, own)

    @functools.cached_property
    def _columns(self) -> Mapping[str, npt.NDArray[Any]]:
        """The values of the factors that may differ within a batch, as arrays."""
        columns: dict[str, npt.NDArray[Any]] = {"start": self.points}
        for name, values in self.factors.items():
            if any(self._in_columns(rule, name) for rule in self.rules) and name != "start":
                columns[name] = np.array(values, np.int64 if name == "seed" else float)
        return columns

    def _in_columns(self, rule: Optimizer[Any], name: str) -> bool:
        """Whether runs of one batch may differ in a factor."""
        if name == "seed":
            chance = self.objective.stochastic or has_setting(rule, "seed")
            return not chance and max(self.factors[name]) <= _MOST_SEED
        return name == "start" or (name != "optimizer" and _may_be_array(rule, name))

    def _most_together(self, rule: Optimizer[Any], workers: int) -> int:
        """The most runs of a rule in one portion."""
        most = _AUTODIFF_RUNS if (self.objective.gradient_kind or "").startswith("autodiff") else _OTHER_RUNS
        if "formula" in (self.objective.recipe() or {}):
            most = min((1 if workers else threads()) * _FORMULA_STEPS // self.max_steps, _MOST_RUNS)
        if isinstance(rule.learning_rate, LineSearch):
            # Line searches run one by one, in Python.
            most = _OTHER_RUNS
        if workers:
            most = min(most, math.prod(self.shape) // (_PORTIONS_A_WORKER * workers))
        return max(1, most)


def factors_of(
    optimizers: Any, grid: Any, points: FloatArray, seeds: Sequence[int]
) -> tuple[list[Optimizer[Any]], dict[str, Sequence[Any]]]:
    """The rules of a sweep, and the values of each factor by its name.

    Raises:
        FalllineError: naming the argument that is wrong, its value and what is allowed.
    """
    names, rules = rules_of(optimizers)
    if not isinstance(grid, Mapping):
        raise FalllineError("grid", grid, "it must give the values of each hyperparameter, by its name")
    for name in grid:
        if name in OTHER_FACTORS:
            raise FalllineError(
                "grid",
                problem=f"names {name!r}, which is no hyperparameter",
                allowed="give it as an argument of its own",
            )
    values = {name: tuple(several(given, name, of="grid")) for name, given in grid.items()}
    for rule, (name, given) in itertools.product(rules, values.items()):
        _check_values(rule, name, given)
    if not isinstance(optimizers, Mapping):
        names = [label_without(values, rule) for rule in rules]
    factors: dict[str, Sequence[Any]] = {
        "optimizer": tuple(names),
        **values,
        "start": Lazy(len(points), functools.partial(_tuples, points)),
        "seed": seeds,
    }
    for name, given in factors.items():
        twice = _repeated_row(points) if name == "start" else repeated(given)
        if twice:
            raise FalllineError(
                OTHER_FACTORS.get(name, name),
                problem=f"has {twice} twice",
                allowed="give each once",
                of="" if name in OTHER_FACTORS else "grid",
            )
    return rules, factors


def _tuples(rows: FloatArray, places: Sequence[int]) -> list[tuple[float, ...]]:
    return list(map(tuple, rows[list(places)].tolist()))


def several(given: Any, parameter: str, of: str = "") -> Sequence[Any]:
    """The numbers or texts of a list, an array or a range."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise FalllineError(parameter, given, "it must be a list of values, one at least", of=of)
    return [value.item() if isinstance(value, np.generic) else value for value in given]


def _check_values(rule: Optimizer[Any], name: str, given: Sequence[Any]) -> None:
    """Check that the rule takes these values of a hyperparameter: numbers all at once, anything else one by one."""
    numbers = _may_be_array(rule, name)
    if numbers and set(map(type, given)) <= {int, float}:
        with contextlib.suppress(FalllineError, OverflowError):
            with_settings(rule, {name: np.array(given, float)[:, None]})
            return
    for value in given:
        with_settings(rule, {name: value})
        if numbers and (isinstance(value, Schedule | LineSearch) or np.ndim(value)):
            raise FalllineError(
                name, problem=f"has {shortened(value)}", allowed="each of its values must be one number", of="grid"
            )


def repeated(values: Sequence[Any]) -> str | None:
    """A value that occurs twice, if there is one."""
    with contextlib.suppress(TypeError):  # lists and the like have no hash
        if len(set(values)) == len(values):
            return None
    return next((value for value, count in Counter(map(repr, values)).items() if count > 1), None)


def _repeated_row(rows: FloatArray) -> str | None:
    """A row that occurs twice, if there is one."""
    bits = np.ascontiguousarray(rows).view(np.int64)
    if any((np.diff(np.sort(column)) != 0).all() for column in bits.T):
        return None
    order = np.lexsort(bits.T)
    same = np.flatnonzero((np.diff(bits[order], axis=0) == 0).all(axis=1))
    return repr(tuple(rows[order[same[0]]].tolist())) if same.size else None


def _may_be_array(rule: Optimizer[Any], name: str) -> bool:
    """Whether the setting can be an array with one value per run: a real number that enters the formula."""
    known = setting_of(rule, name)[1]
    return known is not None and known.symbol is not None and not known.range.whole


def label_without(settings: Iterable[str], rule: Optimizer[Any]) -> str:
    """The rule's label, without some of its hyperparameters: those in which runs differ."""
    name, *words = rule.label.split(", ")
    return ", ".join([name, *(word for word in words if word.partition(" ")[0] not in tuple(settings))])


def _quarters(max_steps: int) -> tuple[int, ...]:
    """The steps at which the quarters of the second half begin, without duplicates."""
    return tuple(sorted({-(-max_steps * eighth // 8) for eighth in range(4, 8)} - {max_steps}))


def _dealt(settings: int, starts: int, most: int) -> Iterator[npt.NDArray[np.int64]]:
    """The indices of all runs, split into portions that take about equally long, a setting's starts together.

    Adjacent settings may all be slow, so the settings are shuffled, with a fixed seed.
    """
    order = np.random.default_rng(0).permutation(settings)
    for dealt in np.array_split(order, -(-settings // max(1, most // starts))):
        runs = (np.sort(dealt)[:, None] * starts + np.arange(starts)).ravel()
        yield from (runs[first : first + most] for first in range(0, len(runs), most))
