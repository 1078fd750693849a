"""fit(): fit a model to files or tables of data by gradient descent, without tuning."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import (
    Classes,
    Dataset,
    Preparation,
    Source,
    Split,
    Survey,
    TableLike,
    number_array,
    open_source,
    read_table,
    survey,
)
from fallline.data.preparation import Missing
from fallline.data.rows import Rows
from fallline.data.survey import Constant
from fallline.data.table import Table, table_of
from fallline.engines import Engine, is_cluster
from fallline.errors import FalllineError, Setting, Verbatim, check_whole, nearest
from fallline.fitting.choices import at_rest, chosen_rule, imbalance, warnings_about
from fallline.fitting.fitted import FittedModel, class_names, setting_names
from fallline.fitting.result import Fit, FitRows
from fallline.minimizing import minimize
from fallline.models import MODELS, Loss, Network
from fallline.models.base import Reduction, Target, WrongTarget
from fallline.models.batches import Order, Remainder
from fallline.models.streamed import StreamedBatches
from fallline.models.weights import ClassWeight, class_counts, class_weights_of
from fallline.optimizers import (
    Optimizer,
)
from fallline.progress import progress_bar
from fallline.results.trajectory import Point, Record
from fallline.slips import meant
from fallline.stopping import NotFinite, StoppingCondition

# Other names of the linear model, and the penalty that each requires.
PENALISED = {"ridge": "l2", "lasso": "l1"}

# Inputs from files that would take more bytes of memory than this are streamed: read again in every pass.
STREAMED_ABOVE = 2**28

# The default number of steps, or of epochs with batches.
USUAL_STEPS = 10_000


Arguments = ParamSpec("Arguments")


def _with_its_call(function: Callable[Arguments, Fit]) -> Callable[Arguments, Fit]:
    """The function, which leaves in each fit how to repeat it, and of data in files the arguments that it was given."""

    @functools.wraps(function)
    def called(*arguments: Arguments.args, **settings: Arguments.kwargs) -> Fit:
        fitted = function(*arguments, **settings)
        given = inspect.signature(function).bind(*arguments, **settings).arguments
        given |= given.pop("settings", {})
        in_files = isinstance(given["data"], str | os.PathLike)
        # Whoever repeats it watches nothing and saves nothing.
        quiet = dict.fromkeys(("callback", "checkpoint", "check")) | {"progress": False}
        repeat = functools.partial(called, **{**given, **quiet})
        return dataclasses.replace(fitted, repeat=repeat, arguments=given if in_files else {})

    return called


@_with_its_call
def fit(
    data: TableLike,
    target: str | int | npt.ArrayLike,
    *,
    features: Sequence[str | int] | str | None = None,
    sample_weight: str | npt.ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    model: str = "logistic",
    optimizer: Optimizer[Any] | str | None = None,
    x0: npt.ArrayLike | None = None,
    categories: str | Sequence[str] = "refuse",
    missing: Missing = "refuse",
    constant: Constant = "refuse",
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    na: str | float | Sequence[str | float] = (),
    standardize: bool = True,
    holdout: float = 0.0,
    stream: bool | None = None,
    reduction: Reduction = "mean",
    l1: float = 0.0,
    batch_size: int | None = None,
    batch_order: Order = "shuffled",
    batch_remainder: Remainder = "keep",
    epochs: int | None = None,
    max_steps: int | None = None,
    stop: StoppingCondition | None = None,
    seed: int = 0,
    engine: Engine = "auto",
    device: str | None = None,
    record: str | int | Record | None = None,
    callback: Callable[[Point], object] | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    check: Callable[[Loss], object] | None = None,
    **settings: Any,
) -> Fit:
    """Fit a model to data by gradient descent.

    Arguments:
        data: the path of a CSV or Parquet file or of a folder of them, a data frame, a mapping of columns, or an array.
        target: the name of the column to be predicted, or its values; of columns without names, also its index.
        features: the names of the columns to predict it from; all other columns if not given.
        sample_weight: the name of the column, or the numbers, that say how often each row counts, as in scikit-learn:
            2 is the row twice, 0 no row. Also means, scales and fills count it so; the score counts each row once.
        class_weight: a factor of the weight of each row by its class: a mapping of classes to numbers, or "balanced":
            as if all classes had the same number of rows.
        model: a name in `fallline.models.MODELS`. The target has two classes for "logistic", "hinge" and
            "squared_hinge", several for "softmax" and "network", and numbers for the remaining models. "ridge" is
            "linear" with an `l2`, "lasso" with an `l1`.
        optimizer: a rule with its rate, or the name of one. By name, gradient descent, momentum, Nesterov momentum and
            the proximal rules get a rate from the loss's smoothness, with which they converge on any data; other rules
            have their own default. If not given: Nesterov momentum, or with batches plain gradient descent; if the
            loss has no bound on its smoothness, L-BFGS, or with batches Adam; for streamed files, L-BFGS. With an
            `l1`: FISTA, or for batches and losses that are not convex proximal descent; no other rule supports `l1`.
        x0: where to start, in the data's own units, as `parameters` has them. Zeros if not given; for a network
            random weights, by the seed.
        categories: how to treat columns of texts: "refuse" them; "one-hot": a feature for each category but the
            first; or the names of the columns, texts or numbers, to encode in this way.
        missing: how to treat rows with missing entries: "refuse" or "drop" them, or "mean": fill in the column's mean,
            or its most frequent category. A missing target is never filled in.
        constant: whether to "refuse" or "drop" columns that are the same in every row.
        separator, decimal, encoding, header, na: how CSV files are written, where it cannot be found or is found wrong:
            the fields of `fallline.data.csv_format.CsvFormat`. `notes` tell what was found.
        standardize: whether to descend on features of mean 0 and standard deviation 1. The resulting fit is the same,
            but needs far fewer steps. Parameters are reported in the data's own units in any case.
        holdout: the share of the rows, drawn by the seed, that are not fitted to but scored with.
        stream: whether to read files again in every pass instead of keeping their rows in memory; if not given, when
            these would take more than 256 MiB.
        reduction: "mean" or "sum" over the rows.
        l1: the strength of the penalty Σ |w|, which makes weights exactly zero. Like `l2` it acts on the weights of
            the standardised features, and is added after the reduction.
        batch_size: the number of rows per step; all rows if not given.
        batch_order: "shuffled" again in each epoch, or "sequential".
        batch_remainder: whether to "keep" or "drop" the rows left over after the last full batch.
        epochs: the number of passes over the data after which the run ends, in place of `max_steps`.
        max_steps: the number of steps after which it ends; 10,000 if neither is given.
        engine: as in `minimize`. The workers of a `Cluster` read the files themselves, so the path must be valid
            there, and keep what fits into their memory; batches are not computed by the workers.
        seed, device, callback, progress, checkpoint: as in `minimize`.
        check: a function called with the loss before the descent; it may raise an error to refuse the loss.
        record: as in `minimize`; if not given, every step, or with batches every epoch.
        stop: the stopping condition. If not given: an almost zero gradient; with batches, only the step limit.
        settings: those of the model: `l2` of all, `delta` of "huber", `hidden`, `activation` and `loss` of "network".

    Returns:
        The fit, with remarks on it in `notes`.

    Raises:
        FalllineError: when the data cannot be used, naming the file, the row and the column.

    >>> data = {"hours": [1, 2, 3, 4, 5, 6], "passed": ["no", "no", "yes", "no", "yes", "yes"]}
    >>> fitted = fit(data, "passed")
    >>> fitted.classes
    ('no', 'yes')
    >>> bool(fitted.parameters["hours"] > 0)
    True
    """
    model = _unpenalised(model, settings | {"l1": l1})
    kind = MODELS[model]
    _check_settings(model, settings)
    opened = open_source(data, separator=separator, decimal=decimal, encoding=encoding, header=header, na=na)
    source, target = _with_column(opened, "target", target)
    weights = None
    if sample_weight is not None:
        source, weights = _with_column(source, "sample_weight", sample_weight)
    wanted = kind.target(settings)
    names = _feature_names(source, target, features, weights)
    with progress_bar(len(source.parts), f"reading {source.name}", shown=progress and source.from_files) as report:
        found = survey(
            source,
            names,
            target,
            classes={"numbers": False, "numbers or two classes": None}.get(wanted, True),
            categories=categories,
            missing=missing,
            constant=constant,
            standardize=standardize,
            split=_split(holdout, seed),
            weights=weights,
            report=report,
        )
    preparation = found.training.preparation
    notes = [*source.notes, *found.notes, *_class_notes(preparation.classes, wanted, source, target)]
    streams = _streams(stream, source, found, engine)
    loss = _loss(kind, found.training, streams, reduction, class_weight, settings)
    objective = loss if batch_size is None else loss.batches(batch_size, order=batch_order, remainder=batch_remainder)
    if loss.dataset is not None:
        by = f"by the workers of {engine}" if is_cluster(engine) else "anew in every pass"
        notes.append(f"streamed: {loss.rows} rows are read {by}")
    penalty = loss.l1_penalty(l1)
    rule, why = chosen_rule(optimizer, loss, batch_size, penalty)
    if check is not None:
        check(loss)
    trajectory = minimize(
        objective,
        _start(model, loss, preparation, x0, seed),
        rule,
        max_steps=_steps(epochs, max_steps, objective.steps_per_epoch),
        stop=(at_rest(loss, rule) if batch_size is None else NotFinite()) if stop is None else stop,
        seed=seed,
        engine=engine,
        device=device,
        record=("all" if batch_size is None else objective.steps_per_epoch) if record is None else record,
        callback=callback,
        progress=progress,
        checkpoint=checkpoint,
    )
    if isinstance(objective, StreamedBatches):
        objective.close()
    notes += [why, *warnings_about(trajectory, loss, batch_size, penalty)]
    fitted = FittedModel(model, loss, preparation, trajectory.final.x)
    rows = FitRows(loss, found.training, found.held_out)
    if preparation.classes is not None:
        notes += imbalance(preparation.classes.names, fitted.confusion(rows.blocks()), class_weight is not None)
    return Fit(trajectory, fitted, tuple(notes), rows)


def _unpenalised(model: str, settings: Mapping[str, Any]) -> str:
    """The name of a model in MODELS, with "ridge" and "lasso" resolved."""
    l1 = settings["l1"]
    if isinstance(l1, bool) or not isinstance(l1, int | float | np.number) or not 0 <= l1 < np.inf:
        raise FalllineError("l1", l1, "it must be a number at least 0")
    if model in tuple(PENALISED):
        strength = settings.get(PENALISED[model], 0)
        if not strength:
            raise FalllineError(PENALISED[model], strength, f"the model {model!r} needs a number above 0")
        return "linear"
    if model not in tuple(MODELS):
        raise FalllineError("model", model, nearest(str(model), [*MODELS, *PENALISED]))
    return model


def _with_column(source: Source, parameter: str, given: Any) -> tuple[Source, str]:
    """The source with a column that is given by its name or its values, and the name."""
    name = source.named(given)
    if (not isinstance(given, list | tuple) and np.ndim(given) == 0) or name in source.columns:
        source.require(name, parameter)
        return source, name
    if source.from_files:
        raise FalllineError(
            parameter, problem="is given by its values, but data is a file", allowed="give the name of a column"
        )
    table, values = read_table(source), table_of({parameter: given}, parameter)
    if values.rows != table.rows:
        raise FalllineError(parameter, problem=f"has {values.rows} values, but {table.source} has {table.rows} rows")
    if parameter in table.columns:
        raise FalllineError(
            parameter,
            problem=f"is given by its values, but {table.source} has a column {parameter!r}",
            allowed="give its name",
        )
    return open_source(Table(table.source, {**table.columns, **values.columns}, table.lines)), parameter


def _feature_names(
    source: Source, target: str, features: Sequence[str | int] | str | None, weights: str | None
) -> tuple[str, ...]:
    if features is None:
        names = tuple(name for name in source.columns if name not in (target, weights))
    elif isinstance(features, str | Sequence):
        names = (features,) if isinstance(features, str) else tuple(source.named(name) for name in features)
    else:
        raise FalllineError("features", features, "it must be the names of columns")
    for name in names:
        source.require(name, "features")
    if not names:
        raise FalllineError("features", problem=f"is empty: {source.name} needs a column beside the target {target!r}")
    if target in names:
        raise FalllineError("features", problem=f"has {target!r}, which is the target", allowed="leave it out")
    if len(set(names)) != len(names):
        raise FalllineError("features", Verbatim(", ".join(names)), "each may be named once")
    if "intercept" in names:
        raise FalllineError(
            "features",
            problem="has 'intercept', which every model has of its own",
            allowed="rename or leave out the column",
        )
    return names


def _split(holdout: float, seed: int) -> Split | None:
    if isinstance(holdout, bool) or not isinstance(holdout, int | float | np.number) or not 0 <= holdout < 1:
        raise FalllineError("holdout", holdout, "it must be a share of the rows, at least 0 and below 1")
    check_whole("seed", seed, least=0)
    return Split(float(holdout), seed) if holdout else None


def _check_settings(model: str, settings: Mapping[str, Any]) -> None:
    """Refuse what neither `fit` nor the model has."""
    known = setting_names(MODELS[model])
    for name, setting in settings.items():
        if name not in known:
            problem = f"which is no argument of fit or of the model {model!r}"
            others = [repr(other) for other, kind in MODELS.items() if name in setting_names(kind)]
            own = [key for key, each in inspect.signature(fit).parameters.items() if each.kind != each.VAR_KEYWORD]
            allowed = f"model={' or '.join(others)} has it" if others else meant(name, dict.fromkeys([*own, *known]))
            raise FalllineError(name, setting, allowed, problem=problem)


def _class_notes(classes: Classes | None, wanted: Target, source: Source, target: str) -> list[str]:
    """What is to be known of the classes in the target; too few or too many are refused."""
    if classes is None:
        return []
    _check_classes(classes, several=wanted == "classes", source=source, target=target)
    if wanted == "classes" or classes.names == ("0", "1"):
        return []
    no, yes = classes.names
    return [f"target {target!r}: {no} is 0, {yes} is 1"]


def _check_classes(classes: Classes, several: bool, source: Source, target: str) -> None:
    """Check that the target has neither too few nor too many classes."""
    count = len(classes.names)
    if count == 2 or (several and count > 2):
        return
    held = ", ".join(repr(name) for name in classes.names[:4]) + (", ..." if count > 4 else "")
    needs = "a model of classes needs two at least" if several else "a model of two classes needs two"
    others = (", ", Setting("model", "softmax"), " takes more, ", Setting("model", "linear"), " numbers")
    raise FalllineError(
        "target",
        target,
        (needs,) if several or count < 2 else (needs, *others),
        problem=f"which holds {count} different values in {source.name} ({held})",
    )


def _streams(stream: bool | None, source: Source, found: Survey, engine: Engine) -> bool:
    if stream is not None and not isinstance(stream, bool):
        raise FalllineError("stream", stream, "allowed: True, False, None")
    size = 8 * found.training.rows * len(found.training.preparation.names)
    if stream is None:
        return source.from_files and (size > STREAMED_ABOVE or is_cluster(engine))
    return stream


def _loss(
    kind: type[Loss],
    training: Dataset,
    streams: bool,
    reduction: Reduction,
    class_weight: ClassWeight | None,
    settings: dict[str, Any],
) -> Loss:
    """The model on the training rows: all of them in memory, or the first block if they are streamed."""
    preparation = training.preparation
    rows = next(training.blocks()) if streams else training.whole()
    of_classes = None
    if class_weight is not None:
        of_classes = _class_weights(class_weight, preparation, training.blocks() if streams else [rows])
    # The weights of a first block may all be zero.
    weights = None if rows.weights is None or not rows.weights.any() else rows.weights
    settings = settings | class_names(kind, preparation)
    before = 0
    try:
        loss = kind(rows.X, rows.y, reduction, preparation.names, weights, of_classes, **settings)
        if not streams:
            return loss
        if preparation.classes is None:
            for block in training.blocks():
                loss.on_part(block.X, block.y).check_targets()
                before += len(block)
    except WrongTarget as error:
        table, row = training.located(before + error.row)
        raise table.error_at(row, preparation.target, f"is {error.value!r}", error.allowed) from None
    return loss.over(training)


def _class_weights(given: ClassWeight, preparation: Preparation, training: Iterable[Rows]) -> FloatArray:
    """The weight of each class, in the order of their labels."""
    classes = preparation.classes
    if classes is None:
        raise FalllineError(
            "class_weight",
            problem=f"is given, but the target {preparation.target!r} holds numbers",
            allowed="leave it out",
        )
    if isinstance(given, Mapping):
        given = {classes.named(name): weight for name, weight in given.items()}
    counts = class_counts(((rows.y.astype(np.intp), rows.weights) for rows in training), len(classes.names))
    return class_weights_of(given, classes.names, counts)


def _steps(epochs: int | None, max_steps: int | None, steps_per_epoch: int) -> int:
    if epochs is None:
        return USUAL_STEPS if max_steps is None else max_steps
    if max_steps is not None:
        raise FalllineError(
            "epochs", problem=f"is {epochs!r} and max_steps {max_steps!r}", allowed="give one of the two"
        )
    check_whole("epochs", epochs, least=1)
    return int(epochs) * steps_per_epoch


def _start(model: str, loss: Loss, preparation: Preparation, x0: npt.ArrayLike | None, seed: int) -> FloatArray:
    """Where to start, for prepared features: at `x0`, which is in the data's own units, or where the model does."""
    if x0 is None:
        return loss.initial(seed) if isinstance(loss, Network) else np.zeros(loss.dimension)
    start = number_array(x0, "x0")
    if start.shape != (loss.dimension,):
        raise FalllineError(
            "x0",
            problem=f"has the shape {start.shape}",
            allowed=f"it needs {loss.dimension} numbers: the weights of {', '.join(preparation.names)}, then the "
            "intercept",
        )
    return FittedModel(model, loss, preparation, start).standardised(start)
