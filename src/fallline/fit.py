"""fit(): a model fitted to a file or table of data, by a descent that needs no tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import Standardization, Table, TableLike, number_array, read_table
from fallline.errors import FalllineError, nearest, shortened
from fallline.minimize import minimize
from fallline.models import MODELS, LinearFamily, Logistic
from fallline.models.base import Reduction
from fallline.models.batches import Order, Remainder
from fallline.optimizers import GradientDescent, Momentum, Nesterov, Optimizer, optimizer_from_name
from fallline.stopping import GradientNorm, NotFinite, StoppingCondition
from fallline.trajectory import Point, Record, Trajectory

# A mean gradient on standardised data is known to about 1e-16; this leaves room above that.
SMALL_GRADIENT = 1e-10

# A loss that has risen by no more than this part of itself has not risen.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Attributes:
        trajectory: the descent; its coordinates belong to standardised features, unless there is no
            `standardization`.
        model: the loss that was minimised, with the data as the descent saw them.
        features: the names of the features, in the order of the weights.
        target: the name of the target.
        standardization: how the features were put on a common scale; None if they were left as they are.
        classes: the entries of the target that became 0 and 1; None if it was numbers from the first.
        notes: what a reader of the result must know, one sentence each.
    """

    trajectory: Trajectory = field(repr=False)
    model: LinearFamily = field(repr=False)
    features: tuple[str, ...]
    target: str
    standardization: Standardization | None
    classes: tuple[str, str] | None
    notes: tuple[str, ...]

    @property
    def parameters(self) -> dict[str, float]:
        """Where the run ended, in the data's own units: the weight of each feature, and "intercept"."""
        return dict(zip((*self.features, "intercept"), self._coordinates().tolist(), strict=True))

    @property
    def value(self) -> float:
        """The loss where the run ended, over all rows."""
        return self.trajectory.final.value

    def predict(self, data: TableLike) -> FloatArray:
        """The model's answer for each row, between 0 and 1; for classes, the probability of the second.

        Arguments:
            data: what `fit` takes; an array has one column for each feature, in their order.

        Raises:
            FalllineError: when a feature is missing, or one of its entries is no finite number.
        """
        X = read_table(data, names=self.features).matrix(self.features)
        return self.model.predict(X, self._coordinates())

    def _coordinates(self) -> FloatArray:
        x = self.trajectory.final.x
        return x if self.standardization is None else self.standardization.own_units(x)


def fit(
    data: TableLike,
    target: str | npt.ArrayLike,
    *,
    features: Sequence[str] | str | None = None,
    model: str = "logistic",
    optimizer: Optimizer[Any] | str | None = None,
    x0: npt.ArrayLike | None = None,
    standardize: bool = True,
    reduction: Reduction = "mean",
    batch_size: int | None = None,
    batch_order: Order = "shuffled",
    batch_remainder: Remainder = "keep",
    max_steps: int = 10_000,
    stop: StoppingCondition | None = None,
    seed: int = 0,
    engine: str = "auto",
    record: str | int | Record = "all",
    callback: Callable[[Point], object] | None = None,
    progress: bool = False,
) -> Fit:
    """Fit a model to data by gradient descent.

    Arguments:
        data: the path of a CSV file with a header, a data frame, a mapping of columns, or an array.
        target: the name of the column to be predicted, or its values.
        features: the names of the columns to predict it from; all others if not given.
        model: "logistic" (the target holds two classes) or "sigmoid" (numbers between 0 and 1).
        optimizer: a rule with its rate, or the name of one. Gradient descent and momentum by name get a rate
            with which they converge on any data, made from the loss's smoothness; other rules their own
            default. Without one: Nesterov momentum, or for batches plain gradient descent.
        x0: where to start, in the data's own units: the weight of each feature, then the intercept. Zeros
            if not given.
        standardize: descend on features of mean 0 and standard deviation 1. The fit is the same in the end,
            the way there much shorter. Parameters are reported in the data's own units all the same.
        reduction: "mean" or "sum" over the rows.
        batch_size: rows a step; all rows if not given.
        batch_order: "shuffled" anew each epoch, or "sequential".
        batch_remainder: whether to "keep" or "drop" the rows left over after the last whole batch.
        max_steps, seed, engine, record, callback, progress: as in `minimize`.
        stop: what ends the run. If not given: a gradient of almost zero, and for batches only the step limit.

    Returns:
        The fit, with what must be known of it in `notes`.

    Raises:
        FalllineError: when the data cannot be used, naming the file, the row and the column.

    >>> data = {"hours": [1, 2, 3, 4, 5, 6], "passed": ["no", "no", "yes", "no", "yes", "yes"]}
    >>> fitted = fit(data, "passed")
    >>> fitted.classes
    ('no', 'yes')
    >>> bool(fitted.parameters["hours"] > 0)
    True
    """
    if model not in MODELS:
        raise FalllineError(f"model is {model!r}; {nearest(str(model), MODELS)}")
    table, target = _with_target(data, target)
    names = _feature_names(table, target, features)
    notes = []

    X = table.matrix(names)
    classes = None
    if MODELS[model] is Logistic or table.is_text(target, "target"):
        y, classes = table.two_classes(target, "target")
        if classes != ("0", "1"):
            notes.append(f"target {target!r}: {classes[0]} is 0, {classes[1]} is 1")
    else:
        y = table.numbers(target, "target")
        _check_unit_interval(table, target, y)
    standardization = Standardization.of(X, names) if standardize else None
    loss = MODELS[model](X if standardization is None else standardization.apply(X), y, reduction, names)

    objective = loss if batch_size is None else loss.batches(batch_size, order=batch_order, remainder=batch_remainder)
    rule, why = _rule(optimizer, loss, batch_size)
    notes.append(why)
    if stop is None:
        smallest = SMALL_GRADIENT * (loss.rows if reduction == "sum" else 1)
        stop = GradientNorm(smallest) if batch_size is None else NotFinite()
    trajectory = minimize(
        objective,
        _start(x0, names, standardization),
        rule,
        max_steps=max_steps,
        stop=stop,
        seed=seed,
        engine=engine,
        record=record,
        callback=callback,
        progress=progress,
    )
    notes.extend(_warnings(trajectory, loss, batch_size))
    return Fit(trajectory, loss, names, target, standardization, classes, tuple(notes))


def _with_target(data: TableLike, target: str | npt.ArrayLike) -> tuple[Table, str]:
    """The table with the target among its columns, and the target's name."""
    table = read_table(data)
    if isinstance(target, str):
        table.entries(target, "target")
        return table, target
    values = read_table({"target": target}, "target")
    if values.rows != table.rows:
        raise FalllineError(f"target has {values.rows} values, but {table.source} has {table.rows} rows")
    if "target" in table.columns:
        raise FalllineError(f"target is given by its values, but {table.source} has a column 'target'; give its name")
    return Table(table.source, table.columns | values.columns, table.lines), "target"


def _feature_names(table: Table, target: str, features: Sequence[str] | str | None) -> tuple[str, ...]:
    if features is None:
        names = tuple(name for name in table.columns if name != target)
    elif isinstance(features, str | Sequence):
        names = (features,) if isinstance(features, str) else tuple(str(name) for name in features)
    else:
        raise FalllineError(f"features is {shortened(features)}; it must be the names of columns")
    for name in names:
        table.entries(name, "features")
    if not names:
        raise FalllineError(f"features is empty: {table.source} needs a column beside the target {target!r}")
    if target in names:
        raise FalllineError(f"features has {target!r}, which is the target; leave it out")
    if len(set(names)) != len(names):
        raise FalllineError(f"features is {', '.join(names)}; each may be named once")
    if "intercept" in names:
        raise FalllineError(
            "features has 'intercept', which every model has of its own; rename or leave out the column"
        )
    return names


def _check_unit_interval(table: Table, target: str, y: FloatArray) -> None:
    outside = np.flatnonzero((y < 0) | (y > 1))
    if outside.size:
        raise table.error_at(
            int(outside[0]),
            target,
            f"is {y[outside[0]]:g}; the targets of a sigmoid neuron lie between 0 and 1",
        )


def _start(x0: npt.ArrayLike | None, features: Sequence[str], standardization: Standardization | None) -> FloatArray:
    if x0 is None:
        return np.zeros(len(features) + 1)
    start = number_array(x0, "x0")
    if start.shape != (len(features) + 1,):
        raise FalllineError(
            f"x0 has the shape {start.shape}; it needs {len(features) + 1} numbers: "
            f"the weights of {', '.join(features)}, then the intercept"
        )
    return start if standardization is None else standardization.standardised(start)


def _rule(
    optimizer: Optimizer[Any] | str | None, loss: LinearFamily, batch_size: int | None
) -> tuple[Optimizer[Any], str]:
    """The rule to run, and the sentence that says where its rate is from."""
    if isinstance(optimizer, Optimizer):
        return optimizer, f"optimizer: {optimizer.label}, as given"
    if not (optimizer is None or isinstance(optimizer, str)):
        raise FalllineError(
            f"optimizer is {shortened(optimizer)}; it must be an update rule such as Adam(0.1), or a name"
        )
    usual = "nesterov" if batch_size is None else "gradient_descent"
    name = usual if optimizer is None else optimizer
    rule = optimizer_from_name(name)
    longest = 1 / loss.smoothness(batch_size)
    settings: dict[str, float]
    # At the rate 1/L Nesterov's step d' after a step d has f(x') ≤ f(x) + L/2 (|γ d|² - |d'|²) where f is
    # convex, so f + L/2 |d|² only falls, for any γ < 1. Where f is not, |γ d|² counts twice: γ² ≤ 1/2.
    if isinstance(rule, Nesterov):
        settings, source = {"learning_rate": longest, "momentum": 0.9 if loss.convex else 0.7}, "1/L"
    # Half the bound of Ochs, Chen, Brox and Pock (2014), iPiano, for any smooth loss.
    elif isinstance(rule, Momentum):
        settings, source = {"learning_rate": (1 - rule.momentum) * longest}, "(1 - momentum)/L"
    elif isinstance(rule, GradientDescent):
        settings, source = {"learning_rate": longest}, "1/L"
    else:
        return rule, f"optimizer: {rule.label}, the rule's own defaults"
    chosen = optimizer_from_name(name, **settings)
    return chosen, f"optimizer: {chosen.label}; the rate is {source}, L the loss's largest curvature"


def _warnings(trajectory: Trajectory, loss: LinearFamily, batch_size: int | None) -> list[str]:
    """What is wrong with the place where the run ended."""
    if isinstance(loss, Logistic) and loss.separates(trajectory.final.x):
        return [
            "the features separate the two classes perfectly, so no best parameters exist: they grow without "
            f"limit, and are reported where the run ended ({trajectory.stop.message})"
        ]
    warnings = []
    if not (trajectory.stop.converged or (batch_size is not None and trajectory.stop.reason == "step limit")):
        warnings.append(f"the run ended before it converged: {trajectory.stop.message}")
    start, end = trajectory.start.value, trajectory.final.value
    if end > start * (1 + ROUNDING):
        warnings.append(f"the loss rose from {start:g} to {end:g}: the learning rate is too large")
    return warnings
