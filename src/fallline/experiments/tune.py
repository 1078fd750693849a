"""tune(): a search for the best hyperparameters, for spaces too large for a grid."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.arguments import Rule, length_of, prepared, rule_of, starts_of
from fallline.arrays import FloatArray
from fallline.engines import Engine
from fallline.errors import FalllineError, shortened
from fallline.experiments.sweep import sweep
from fallline.hyperparameters import Hyperparameter, Range
from fallline.objectives import as_objective
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import setting_of, with_settings
from fallline.progress import progress_bar
from fallline.results.sweep import Sweep
from fallline.results.tuning import Trial, Tuning
from fallline.slips import in_our_words
from fallline.stopping import StoppingCondition

if TYPE_CHECKING:
    import optuna

# Search ranges as ratios: how far from its default a number without bounds is searched, in both directions, and how
# near to an exclusive bound.
_FARTHEST, _NEAREST = 1e3, 1e-4


@dataclass(frozen=True)
class Interval:
    """The numbers that are tried for a hyperparameter.

    Attributes:
        low: the smallest.
        high: the largest.
        log: whether distances from `origin` are sampled on a log scale.
        origin: 0, or 1 for a momentum, whose effect depends on its distance from 1.
        whole: whether only whole numbers are tried.
    """

    low: float
    high: float
    log: bool = False
    origin: float = 0.0
    whole: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.low, Real) and isinstance(self.high, Real)):
            raise FalllineError(
                "space", problem=f"has {shortened((self.low, self.high))}", allowed="a pair must be of numbers"
            )
        if not (Range().allows([self.low, self.high]) and self.low < self.high):
            raise FalllineError(str(self), problem="needs two finite numbers, the lower one first", of="space")
        if self.log and self.low <= self.origin <= self.high:
            raise FalllineError(
                str(self), problem=f"holds {self.origin:g}, from which even ratios never part", of="space"
            )

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}{':log' if self.log else ''}"

    @classmethod
    def of(cls, name: str, known: Hyperparameter | None, value: Any) -> Interval:
        """The interval suggested by a hyperparameter's range and current value.

        Raises:
            FalllineError: when these do not suggest one.

        >>> from fallline.hyperparameters import hyperparameters
        >>> from fallline import Momentum
        >>> known = hyperparameters(Momentum)
        >>> Interval.of("learning_rate", known["learning_rate"], 0.01)
        Interval(low=1e-05, high=10.0, log=True, origin=0.0, whole=False)
        >>> Interval.of("momentum", known["momentum"], 0.9)
        Interval(low=0, high=0.9999, log=True, origin=1, whole=False)
        """
        if known is not None and isinstance(value, int | float) and not isinstance(value, bool):
            allowed = known.range
            bounded = np.isfinite([allowed.low, allowed.high]).all()
            gap = _NEAREST * ((allowed.high if bounded else value) - allowed.low)
            low = allowed.low + gap if allowed.low_open else allowed.low
            if bounded and allowed.high_open and not allowed.whole:
                return cls(low, allowed.high - gap, log=True, origin=allowed.high)
            if bounded:
                return cls(low, allowed.high, whole=allowed.whole)
            if value > 0 and allowed.whole:
                return cls(max(allowed.low, 1), 10 * value, whole=True)
            if value > 0:
                return cls(max(low, value / _FARTHEST), min(allowed.high, value * _FARTHEST), log=True)
        raise FalllineError(
            "space", problem=f"gives no values for {name}, whose range and default say too little", allowed="give them"
        )

    def suggested(self, name: str, trial: optuna.Trial) -> float:
        """The number that Optuna suggests for a trial."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high))
        if not self.log:
            return trial.suggest_float(name, self.low, self.high)
        near, far = sorted((abs(self.low - self.origin), abs(self.high - self.origin)))
        distance = trial.suggest_float(name, near, far, log=True)
        return self.origin + distance if self.low > self.origin else self.origin - distance


@in_our_words
def tune(
    objective: Any,
    x0: Any,
    optimizer: Rule,
    space: Mapping[str, Any] | Sequence[str],
    *,
    trials: int = 50,
    max_steps: int = 1000,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    seed: int = 0,
    seeds: Sequence[int] | None = None,
    gradient: Any = "auto",
    engine: Engine = "auto",
    device: str | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Tuning:
    """Search for the best hyperparameters of a rule on an objective, by Optuna's TPE sampler.

    Bergstra, Bardenet, Bengio and Kégl (2011), Algorithms for hyper-parameter optimization. A trial is a sweep of one
    setting over all starts and seeds. Its score is the mean of the final values or, with a target, of the steps taken
    to reach it: a run that does not reach it counts as `max_steps`, and as `max_steps` again times the share of the way
    that is left. A setting with which a run diverges is reported to the sampler as pruned.

    Arguments:
        objective: what `minimize` takes.
        x0: one start as `minimize` takes it, or a list of starts, one per row.
        optimizer: the rule; hyperparameters that are not in the space keep their values.
        space: the values to try for each hyperparameter, by its name: an `Interval`, a pair (low, high), a list of
            values, or None for an interval from its range and the rule's current value; or a list of names, which means
            None for each.
        trials: the number of settings to try.
        stop: as in `sweep`.
        seed: the seed of everything random, including the search: the same call makes the same trials.
        seeds: the seeds of everything random in the runs; every run is made with each. None: `seed` alone.
        store: the path of an SQLite file, as for `sweep`: a repeated search makes no run twice, so an interrupted one
            continues.
        max_steps, target, gradient, engine, device, progress: as in `minimize`.

    Returns:
        The trials; after Ctrl-C, those made so far.

    Raises:
        FalllineError: naming what is wrong, its value and what is allowed; or when Optuna is missing.

    >>> found = tune("x**2/2", 1.0, "gradient_descent", ["learning_rate"], target=1e-6, trials=20)
    >>> found.best.steps < 20
    True
    """
    rule = rule_of(optimizer)
    values = _space(rule, space)
    starts = starts_of(x0)
    objective = as_objective(objective, length_of(starts[0]))
    of, points = prepared(objective, starts, gradient)
    common: dict[str, Any] = {"max_steps": max_steps, "stop": stop, "target": target, "gradient": gradient}
    common |= {"engine": engine, "device": device, "store": store, "seeds": [seed] if seeds is None else seeds}
    swept = functools.partial(sweep, objective, points, rule, **common)
    with np.errstate(all="ignore"):
        made = _trials(values, swept, of.value(points), trials, seed, progress)
    best = with_settings(rule, min(made, key=lambda trial: trial.score).settings)
    return Tuning(of.title, rule.label, target, tuple(made), best, len(made) == trials, of.gradient_kind or "none")


def _trials(
    values: Mapping[str, Interval | Sequence[Any]],
    swept: Callable[..., Sweep],
    worst: FloatArray,
    trials: int,
    seed: int,
    progress: bool,
) -> list[Trial]:
    """The trials of a search; after Ctrl-C those made so far.

    Arguments:
        values: the values to try for each hyperparameter.
        swept: runs the sweep of a grid.
        worst: the value at each start.
    """
    try:
        import optuna
    except ImportError:
        raise FalllineError(problem='tune needs Optuna: pip install "fallline[tune]"') from None
    # NumPy's legacy generator, which Optuna uses, takes no larger seed.
    for name, number, allowed in (
        ("trials", trials, Range(1, whole=True)),
        ("seed", seed, Range(0, 2**32 - 1, whole=True)),
    ):
        if not (np.ndim(number) == 0 and allowed.allows(number)):
            raise FalllineError(name, number, f"it must be {allowed}")
    made: list[Trial] = []
    with _quiet(optuna), progress_bar(trials, "trials", shown=progress) as report:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        try:
            for number in range(int(trials)):
                made.append(_trial(study, values, swept, worst))
                report(number + 1)
        except KeyboardInterrupt:
            if not made:
                raise
    return made


def _trial(
    study: optuna.Study, values: Mapping[str, Interval | Sequence[Any]], swept: Callable[..., Sweep], worst: FloatArray
) -> Trial:
    """Try the setting that the study suggests, and report its score to the study.

    Raises:
        KeyboardInterrupt: after Ctrl-C.
    """
    import optuna

    trial = study.ask()
    settings = {name: _suggested(name, given, trial) for name, given in values.items()}
    runs = swept(grid={name: [value] for name, value in settings.items()})
    if not runs.complete:
        raise KeyboardInterrupt
    score = _score(runs, worst)
    if np.isfinite(score):
        study.tell(trial, score)
    else:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    return Trial(settings, runs.best.converged, runs.best.steps, runs.best.value, score)


def _space(rule: Optimizer[Any], space: Any) -> dict[str, Interval | Sequence[Any]]:
    """The values to try for each hyperparameter."""
    if isinstance(space, str) or not isinstance(space, Mapping | Sequence) or not space:
        raise FalllineError("space", space, "it must give the values of each hyperparameter by its name, or be names")
    values: dict[str, Interval | Sequence[Any]] = {}
    for name in space:
        value, known = setting_of(rule, name)
        given = space[name] if isinstance(space, Mapping) else None
        if given is None:
            given = Interval.of(name, known, value)
        if isinstance(given, tuple) and len(given) == 2:
            given = Interval(*given, whole=known is not None and known.range.whole)
        if not isinstance(given, Interval) and (isinstance(given, str) or not isinstance(given, Sequence) or not given):
            raise FalllineError(
                name,
                given,
                of="space",
                allowed="it must be an Interval, a pair of numbers, or a list",
            )
        values[name] = given
        for tried in (given.low, given.high) if isinstance(given, Interval) else given:
            with_settings(rule, {name: tried})
    return values


def _suggested(name: str, given: Interval | Sequence[Any], trial: optuna.Trial) -> Any:
    if isinstance(given, Interval):
        return given.suggested(name, trial)
    # By index: Optuna's categorical choices are restricted to numbers and texts.
    return given[trial.suggest_categorical(name, range(len(given)))]


def _score(runs: Sweep, first: FloatArray) -> float:
    """The score of a trial, see `tune`; infinite if a run diverged.

    Arguments:
        first: the value at each start.
    """
    if runs.count("diverged"):
        return float(np.inf)
    if runs.target is None:
        return float(runs.value.mean())
    with np.errstate(all="ignore"):
        lacking = (runs.value - runs.target) / (first[:, None] - runs.target)
    far = runs.max_steps * (1 + np.clip(np.nan_to_num(lacking, nan=1.0), 0, 1))
    return float(np.where(runs.outcome == 0, runs.steps, far).mean())


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Suppress Optuna's log line for each study and trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
